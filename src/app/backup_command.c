/* marca backup: the stores as they are now, and the keys, in a folder (backup.h). Works beside a running
 * marca. */
#include "app/backup.h"
#include "app/commands.h"
#include "app/guest.h"
#include "app/moving_events.h"
#include "auth/key_folder.h"
#include "db/value.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

struct run {
	struct app app;
	const char *to;
	bool verify, without_keys;
	char folder[MOVING_PATH_MAX], part[MOVING_PATH_MAX]; /* without slashes at the end */
	struct db_whole *wholes[ROOM_COUNT];
	struct backup backup;
	struct progress progress;
	bool said; /* why it failed */
};

/* --- A store -------------------------------------------------------------------------- */

/* Where the relay stands: the one row of <room>_relay. */
static enum rc take_relay(void *arg, const struct table *table, const void *row)
{
	struct backup_file *file = arg;

	for (size_t i = 0; i < table->all->out_count; i++) {
		const struct column *column = &table->all->out[i];

		if (strcmp(column->name, "source") == 0)
			file->source = *value_uuid(column, row);
		else if (strcmp(column->name, "sequence") == 0)
			file->sequence = value_int(column, row);
	}
	return RC_OK;
}

static enum rc note_relay(struct run *run, enum room room, struct backup_file *file)
{
	enum rc rc = RC_OK;

	for (const struct table *table = app_queries[room]->whole; rc == RC_OK && table->name != NULL;
	     table++)
		if (table->seeded)
			rc = db_whole_scan(run->wholes[room], table, take_relay, file);
	return rc;
}

/* The rows as a dump has them: to a file, or (NULL) only to be counted and hashed. */
static enum rc dump_rows_of(struct run *run, enum room room, FILE *out, struct backup_file *file)
{
	const struct dump_progress progress = {progress_add, &run->progress};
	struct dump_writer writer;
	enum rc rc = dump_begin(&writer, out, &progress, GUEST_ROOM(room));

	if (rc == RC_OK)
		rc = dump_store(&writer, room, run->wholes[room]);
	if (rc == RC_OK)
		rc = dump_end(&writer);
	file->store = writer.summary.stores[room];
	dump_finish(&writer);
	return rc;
}

static enum rc save_stream(struct run *run, enum room room, const char *path, struct backup_file *file)
{
	struct new_file stream;
	enum rc rc;

	if (!new_file_open(&stream, path))
		return RC_INTERNAL;
	rc = dump_rows_of(run, room, stream.file, file);
	if (rc == RC_OK && !new_file_keep(&stream))
		rc = RC_INTERNAL;
	new_file_drop(&stream);
	return rc;
}

static enum rc save_pages(struct run *run, enum room room, const char *path, struct backup_file *file)
{
	enum rc rc = db_whole_copy(run->wholes[room], path, progress_copy, &run->progress);

	if (rc == RC_OK && chmod(path, 0600) != 0)
		rc = RC_INTERNAL;
	return rc == RC_OK ? dump_rows_of(run, room, NULL, file) : rc;
}

static enum rc save_store(struct run *run, enum room room)
{
	const struct query_set *set = app_queries[room];
	bool embedded = db_dialect(run->app.dbs[room]) == DIALECT_SQLITE;
	char name[BACKUP_NAME_MAX], path[MOVING_PATH_MAX];
	struct backup_file *file;
	enum rc rc;

	snprintf(name, sizeof(name), "%s.%s", set->name, embedded ? "db" : "jsonl");
	file = backup_add(&run->backup, embedded ? BACKUP_SQLITE : BACKUP_STREAM, name);
	if (file == NULL || !moving_path(path, "%s/%s", run->part, name))
		return RC_INTERNAL;
	file->room = room;
	progress_begin(&run->progress, &run->app.world, set->name);
	rc = embedded ? save_pages(run, room, path, file) : save_stream(run, room, path, file);
	if (rc == RC_OK)
		rc = note_relay(run, room, file);
	if (rc == RC_OK && !backup_hash(path, &file->bytes, file->hash, &run->progress))
		rc = RC_INTERNAL;
	progress_end(&run->progress);
	if (rc == RC_OK)
		fprintf(stderr, "  %-9s %10lld rows %10s\n", set->name, (long long)file->store.rows,
			size_text(file->bytes).text);
	return rc;
}

/* --- The keys --------------------------------------------------------------------------- */

struct keys {
	struct run *run;
	const char *from;
	size_t count;
};

static bool save_key(void *arg, const char *name)
{
	struct keys *keys = arg;
	struct run *run = keys->run;
	char within[BACKUP_NAME_MAX], from[MOVING_PATH_MAX], to[MOVING_PATH_MAX];
	struct backup_file *file;

	snprintf(within, sizeof(within), "keys/%s", name);
	file = backup_add(&run->backup, BACKUP_KEY, within);
	keys->count++;
	return file != NULL && moving_path(from, "%s/%s", keys->from, name) &&
	       moving_path(to, "%s/%s", run->part, within) && backup_copy(from, to, &run->progress) &&
	       backup_hash(to, &file->bytes, file->hash, &run->progress);
}

/* After the stores were looked at: what a row of theirs was sealed with is there by then. */
static bool save_keys(struct run *run)
{
	struct key_folder folder;
	struct keys keys = {.run = run};
	char path[MOVING_PATH_MAX], to[MOVING_PATH_MAX];
	bool good;

	if (run->without_keys) {
		fprintf(stderr,
			"  keys      left out: without them no token is good any more, and no sealed secret\n"
			"            can be opened; keep them apart\n");
		return true;
	}
	if (!key_folder_path(&run->app.config, path, sizeof(path)) || access(path, F_OK) != 0) {
		fprintf(stderr, "  keys      there are none in %s\n", path);
		return true;
	}
	if (!key_folder_open(&run->app.config, false, &folder))
		return false;
	keys.from = folder.path;
	good = moving_path(to, "%s/keys", run->part) && mkdir(to, 0700) == 0 && key_folder_lock(&folder);
	if (good) {
		good = backup_each(folder.path, save_key, &keys) && moving_sync_folder(to);
		key_folder_unlock(&folder);
	}
	key_folder_close(&folder);
	if (good)
		fprintf(stderr, "  keys      %10zu files\n", keys.count);
	return good;
}

/* --- All of it ------------------------------------------------------------------------------ */

static void note_time(struct run *run)
{
	char text[UTIME_TEXT_MAX];
	size_t len = utime_text(text, world_now(&run->app.world), 0, true);

	snprintf(run->backup.made_at, sizeof(run->backup.made_at), "%.*s", (int)len, text);
	snprintf(run->backup.version, sizeof(run->backup.version), "%s", MARCA_VERSION);
	run->backup.redis = run->app.config.redis_url != NULL;
}

static enum rc save_all(struct run *run)
{
	enum rc rc;

	note_time(run);
	rc = moving_look(&run->app, run->wholes);
	for (size_t i = 0; rc == RC_OK && i < ROOM_COUNT; i++)
		if (run->wholes[moving_order[i]] != NULL)
			rc = save_store(run, moving_order[i]);
	moving_look_end(run->wholes);
	if (rc == RC_OK && !(save_keys(run) && backup_write(&run->backup, run->part)))
		rc = RC_INTERNAL;
	return rc;
}

/* Under its name when all of it is durable. */
static bool keep(const struct run *run)
{
	if (!moving_sync_folder(run->part))
		return false;
	if (rename(run->part, run->folder) == 0)
		return moving_sync_parent(run->folder);
	fprintf(stderr, "marca: cannot rename %s to %s: %s\n", run->part, run->folder, strerror(errno));
	return false;
}

static enum rc backup_all(const struct guest *guest, struct ctx *cx, void *arg)
{
	struct run *run = arg;
	enum rc rc;

	moving_catch_signals();
	backup_remove(run->part); /* of a run that was killed */
	if (mkdir(run->part, 0700) != 0) {
		fprintf(stderr, "marca: cannot make the folder %s: %s\n", run->part, strerror(errno));
		return RC_INTERNAL;
	}
	rc = save_all(run);
	if (rc == RC_OK && (moving_stopped() || !keep(run)))
		rc = RC_INTERNAL;
	if (rc != RC_OK) {
		backup_remove(run->part);
		fprintf(stderr, "marca: no backup was made\n");
		return rc;
	}
	fprintf(stderr, "%s is a backup of %s\n", run->folder, run->backup.made_at);
	if (run->backup.redis)
		moving_tell_waiting(guest->bus, cx);
	fprintf(stderr,
		"Not in it: the settings (`marca docs environment`). Keep it as you keep the stores.\n"
		"`marca backup --verify %s` restores it elsewhere and looks at it.\n",
		run->folder);
	return RC_OK;
}

/* --- The command ------------------------------------------------------------------------------ */

static bool read_options(struct run *run, struct config *config, int argc, char **argv)
{
	const struct command_option table[] = {
		{.name = "--without-keys", .flag = &run->without_keys},
		{.name = "--verify", .flag = &run->verify},
		{.name = "--data", .text = &config->data},
		{.text = &run->to},
	};

	return COMMAND_OPTIONS(table, argc, argv) && run->to != NULL && !(run->verify && run->without_keys);
}

/* It must not be there, or be an empty folder. */
static bool choose_folder(struct run *run)
{
	size_t len = strlen(run->to);

	while (len > 1 && run->to[len - 1] == '/')
		len--;
	if (!moving_path(run->folder, "%.*s", (int)len, run->to) ||
	    !moving_path(run->part, "%s.part", run->folder))
		return false;
	if (run->verify || access(run->folder, F_OK) != 0 || rmdir(run->folder) == 0)
		return true;
	fprintf(stderr, "marca: %s is there already: name a folder that is new, or empty\n", run->folder);
	return false;
}

int command_backup(const struct command *command, int argc, char **argv)
{
	struct run run = {.to = NULL};
	struct config config;

	if (!config_read(&config))
		return 1;
	if (!read_options(&run, &config, argc, argv))
		return command_usage(command);
	if (!app_init(&run.app, &config) || !choose_folder(&run))
		return 1;
	if (run.verify)
		return backup_verify(&run.app, run.folder) ? 0 : 1;
	return guest_run(&run.app, GUEST_ALL_ROOMS, run.app.config.redis_url != NULL, backup_all, &run);
}
