/* marca import: what `marca export` wrote, into empty stores, of whichever kind they are. */
#include "app/commands.h"
#include "app/loader.h"

#include <unistd.h>

struct run {
	struct app app;
	const char *in;
	bool dry;
	struct dump_reader reader;
	struct progress progress;
};

/* --- What is asked of the file, and of the stores ---------------------------------- */

/* Of which stores it has rows, and this process has a place for. */
static bool is_wanted(const struct run *run, enum room room)
{
	return run->reader.summary.stores[room].there && app_has_store(&run->app, room);
}

static bool check_schemas(const struct run *run)
{
	bool good = true;

	for (size_t room = 0; room < ROOM_COUNT; room++) {
		const struct dump_store *store = &run->reader.summary.stores[room];
		int known = (int)app_queries[room]->migration_count;

		if (!store->there || store->schema == known)
			continue;
		fprintf(stderr,
			"marca: %s: its schema of the %s store is number %d, and that of this marca %d. %s\n",
			run->in, app_queries[room]->name, store->schema, known,
			store->schema < known
				? "Let this marca migrate the stores that it came from, and export them "
				  "again."
				: "Import it with the marca that wrote it, or with a newer one.");
		good = false;
	}
	return good;
}

static bool open_stores(struct run *run)
{
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (!is_wanted(run, (enum room)room))
			continue;
		if (!app_open_store(&run->app, (enum room)room) ||
		    db_migrate(run->app.dbs[room], -1, NULL) != RC_OK) {
			fprintf(stderr,
				"marca: the %s store cannot be opened. If a marca serves it, stop that first.\n",
				app_queries[room]->name);
			return false;
		}
		if (!moving_knows_schema(&run->app, (enum room)room))
			return false;
	}
	return true;
}

static void close_stores(struct run *run)
{
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		db_close(run->app.dbs[room]);
		run->app.dbs[room] = NULL;
	}
}

/* --- Done, or only told ---------------------------------------------------------------- */

static void tell_store(const struct run *run, enum room room, const char *state)
{
	const struct dump_store *store = &run->reader.summary.stores[room];
	char where[256];

	moving_store_text(&run->app, room, where, sizeof(where));
	fprintf(stderr, "  %-9s %10lld rows  %s%s\n", app_queries[room]->name, (long long)store->rows, where,
		state);
}

static void tell_bus(const struct run *run)
{
	const struct dump_store *bus = &run->reader.summary.stores[ROOM_events];

	if (bus->there && !app_has_store(&run->app, ROOM_events))
		fprintf(stderr,
			"The embedded bus of the file (%lld rows) is left out, for events go to Redis "
			"here: a Redis\n"
			"that does not know these stores is sent what their outboxes hold; nothing has its "
			"effect twice.\n",
			(long long)bus->rows);
}

static bool fill(struct run *run)
{
	struct loader loader;
	bool good;

	if (!open_stores(run)) {
		close_stores(run);
		return false;
	}
	progress_begin(&run->progress, &run->app.world, "imported");
	run->progress.of = run->reader.summary.bytes;
	good = loader_begin(&loader, &run->app, &run->reader.summary, false) &&
	       dump_rows(&run->reader, loader_row, &loader);
	progress_end(&run->progress);
	good = good && loader_keep(&loader);
	loader_finish(&loader);
	close_stores(run);
	if (!good)
		return false;
	fprintf(stderr, "imported %lld rows\n", (long long)run->reader.summary.rows);
	for (size_t room = 0; room < ROOM_COUNT; room++)
		if (is_wanted(run, (enum room)room))
			tell_store(run, (enum room)room, "");
	tell_bus(run);
	fprintf(stderr,
		"To be moved too, before marca is started here: the keys (MARCA_KEYS) and the settings.\n");
	return true;
}

/* *ret_new: it is not there yet. */
static bool is_embedded(const struct run *run, enum room room, bool *ret_new)
{
	char url[APP_STORE_URL_MAX];
	bool embedded =
		app_store_url(&run->app.config, room, url, sizeof(url)) && strncmp(url, "sqlite:", 7) == 0;

	*ret_new = embedded && access(url + 7, F_OK) != 0;
	return embedded;
}

/* Where nothing may be changed, not even by a migration. *ret_state: for people. */
static bool look_at(struct run *run, enum room room, const char **ret_state)
{
	struct db *db = run->app.dbs[room];
	const struct table *filled = NULL;
	struct db_whole *whole;
	int version = 0;
	bool fits;
	enum rc rc = db_schema_version(db, &version, &fits);

	if (rc == RC_OK && version == (int)app_queries[room]->migration_count) {
		rc = db_whole_begin(db, WHOLE_READ, &whole);
		if (rc == RC_OK) {
			rc = loader_first_filled(whole, app_queries[room], &filled);
			(void)!db_whole_end(whole, false);
		}
	}
	if (rc == RC_OK && version > (int)app_queries[room]->migration_count) {
		*ret_state = "  has a newer marca's schema";
		return false;
	}
	*ret_state = filled != NULL ? "  is not empty"
		     : version == 0 ? "  is empty, its schema to be made"
				    : "  is empty";
	return rc == RC_OK && filled == NULL;
}

static bool tell_only(struct run *run)
{
	bool all = true;

	fprintf(stderr, "%s is whole: %lld rows\n", run->in, (long long)run->reader.summary.rows);
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		const char *state = "  is to be made";
		bool good = true, new;

		if (!is_wanted(run, (enum room)room))
			continue;
		/* A guest makes no file; nor PostgreSQL's role, which any other look needs. */
		run->app.guest = is_embedded(run, (enum room)room, &new);
		if (!new) {
			state = "  cannot be opened";
			good = app_open_store(&run->app, (enum room)room) &&
			       look_at(run, (enum room)room, &state);
		}
		tell_store(run, (enum room)room, state);
		all &= good;
	}
	close_stores(run);
	tell_bus(run);
	fprintf(stderr, all ? "Nothing was changed; without --dry-run it would be imported.\n"
			    : "Nothing was changed; it could not be imported.\n");
	return all;
}

/* --- The command ------------------------------------------------------------------------ */

static bool import(struct run *run)
{
	const struct dump_progress progress = {progress_add, &run->progress};
	FILE *in = moving_open(run->in);
	bool good;

	if (in == NULL)
		return false;
	moving_catch_signals();
	progress_begin(&run->progress, &run->app.world, "read");
	good = dump_verify(&run->reader, in, strcmp(run->in, "-") == 0 ? "standard input" : run->in,
			   &progress);
	progress_end(&run->progress);
	good = good && check_schemas(run) && (run->dry ? tell_only(run) : fill(run));
	if (!good && !run->dry)
		fprintf(stderr, "marca: nothing was imported\n");
	dump_reader_finish(&run->reader);
	fclose(in);
	return good;
}

static bool read_options(struct run *run, struct config *config, int argc, char **argv)
{
	const struct command_option table[] = {
		{.name = "--dry-run", .flag = &run->dry},
		{.name = "--data", .text = &config->data},
		{.text = &run->in},
	};

	return COMMAND_OPTIONS(table, argc, argv) && run->in != NULL;
}

int command_import(const struct command *command, int argc, char **argv)
{
	struct run run = {.in = NULL};
	struct config config;

	if (!config_read(&config))
		return 1;
	if (!read_options(&run, &config, argc, argv))
		return command_usage(command);
	if (!app_init(&run.app, &config))
		return 1;
	run.app.config.db_wait = 0; /* whoever has it open will have it open for long */
	return import(&run) ? 0 : 1;
}
