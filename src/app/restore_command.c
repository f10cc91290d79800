/* marca restore: a backup (backup.h) to where the configuration has its stores, of whichever kind they are.
 */
#include "app/backup.h"
#include "app/commands.h"
#include "app/loader.h"
#include "auth/key_folder.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What becomes of one store: a file beside it that takes its place, or a transaction that is to be committed.
 */
struct target {
	bool wanted, loading;
	char staged[MOVING_PATH_MAX]; /* of an embedded one; "": there is none */
	FILE *stream;		      /* of PostgreSQL */
	struct dump_reader reader;
	struct loader loader;
};

struct run {
	struct app app;
	const char *from;
	bool force;
	struct backup backup;
	struct target targets[ROOM_COUNT];
	struct progress progress;
};

/* --- Where to -------------------------------------------------------------------------- */

/* A bus that is not in the backup knows of what came after it: it begins anew. */
static bool is_wanted(const struct run *run, enum room room)
{
	return app_has_store(&run->app, room) &&
	       (backup_of(&run->backup, room) != NULL || room == ROOM_events);
}

static bool is_embedded(const struct run *run, enum room room)
{
	return db_dialect(run->app.dbs[room]) == DIALECT_SQLITE;
}

/* The file of an embedded store. */
static bool file_of(const struct run *run, enum room room, char ret[MOVING_PATH_MAX])
{
	char url[APP_STORE_URL_MAX];

	return app_store_url(&run->app.config, room, url, sizeof(url)) &&
	       moving_path(ret, "%s", url + strlen("sqlite:"));
}

/* False: it has rows, or a schema that this marca does not look into; or it cannot be looked at. */
static bool is_empty(const struct run *run, enum room room)
{
	struct db *db = run->app.dbs[room];
	const struct table *filled = NULL;
	struct db_whole *whole;
	int version = 0;
	bool fits;
	enum rc rc = db_schema_version(db, &version, &fits);

	if (rc != RC_OK || version == 0)
		return rc == RC_OK;
	if (version != (int)app_queries[room]->migration_count ||
	    db_whole_begin(db, WHOLE_READ, &whole) != RC_OK)
		return false;
	rc = loader_first_filled(whole, app_queries[room], &filled);
	(void)!db_whole_end(whole, false);
	return rc == RC_OK && filled == NULL;
}

/* As their owner, so that no marca can serve them meanwhile. */
static bool open_target(struct run *run, enum room room)
{
	char where[256];

	moving_store_text(&run->app, room, where, sizeof(where));
	if (!app_open_store(&run->app, room)) {
		fprintf(stderr,
			"marca: the %s store cannot be opened (%s). If a marca serves it, stop that first.\n",
			app_queries[room]->name, where);
		return false;
	}
	if (run->force || is_empty(run, room))
		return true;
	fprintf(stderr,
		"marca: the %s store is not empty (%s). Nothing was changed. Name empty stores (--data,\n"
		"DATABASE_URL and its like); or say --force, and what is there now is lost.\n",
		app_queries[room]->name, where);
	return false;
}

static bool open_targets(struct run *run)
{
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		run->targets[room].wanted = is_wanted(run, (enum room)room);
		if (run->targets[room].wanted && !open_target(run, (enum room)room))
			return false;
	}
	return true;
}

/* --- Before anything is changed ------------------------------------------------------------- */

static bool stage_embedded(struct run *run, enum room room)
{
	const struct backup_file *file = backup_of(&run->backup, room);
	struct target *target = &run->targets[room];
	char path[MOVING_PATH_MAX];

	if (!file_of(run, room, path) || !moving_path(target->staged, "%s.restoring", path))
		return false;
	return file != NULL ? backup_stage(&run->app, run->from, file, target->staged, &run->progress)
			    : backup_stage_empty(&run->app, room, target->staged);
}

/* An embedded store for PostgreSQL goes by way of a temporary one. */
static FILE *stream_of(struct run *run, const struct backup_file *file)
{
	char path[MOVING_PATH_MAX];
	FILE *stream = NULL;

	if (file->kind == BACKUP_STREAM)
		return moving_path(path, "%s/%s", run->from, file->name) ? moving_open(path) : NULL;
	if (!moving_temporary(path) || mkdtemp(path) == NULL) {
		fprintf(stderr, "marca: no temporary folder can be made (TMPDIR): %s\n", strerror(errno));
		return NULL;
	}
	if (moving_path(run->targets[file->room].staged, "%s/store.db", path)) {
		const char *staged = run->targets[file->room].staged;

		if (backup_stage(&run->app, run->from, file, staged, &run->progress))
			stream = backup_stage_stream(&run->app, file->room, staged, &run->progress);
		backup_unstage(staged);
		run->targets[file->room].staged[0] = '\0';
	}
	rmdir(path);
	return stream;
}

/* Filled, and not committed. */
static bool stage_rows(struct run *run, enum room room)
{
	const struct dump_progress progress = {progress_add, &run->progress};
	const struct backup_file *file = backup_of(&run->backup, room);
	struct target *target = &run->targets[room];

	if (db_migrate(run->app.dbs[room], -1, NULL) != RC_OK || !moving_knows_schema(&run->app, room))
		return false;
	target->stream = stream_of(run, file);
	if (target->stream == NULL || !dump_verify(&target->reader, target->stream, file->name, &progress))
		return false;
	if (target->reader.summary.stores[room].schema != (int)app_queries[room]->migration_count) {
		fprintf(stderr,
			"marca: %s: its schema is of another marca; restore it with the marca that made the "
			"backup, and let this one migrate it\n",
			file->name);
		return false;
	}
	target->loading = true;
	return loader_begin(&target->loader, &run->app, &target->reader.summary, run->force) &&
	       dump_rows(&target->reader, loader_row, &target->loader);
}

static bool stage_all(struct run *run)
{
	bool good = true;

	for (size_t i = 0; good && i < ROOM_COUNT; i++) {
		enum room room = moving_order[i];

		if (!run->targets[room].wanted)
			continue;
		progress_begin(&run->progress, &run->app.world, app_queries[room]->name);
		good = is_embedded(run, room) ? stage_embedded(run, room) : stage_rows(run, room);
		progress_end(&run->progress);
	}
	return good && !moving_stopped();
}

/* --- The keys ---------------------------------------------------------------------------------- */

/* Keys that are there stay. */
static bool restore_key(struct run *run, const struct backup_file *file, const char *folder)
{
	char from[MOVING_PATH_MAX], to[MOVING_PATH_MAX], part[MOVING_PATH_MAX], hash[DUMP_HASH_LEN + 1];
	int64_t bytes;

	if (!moving_path(from, "%s/%s", run->from, file->name) ||
	    !moving_path(to, "%s%s", folder, file->name + strlen("keys")) ||
	    !moving_path(part, "%s/.%s.part", folder, file->name + strlen("keys/")))
		return false;
	if (access(to, F_OK) == 0) {
		if (!backup_hash(to, &bytes, hash, &run->progress))
			return false;
		if (strcmp(hash, file->hash) == 0)
			return true;
		fprintf(stderr, "marca: %s is another key than that of the backup; move it away\n", to);
		return false;
	}
	unlink(part); /* of a run that was killed */
	return backup_copy(from, part, &run->progress) && rename(part, to) == 0;
}

static bool restore_keys(struct run *run)
{
	struct key_folder folder;
	size_t count = 0;
	bool good;

	for (size_t i = 0; i < run->backup.count; i++)
		count += run->backup.files[i].kind == BACKUP_KEY;
	if (count == 0) {
		fprintf(stderr,
			"The backup has no keys: put them back (MARCA_KEYS) before marca is started.\n");
		return true;
	}
	if (!key_folder_open(&run->app.config, true, &folder))
		return false;
	good = key_folder_lock(&folder);
	for (size_t i = 0; good && i < run->backup.count; i++)
		if (run->backup.files[i].kind == BACKUP_KEY)
			good = restore_key(run, &run->backup.files[i], folder.path);
	good = good && moving_sync_folder(folder.path);
	key_folder_unlock(&folder);
	key_folder_close(&folder);
	return good;
}

/* --- The change ------------------------------------------------------------------------------------ */

static bool keep_one(struct run *run, enum room room)
{
	struct target *target = &run->targets[room];

	if (target->loading)
		return loader_keep(&target->loader);
	if (db_replace_file(run->app.dbs[room], target->staged) != RC_OK)
		return false;
	target->staged[0] = '\0';
	return true;
}

/* Keys first: more of them than are needed do no harm. */
static bool keep_all(struct run *run)
{
	if (!restore_keys(run))
		return false;
	for (size_t i = 0; i < ROOM_COUNT; i++) {
		enum room room = moving_order[i];
		const struct backup_file *file = backup_of(&run->backup, room);

		if (!run->targets[room].wanted)
			continue;
		if (!keep_one(run, room)) {
			fprintf(stderr,
				"marca: the %s store could not be put in place; those told above are. "
				"Mend that, and run the\n"
				"same command with --force.\n",
				app_queries[room]->name);
			return false;
		}
		fprintf(stderr, "  %-9s %10lld rows\n", app_queries[room]->name,
			(long long)(file != NULL ? file->store.rows : 0));
	}
	return true;
}

static void finish(struct run *run)
{
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		struct target *target = &run->targets[room];

		if (target->loading)
			loader_finish(&target->loader);
		dump_reader_finish(&target->reader);
		if (target->stream != NULL)
			fclose(target->stream);
		if (target->staged[0] != '\0')
			backup_unstage(target->staged);
		db_close(run->app.dbs[room]);
	}
}

static bool restore(struct run *run)
{
	bool good;

	moving_catch_signals();
	if (!backup_read(&run->backup, run->from))
		return false;
	progress_begin(&run->progress, &run->app.world, "read");
	good = backup_check_files(&run->backup, run->from, &run->progress);
	progress_end(&run->progress);
	if (!good)
		return false;
	good = open_targets(run) && stage_all(run);
	if (!good)
		fprintf(stderr, "marca: nothing was restored\n");
	good = good && keep_all(run);
	finish(run);
	if (!good)
		return false;
	fprintf(stderr, "restored: all is as it was at %s, and marca can be started\n", run->backup.made_at);
	if (run->app.config.redis_url != NULL)
		fprintf(stderr, "If that Redis has seen what came after the backup: begin with an empty one, "
				"or groups are\n"
				"given events of what is no longer there.\n");
	return true;
}

/* --- The command -------------------------------------------------------------------------------------- */

static bool read_options(struct run *run, struct config *config, int argc, char **argv)
{
	const struct command_option table[] = {
		{.name = "--force", .flag = &run->force},
		{.name = "--data", .text = &config->data},
		{.text = &run->from},
	};

	return COMMAND_OPTIONS(table, argc, argv) && run->from != NULL;
}

int command_restore(const struct command *command, int argc, char **argv)
{
	struct run *run = calloc(1, sizeof(*run)); /* of some size */
	struct config config;
	int status = 1;

	if (run == NULL || !config_read(&config)) {
		free(run);
		return 1;
	}
	if (!read_options(run, &config, argc, argv)) {
		status = command_usage(command);
	} else if (app_init(&run->app, &config)) {
		run->app.config.db_wait = 0; /* whoever has it open will have it open for long */
		status = restore(run) ? 0 : 1;
	}
	free(run);
	return status;
}
