/* See loader.h. */
#include "app/loader.h"

/* What marca itself writes to the stores when it starts, before anybody has done anything. */
static const char *const of_a_start[] = {"stream_groups"};

static bool says_nothing(const struct table *table)
{
	for (size_t i = 0; i < ARRAY_LEN(of_a_start); i++)
		if (strcmp(table->name, of_a_start[i]) == 0)
			return true;
	return table->seeded;
}

enum rc loader_first_filled(struct db_whole *whole, const struct query_set *set, const struct table **ret)
{
	bool filled = false;
	enum rc rc = RC_OK;

	*ret = NULL;
	for (const struct table *table = set->whole; rc == RC_OK && table->name != NULL; table++) {
		if (says_nothing(table))
			continue;
		rc = db_whole_has_rows(whole, table, &filled);
		if (rc == RC_OK && filled) {
			*ret = table;
			break;
		}
	}
	return rc;
}

/* --- Beginning ------------------------------------------------------------------- */

/* Does the store hold just the rows of the dump? */
static enum rc holds_the_same(struct db_whole *whole, enum room room, const struct dump_store *store,
			      bool *ret)
{
	struct dump_writer writer;
	enum rc rc = dump_begin(&writer, NULL, NULL, 0);

	if (rc == RC_OK)
		rc = dump_store(&writer, room, whole);
	if (rc == RC_OK)
		*ret = strcmp(writer.summary.stores[room].hash, store->hash) == 0;
	dump_finish(&writer);
	return rc;
}

static bool refuse(const struct loader *loader, enum room room, const struct table *filled)
{
	char store[256];

	moving_store_text(loader->app, room, store, sizeof(store));
	fprintf(stderr,
		"marca: the %s store is not empty: %s has rows (%s).\n"
		"Nothing was changed. Name empty stores (--data, DATABASE_URL, %s_DATABASE_URL), or "
		"empty this one.\n",
		app_queries[room]->name, filled->name, store, app_queries[room]->name);
	return false;
}

static enum rc wipe(const struct loader *loader, enum room room)
{
	const struct table *first = app_queries[room]->whole, *table = first;
	enum rc rc = RC_OK;

	while (table->name != NULL)
		table++;
	/* A table refers to those before it: so it goes before them. */
	while (rc == RC_OK && table-- > first)
		rc = db_whole_wipe(loader->wholes[room], table);
	return rc;
}

static bool begin_one(struct loader *loader, enum room room, const struct dump_store *store)
{
	const struct query_set *set = app_queries[room];
	const struct table *filled = NULL;
	bool same = false;
	enum rc rc = db_whole_begin(loader->app->dbs[room], WHOLE_WRITE, &loader->wholes[room]);

	if (rc == RC_OK)
		rc = loader_first_filled(loader->wholes[room], set, &filled);
	if (rc == RC_OK && filled != NULL)
		rc = holds_the_same(loader->wholes[room], room, store, &same);
	if (rc == RC_OK && same) {
		fprintf(stderr, "the %s store holds these rows already\n", set->name);
		loader->skip[room] = true;
		return true;
	}
	if (rc == RC_OK && filled != NULL && !loader->replace)
		return refuse(loader, room, filled);
	if (rc == RC_OK)
		rc = wipe(loader, room);
	if (rc != RC_OK)
		fprintf(stderr, "marca: the %s store cannot be filled: %s\n", set->name,
			error_table[rc].text[LANG_EN]);
	return rc == RC_OK;
}

bool loader_begin(struct loader *loader, struct app *app, const struct dump_summary *dump, bool replace)
{
	bool good = true;

	*loader = (struct loader){.app = app, .replace = replace};
	arena_init(&loader->arena, &loader->pool);
	for (size_t i = 0; good && i < ROOM_COUNT; i++) {
		enum room room = moving_order[i];

		loader->skip[room] = app->dbs[room] == NULL;
		if (dump->stores[room].there && app->dbs[room] != NULL)
			good = begin_one(loader, room, &dump->stores[room]);
	}
	return good;
}

/* --- Rows -------------------------------------------------------------------------- */

static bool put_waiting(struct loader *loader)
{
	enum rc rc;

	if (loader->count == 0)
		return true;
	rc = db_whole_put(loader->wholes[loader->room], loader->table, loader->rows, loader->count);
	if (rc != RC_OK)
		fprintf(stderr, "marca: the %s store takes no rows of %s: %s\n",
			app_queries[loader->room]->name, loader->table->name,
			rc == RC_STORE_CONSTRAINT ? "one is there twice, or refers to one that is not"
						  : error_table[rc].text[LANG_EN]);
	loader->count = 0;
	arena_finish(&loader->arena);
	arena_init(&loader->arena, &loader->pool);
	return rc == RC_OK;
}

bool loader_row(void *arg, enum room room, const struct table *table, const struct json_t *row,
		const struct dump_reader *reader)
{
	struct loader *loader = arg;
	const char *why;
	void *made;

	if (loader->skip[room])
		return true;
	if (loader->wholes[room] == NULL)
		return dump_fault(reader, "it is of a store that the first line does not name");
	if ((loader->table != table || loader->count == LOADER_ROWS) && !put_waiting(loader))
		return false;
	made = dump_row_read(&loader->arena, table, row, &why);
	if (made == NULL)
		return dump_fault(reader, why != NULL ? why : "no memory");
	loader->room = room;
	loader->table = table;
	loader->rows[loader->count++] = made;
	return true;
}

/* --- The end ------------------------------------------------------------------------- */

/* What a store would find wrong at its commit is found before the first commit. */
static bool check_all(const struct loader *loader)
{
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (loader->wholes[room] == NULL || db_whole_check(loader->wholes[room], false) == RC_OK)
			continue;
		fprintf(stderr, "marca: the %s store takes no such rows: see above\n",
			app_queries[room]->name);
		return false;
	}
	return true;
}

bool loader_keep(struct loader *loader)
{
	bool any = false;

	if (!put_waiting(loader) || !check_all(loader) || moving_stopped())
		return false;
	for (size_t i = 0; i < ROOM_COUNT; i++) {
		enum room room = moving_order[i];
		enum rc rc;

		if (loader->wholes[room] == NULL)
			continue;
		rc = db_whole_end(loader->wholes[room], !loader->skip[room]);
		loader->wholes[room] = NULL;
		if (rc != RC_OK) {
			fprintf(stderr, "marca: the %s store could not be filled: %s.%s\n",
				app_queries[room]->name, error_table[rc].text[LANG_EN],
				any ? " Those before it are: mend that, and run the same command again; it "
				      "goes on where it ended."
				    : "");
			return false;
		}
		any = true;
	}
	return true;
}

void loader_finish(struct loader *loader)
{
	for (size_t room = 0; room < ROOM_COUNT; room++)
		if (loader->wholes[room] != NULL)
			(void)!db_whole_end(loader->wholes[room], false);
	arena_finish(&loader->arena);
	arena_pool_finish(&loader->pool);
}
