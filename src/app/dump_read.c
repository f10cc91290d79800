/* See dump.h. */
#include "app/dump.h"
#include "json/arena_json.h"
#include "json/tree.h"

#include <stdlib.h>

#define LINE_MAX_BYTES (64 * 1024 * 1024)

static const char end_mark[] = "{\"end\":";

bool dump_fault(const struct dump_reader *reader, const char *why)
{
	fprintf(stderr, "marca: %s: line %lld: %s\n", reader->name, (long long)reader->line, why);
	return false;
}

/* The next line with its newline. False at the end, or when it cannot be read: *ret_good. */
static bool next_line(struct dump_reader *reader, bool *ret_good)
{
	ssize_t len = getline(&reader->text, &reader->room, reader->in);

	*ret_good = len >= 0 || (feof(reader->in) != 0 && ferror(reader->in) == 0);
	if (!*ret_good)
		fprintf(stderr, "marca: %s cannot be read: %m\n", reader->name);
	if (len < 0)
		return false;
	reader->len = (size_t)len;
	reader->line++;
	if (len > LINE_MAX_BYTES)
		*ret_good = dump_fault(reader, "it is too long for a row of marca's");
	return *ret_good;
}

static struct json_t *parse(struct dump_reader *reader, struct arena *arena)
{
	const char *why;
	struct json_t *tree = arena_json_load(arena, (struct str){reader->text, reader->len}, &why);

	if (tree == NULL)
		dump_fault(reader, why);
	return tree;
}

/* --- Names ------------------------------------------------------------------------- */

bool dump_room(struct str name, enum room *ret)
{
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (!str_equal(name, str_from(app_queries[room]->name)))
			continue;
		*ret = (enum room)room;
		return true;
	}
	return false;
}

static const struct table *table_named(enum room room, struct str name)
{
	for (const struct table *table = app_queries[room]->whole; table->name != NULL; table++)
		if (str_equal(name, str_from(table->name)))
			return table;
	return NULL;
}

/* --- The first and the last line ------------------------------------------------------ */

static bool read_head(struct dump_reader *reader, const struct json_t *head)
{
	const struct json_t *stores = tree_want(head, "stores", TREE_LIST);
	int64_t format = 0, schema = 0;
	enum room room;

	if (!str_equal(tree_want_text(head, "marca"), STR("export")) ||
	    !tree_want_int(head, "format", &format) || stores == NULL)
		return dump_fault(reader, "this is not what `marca export` writes");
	if (format != DUMP_FORMAT)
		return dump_fault(reader, "its format is another marca's; use the one that wrote it");
	for (size_t i = 0; i < tree_count(stores); i++) {
		const struct json_t *store = tree_item(stores, i);

		if (!dump_room(tree_want_text(store, "service"), &room) ||
		    !tree_want_int(store, "schema", &schema))
			return dump_fault(reader, "it names a service that this marca does not have");
		reader->summary.stores[room].there = true;
		reader->summary.stores[room].schema = (int)schema;
	}
	return true;
}

bool dump_counts_read(struct dump_store *ret, enum room room, const struct json_t *tables)
{
	for (struct tree_walk walk = {0}; tables != NULL && tree_next(tables, &walk);) {
		const struct table *table = table_named(room, str_from(walk.name));

		if (table == NULL || tree_kind(walk.value) != TREE_INT)
			return false;
		ret->tables[table - app_queries[room]->whole] = tree_int(walk.value);
	}
	return tables != NULL;
}

static bool read_sums(struct dump_reader *reader, const struct json_t *stores)
{
	enum room room;

	for (size_t i = 0; i < tree_count(stores); i++) {
		const struct json_t *store = tree_item(stores, i);
		struct str hash = tree_want_text(store, "hash");
		struct dump_store *to;

		if (!dump_room(tree_want_text(store, "service"), &room) || hash.len != DUMP_HASH_LEN)
			return false;
		to = &reader->summary.stores[room];
		memcpy(to->hash, hash.p, hash.len);
		/* Tables that an older schema did not have are told by the schema's number. */
		if (!to->there || !tree_want_int(store, "rows", &to->rows) ||
		    (to->schema == (int)app_queries[room]->migration_count &&
		     !dump_counts_read(to, room, tree_want(store, "tables", TREE_OBJECT))))
			return false;
	}
	return true;
}

static bool read_end(struct dump_reader *reader, const struct json_t *line, const char *hash)
{
	const struct json_t *end = tree_want(line, "end", TREE_OBJECT),
			    *stores = tree_want(end, "stores", TREE_LIST);

	if (!str_equal(tree_want_text(end, "hash"), str_from(hash)))
		return dump_fault(reader, "the file is damaged, or was changed: its checksum is another");
	if (!tree_want_int(end, "rows", &reader->summary.rows) || stores == NULL ||
	    !read_sums(reader, stores))
		return dump_fault(reader, "its last line is not what `marca export` writes");
	return reader->summary.rows == reader->rows ||
	       dump_fault(reader, "it holds another number of rows than it says");
}

static bool with_tree(struct dump_reader *reader, const char *hash)
{
	struct json_t *tree;
	struct arena arena;
	bool good;

	arena_init(&arena, NULL);
	tree = parse(reader, &arena);
	good = tree != NULL && (hash != NULL ? read_end(reader, tree, hash) : read_head(reader, tree));
	arena_finish(&arena);
	return good;
}

/* --- All of it ---------------------------------------------------------------------- */

static bool is_end(const struct dump_reader *reader)
{
	return reader->len >= sizeof(end_mark) - 1 &&
	       memcmp(reader->text, end_mark, sizeof(end_mark) - 1) == 0;
}

static bool step(const struct dump_reader *reader)
{
	return reader->progress == NULL ||
	       reader->progress->fn(reader->progress->arg, 1, (int64_t)reader->len);
}

static bool verify_rows(struct dump_reader *reader, char hash[DUMP_HASH_LEN + 1])
{
	crypto_generichash_state state;
	bool good = true, more = true;

	dump_hash_begin(&state);
	do {
		crypto_generichash_update(&state, (const unsigned char *)reader->text, reader->len);
		more = good && next_line(reader, &good);
		if (more && !is_end(reader)) {
			reader->rows++;
			good = step(reader);
		}
	} while (more && good && !is_end(reader));
	dump_hash_end(&state, hash);
	if (good && !more)
		return dump_fault(reader, "the file was cut: its last line is missing");
	return good;
}

bool dump_verify(struct dump_reader *reader, FILE *in, const char *name, const struct dump_progress *progress)
{
	char hash[DUMP_HASH_LEN + 1];
	bool good;

	*reader = (struct dump_reader){.in = in, .name = name, .progress = progress};
	if (!next_line(reader, &good))
		return good ? dump_fault(reader, "the file is empty") : false;
	if (!with_tree(reader, NULL) || !verify_rows(reader, hash))
		return false;
	if (reader->text[reader->len - 1] != '\n')
		return dump_fault(reader, "the file was cut within its last line");
	if (!with_tree(reader, hash))
		return false;
	reader->summary.bytes = ftello(in);
	if (next_line(reader, &good))
		return dump_fault(reader, "something follows the file's last line");
	return good;
}

static bool give_row(struct dump_reader *reader, dump_row_fn *fn, void *arg)
{
	const struct table *table = NULL;
	const struct json_t *row;
	struct json_t *tree;
	struct arena arena;
	enum room room;
	bool good = false;

	arena_init(&arena, &reader->pool);
	tree = parse(reader, &arena);
	row = tree_want(tree, "row", TREE_OBJECT);
	if (row != NULL && dump_room(tree_want_text(tree, "service"), &room))
		table = table_named(room, tree_want_text(tree, "table"));
	if (table != NULL)
		good = fn(arg, room, table, row, reader) && step(reader);
	else if (tree != NULL)
		dump_fault(reader, "it is no row of a table that this marca has");
	arena_finish(&arena);
	return good;
}

bool dump_rows(struct dump_reader *reader, dump_row_fn *fn, void *arg)
{
	bool good;

	rewind(reader->in);
	reader->line = 0;
	if (!next_line(reader, &good))
		return false;
	while (next_line(reader, &good) && !is_end(reader))
		if (!give_row(reader, fn, arg))
			return false;
	return good;
}

void dump_reader_finish(struct dump_reader *reader)
{
	free(reader->text);
	reader->text = NULL;
	arena_pool_finish(&reader->pool);
}
