/* See dump.h. */
#include "app/dump.h"
#include "json/write.h"

#define LINE_ROOM 1024

static const char *const kind_words[] = {
	[DB_UUID] = "uuid", [DB_TIME] = "time", [DB_INT] = "int",
	[DB_BOOL] = "bool", [DB_TEXT] = "text", [DB_JSON] = "json",
};

/* A line that goes out; not of the rows alone. */
static enum rc put_line(struct dump_writer *writer, struct str line)
{
	crypto_generichash_update(&writer->all, (const unsigned char *)line.p, line.len);
	writer->summary.bytes += (int64_t)line.len;
	if (writer->out != NULL && fwrite(line.p, 1, line.len, writer->out) != line.len) {
		fprintf(stderr, "marca: cannot write: %m\n");
		return RC_INTERNAL;
	}
	return RC_OK;
}

static enum rc put_written(struct dump_writer *writer, const struct writer *w)
{
	return w->failed ? RC_NO_MEMORY : put_line(writer, (struct str){w->buf, w->len});
}

/* {"id":"uuid","notes":"text?"} */
static void describe_table(struct writer *w, const struct table *table)
{
	write_text(w, str_from(table->name));
	write_raw(w, STR(":{"));
	for (size_t i = 0; i < table->all->out_count; i++) {
		const struct column *column = &table->all->out[i];

		write_raw(w, i > 0 ? STR(",") : STR(""));
		write_text(w, str_from(column->name));
		write_format(w, ":\"%s%s\"", kind_words[column->kind], column->nullable ? "?" : "");
	}
	write_char(w, '}');
}

static void describe_store(struct writer *w, const struct query_set *set)
{
	write_format(w, "{\"service\":\"%s\",\"schema\":%zu,\"tables\":{", set->name, set->migration_count);
	for (const struct table *table = set->whole; table->name != NULL; table++) {
		write_raw(w, table > set->whole ? STR(",") : STR(""));
		describe_table(w, table);
	}
	write_raw(w, STR("}}"));
}

enum rc dump_begin(struct dump_writer *writer, FILE *out, const struct dump_progress *progress,
		   unsigned rooms)
{
	const char *comma = "";
	struct arena arena;
	struct writer w;
	enum rc rc;

	*writer = (struct dump_writer){.out = out, .progress = progress};
	dump_hash_begin(&writer->all);
	arena_init(&arena, NULL);
	writer_init(&w, &arena, 16384);
	write_format(&w, "{\"marca\":\"export\",\"format\":%d,\"version\":\"%s\",\"stores\":[", DUMP_FORMAT,
		     MARCA_VERSION);
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if ((rooms & 1u << room) == 0)
			continue;
		write_raw(&w, str_from(comma));
		describe_store(&w, app_queries[room]);
		comma = ",";
	}
	write_raw(&w, STR("]}\n"));
	rc = put_written(writer, &w);
	arena_finish(&arena);
	return rc;
}

/* --- Rows ------------------------------------------------------------------------ */

struct scan {
	struct dump_writer *writer;
	const char *service;
	int64_t *table_rows;
};

static enum rc put_row(void *arg, const struct table *table, const void *row)
{
	const struct scan *scan = arg;
	struct dump_writer *writer = scan->writer;
	struct arena arena;
	struct writer w;
	enum rc rc;

	arena_init(&arena, &writer->pool);
	writer_init(&w, &arena, LINE_ROOM);
	if (!dump_row_write(&w, scan->service, table, row)) {
		fprintf(stderr, "marca: a row of %s.%s cannot be written: it holds what is no JSON\n",
			scan->service, table->name);
		rc = RC_INTERNAL;
	} else {
		crypto_generichash_update(&writer->one, (const unsigned char *)w.buf, w.len);
		rc = put_written(writer, &w);
		++*scan->table_rows;
		if (rc == RC_OK && writer->progress != NULL &&
		    !writer->progress->fn(writer->progress->arg, 1, (int64_t)w.len))
			rc = RC_INTERNAL;
	}
	arena_finish(&arena);
	return rc;
}

void dump_hash_begin(crypto_generichash_state *state)
{
	crypto_generichash_init(state, NULL, 0, DUMP_HASH_LEN / 2);
}

void dump_hash_end(crypto_generichash_state *state, char ret[DUMP_HASH_LEN + 1])
{
	unsigned char hash[DUMP_HASH_LEN / 2];

	crypto_generichash_final(state, hash, sizeof(hash));
	sodium_bin2hex(ret, DUMP_HASH_LEN + 1, hash, sizeof(hash));
}

enum rc dump_store(struct dump_writer *writer, enum room room, struct db_whole *whole)
{
	const struct query_set *set = app_queries[room];
	struct dump_store *store = &writer->summary.stores[room];
	enum rc rc = RC_OK;

	dump_hash_begin(&writer->one);
	store->there = true;
	store->schema = (int)set->migration_count;
	for (size_t i = 0; rc == RC_OK && set->whole[i].name != NULL; i++) {
		struct scan scan = {.writer = writer, .service = set->name, .table_rows = &store->tables[i]};

		rc = db_whole_scan(whole, &set->whole[i], put_row, &scan);
		store->rows += store->tables[i];
	}
	writer->summary.rows += store->rows;
	dump_hash_end(&writer->one, store->hash);
	return rc;
}

/* --- The end ----------------------------------------------------------------------- */

void dump_counts_write(struct writer *w, enum room room, const struct dump_store *store)
{
	const struct table *tables = app_queries[room]->whole;

	write_char(w, '{');
	for (size_t i = 0; tables[i].name != NULL; i++)
		write_format(w, "%s\"%s\":%lld", i > 0 ? "," : "", tables[i].name,
			     (long long)store->tables[i]);
	write_char(w, '}');
}

static void sum_up(struct writer *w, enum room room, const struct dump_store *store)
{
	write_format(w,
		     "{\"service\":\"%s\",\"rows\":%lld,\"hash\":\"%s\",\"tables\":", app_queries[room]->name,
		     (long long)store->rows, store->hash);
	dump_counts_write(w, room, store);
	write_char(w, '}');
}

enum rc dump_end(struct dump_writer *writer)
{
	const char *comma = "";
	char hash[DUMP_HASH_LEN + 1];
	struct arena arena;
	struct writer w;
	enum rc rc;

	dump_hash_end(&writer->all, hash);
	arena_init(&arena, NULL);
	writer_init(&w, &arena, 8192);
	write_format(&w, "{\"end\":{\"rows\":%lld,\"hash\":\"%s\",\"stores\":[",
		     (long long)writer->summary.rows, hash);
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (!writer->summary.stores[room].there)
			continue;
		write_raw(&w, str_from(comma));
		sum_up(&w, (enum room)room, &writer->summary.stores[room]);
		comma = ",";
	}
	write_raw(&w, STR("]}}\n"));
	rc = put_written(writer, &w);
	if (rc == RC_OK && writer->out != NULL && fflush(writer->out) != 0) {
		fprintf(stderr, "marca: cannot write: %m\n");
		rc = RC_INTERNAL;
	}
	arena_finish(&arena);
	return rc;
}

void dump_finish(struct dump_writer *writer)
{
	arena_pool_finish(&writer->pool);
}
