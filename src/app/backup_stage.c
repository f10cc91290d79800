/* A store of a backup, made into an embedded store beside where it shall be: see backup.h. */
#include "app/backup.h"
#include "app/loader.h"

#include <fcntl.h>
#include <unistd.h>

/* --- The store there -------------------------------------------------------------- */

/* An app of which only that room's store is open. */
static bool open_at(struct app *stage, const struct app *app, enum room room, const char *path)
{
	char url[MOVING_PATH_MAX + 8];
	const struct db_options options = {.url = url, .world = &app->world};

	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* SQLite would let others read it */

	*stage = (struct app){.config = app->config, .world = app->world};
	snprintf(url, sizeof(url), "sqlite:%s", path);
	if (fd >= 0)
		close(fd);
	if (db_open(app_queries[room], &options, &stage->dbs[room]) == RC_OK)
		return true;
	fprintf(stderr, "marca: no store can be made at %s\n", path);
	return false;
}

/* What SQLite has beside it, it takes away when it closes the file; but not the lock. */
static void close_at(struct app *stage, enum room room, const char *path)
{
	char lock[MOVING_PATH_MAX];

	db_close(stage->dbs[room]);
	stage->dbs[room] = NULL;
	if (moving_path(lock, "%s.lock", path))
		unlink(lock);
}

void backup_unstage(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	char one[MOVING_PATH_MAX];

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (moving_path(one, "%s%s", path, ends[i]))
			unlink(one);
}

/* --- Filling it --------------------------------------------------------------------- */

static bool migrate(const struct app *stage, enum room room, const char *from)
{
	if (db_migrate(stage->dbs[room], -1, NULL) == RC_OK && moving_knows_schema(stage, room))
		return true;
	fprintf(stderr, "marca: %s: its schema is newer than this marca, or cannot be brought up to date\n",
		from);
	return false;
}

static bool load(struct app *stage, FILE *in, const char *from, const struct backup_file *file,
		 struct progress *progress)
{
	const struct dump_progress told = {progress_add, progress};
	struct dump_reader reader;
	struct loader loader;
	bool good = dump_verify(&reader, in, from, &told);

	if (good &&
	    reader.summary.stores[file->room].schema != (int)app_queries[file->room]->migration_count) {
		fprintf(stderr,
			"marca: %s: its schema is of another marca; restore it with the marca that made the "
			"backup, and let this one migrate it\n",
			from);
		good = false;
	}
	if (good) {
		good = loader_begin(&loader, stage, &reader.summary, false) &&
		       dump_rows(&reader, loader_row, &loader) && loader_keep(&loader);
		loader_finish(&loader);
	}
	dump_reader_finish(&reader);
	return good;
}

static bool fill(struct app *stage, const char *from, const struct backup_file *file,
		 struct progress *progress)
{
	FILE *in;
	bool good;

	if (!migrate(stage, file->room, from))
		return false;
	if (file->kind == BACKUP_SQLITE)
		return true;
	in = moving_open(from);
	good = in != NULL && load(stage, in, from, file, progress);
	if (in != NULL)
		fclose(in);
	return good;
}

/* --- Looking at it ------------------------------------------------------------------- */

/* Of a store of an older schema the rows have other columns now: then their numbers must do. */
static bool is_as_told(const struct backup_file *file, const struct dump_store *found, const char *from)
{
	const struct table *tables = app_queries[file->room]->whole;
	bool same_schema = file->store.schema == found->schema;

	if (!same_schema || strcmp(file->store.hash, found->hash) == 0)
		return true;
	for (size_t i = 0; tables[i].name != NULL; i++)
		if (file->store.tables[i] != found->tables[i])
			fprintf(stderr,
				"marca: %s: %s has %lld rows, and had %lld when the backup was made\n", from,
				tables[i].name, (long long)found->tables[i],
				(long long)file->store.tables[i]);
	fprintf(stderr, "marca: %s: its rows are not those that the store had\n", from);
	return false;
}

static bool check(const struct app *stage, const char *from, const struct backup_file *file,
		  struct progress *progress)
{
	const struct dump_progress told = {progress_add, progress};
	struct dump_writer writer;
	struct db_whole *whole;
	enum rc rc = db_whole_begin(stage->dbs[file->room], WHOLE_READ, &whole);
	bool good;

	if (rc != RC_OK)
		return false;
	rc = db_whole_check(whole, true);
	if (rc == RC_OK)
		rc = dump_begin(&writer, NULL, &told, 0);
	if (rc == RC_OK) {
		rc = dump_store(&writer, file->room, whole);
		dump_finish(&writer);
	}
	(void)!db_whole_end(whole, false);
	good = rc == RC_OK && is_as_told(file, &writer.summary.stores[file->room], from);
	if (rc != RC_OK && !moving_stopped())
		fprintf(stderr, "marca: %s: what was made of it is not well-formed\n", from);
	return good;
}

/* --- From outside --------------------------------------------------------------------- */

bool backup_stage(const struct app *app, const char *folder, const struct backup_file *file, const char *path,
		  struct progress *progress)
{
	char from[MOVING_PATH_MAX];
	struct app stage;
	bool good;

	backup_unstage(path); /* of a run that was killed */
	if (!moving_path(from, "%s/%s", folder, file->name) ||
	    (file->kind == BACKUP_SQLITE && !backup_copy(from, path, progress)))
		return false;
	good = open_at(&stage, app, file->room, path);
	if (good) {
		good = fill(&stage, from, file, progress) && check(&stage, from, file, progress);
		close_at(&stage, file->room, path);
	}
	if (!good)
		backup_unstage(path);
	return good;
}

bool backup_stage_empty(const struct app *app, enum room room, const char *path)
{
	struct app stage;
	bool good;

	backup_unstage(path);
	good = open_at(&stage, app, room, path);
	if (good) {
		good = migrate(&stage, room, path);
		close_at(&stage, room, path);
	}
	return good;
}

static bool dump_all(const struct app *stage, enum room room, FILE *out, struct progress *progress)
{
	const struct dump_progress told = {progress_add, progress};
	struct dump_writer writer;
	struct db_whole *whole;
	enum rc rc = db_whole_begin(stage->dbs[room], WHOLE_READ, &whole);

	if (rc != RC_OK)
		return false;
	rc = dump_begin(&writer, out, &told, 1u << room);
	if (rc == RC_OK)
		rc = dump_store(&writer, room, whole);
	if (rc == RC_OK)
		rc = dump_end(&writer);
	dump_finish(&writer);
	(void)!db_whole_end(whole, false);
	return rc == RC_OK;
}

FILE *backup_stage_stream(const struct app *app, enum room room, const char *path, struct progress *progress)
{
	struct app stage;
	FILE *out;

	if (!open_at(&stage, app, room, path))
		return NULL;
	out = moving_spool();
	if (out != NULL && !dump_all(&stage, room, out, progress)) {
		fclose(out);
		out = NULL;
	}
	if (out != NULL)
		rewind(out);
	close_at(&stage, room, path);
	return out;
}
