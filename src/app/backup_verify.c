/* marca backup --verify: a backup is good when it has been restored. See backup.h. */
#include "app/backup.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static bool restore_one(const struct app *app, const char *folder, const struct backup_file *file,
			const char *to, struct progress *progress)
{
	char path[MOVING_PATH_MAX];
	bool good;

	progress_begin(progress, &app->world, app_queries[file->room]->name);
	good = moving_path(path, "%s/%s.db", to, app_queries[file->room]->name) &&
	       backup_stage(app, folder, file, path, progress);
	progress_end(progress);
	if (good)
		fprintf(stderr, "  %-9s %10lld rows  %s\n", app_queries[file->room]->name,
			(long long)file->store.rows,
			file->store.schema == (int)app_queries[file->room]->migration_count
				? "as they were"
				: "brought up to this marca's schema");
	return good;
}

static bool restore_all(const struct app *app, const char *folder, const struct backup *backup,
			const char *to)
{
	struct progress progress;
	size_t keys = 0;
	bool good;

	progress_begin(&progress, &app->world, "read");
	good = backup_check_files(backup, folder, &progress);
	progress_end(&progress);
	for (size_t i = 0; good && i < backup->count; i++) {
		keys += backup->files[i].kind == BACKUP_KEY;
		if (backup->files[i].kind != BACKUP_KEY)
			good = restore_one(app, folder, &backup->files[i], to, &progress);
	}
	if (good)
		fprintf(stderr, "  keys      %10zu files\n", keys);
	return good && !moving_stopped();
}

bool backup_verify(struct app *app, const char *folder)
{
	struct backup *backup = malloc(sizeof(*backup));
	char to[MOVING_PATH_MAX];
	bool good;

	moving_catch_signals();
	if (backup == NULL || !moving_temporary(to) || mkdtemp(to) == NULL) {
		fprintf(stderr, "marca: no temporary folder can be made (TMPDIR): %s\n", strerror(errno));
		free(backup);
		return false;
	}
	good = backup_read(backup, folder) && restore_all(app, folder, backup, to);
	backup_remove(to);
	if (good)
		fprintf(stderr,
			"%s is good: it was restored to a temporary folder, and holds what it shall\n",
			folder);
	free(backup);
	return good;
}
