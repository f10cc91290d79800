/*
 * Stores as a stream: JSON Lines that describe themselves, of any store and for any other (docs/backup.md).
 *
 *	{"marca":"export","format":1,"version":...,"stores":[{"service":...,"schema":N,"tables":{...}}]}
 *	{"service":"booking","table":"bookings","row":{"tenant_id":"...","start_time":1764594000000000,...}}
 *	{"end":{"rows":N,"hash":"...","stores":[{"service":...,"rows":N,"hash":"...","tables":{...}}]}}
 *
 * The same rows give the same bytes, whichever store they come from. A time is a number of microseconds since
 * 1970, a JSON value the text of its canonical form. The hash (BLAKE2b, 32 bytes) is of all bytes before the
 * last line, a store's of its rows' lines.
 */
#ifndef APP_DUMP_H
#define APP_DUMP_H

#include "app/app.h"
#include "db/whole.h"

#include <sodium.h>
#include <stdio.h>

#define DUMP_FORMAT	1
#define DUMP_HASH_LEN	64 /* hexadecimal digits */
#define DUMP_TABLES_MAX 32 /* of a store */

/* Rows of a store that it may have: a check holds the migrations to it. */
struct dump_store {
	bool there;
	int schema;
	int64_t rows;
	int64_t tables[DUMP_TABLES_MAX]; /* rows, by the order of query_set.whole */
	char hash[DUMP_HASH_LEN + 1];
};

struct dump_summary {
	struct dump_store stores[ROOM_COUNT];
	int64_t rows, bytes;
};

/* Told of each row or line. False: stop, which is told as RC_INTERNAL. */
typedef bool dump_progress_fn(void *arg, int64_t rows, int64_t bytes);
struct dump_progress {
	dump_progress_fn *fn;
	void *arg;
};

/* --- dump_row.c: one row, whatever its table --------------------------------- */

struct json_t;
struct writer;

/* False: it cannot be written (a JSON value that is none). */
bool dump_row_write(struct writer *writer, const char *service, const struct table *table,
		    const void *row) MUST_USE;
/* A struct of the table's columns, in the arena. NULL: *ret_why. */
void *dump_row_read(struct arena *arena, const struct table *table, const struct json_t *row,
		    const char **ret_why) MUST_USE;

/* --- Of both: names and counts ------------------------------------------------- */

/* The room of that name, the embedded bus's too. */
bool dump_room(struct str name, enum room *ret) MUST_USE;
/* {"bookings":N,...}, of a store whose schema is this marca's. */
void dump_counts_write(struct writer *writer, enum room room, const struct dump_store *store);
bool dump_counts_read(struct dump_store *ret, enum room room, const struct json_t *tables) MUST_USE;
/* In hexadecimal digits. */
void dump_hash_begin(crypto_generichash_state *state);
void dump_hash_end(crypto_generichash_state *state, char ret[DUMP_HASH_LEN + 1]);

/* --- dump_write.c --------------------------------------------------------------- */

struct dump_writer {
	FILE *out; /* NULL: the bytes are counted and hashed only */
	const struct dump_progress *progress;
	struct dump_summary summary;
	crypto_generichash_state all, one;
	struct arena_pool pool;
};

/* The first line. Which stores come is in `rooms`, bits as in guest.h. */
enum rc dump_begin(struct dump_writer *writer, FILE *out, const struct dump_progress *progress,
		   unsigned rooms) MUST_USE;
/* The rows of one. */
enum rc dump_store(struct dump_writer *writer, enum room room, struct db_whole *whole) MUST_USE;
/* The last line; all is with the system then. */
enum rc dump_end(struct dump_writer *writer) MUST_USE;
/* Always. */
void dump_finish(struct dump_writer *writer);

/* --- dump_read.c ----------------------------------------------------------------- */

struct dump_reader {
	FILE *in;
	const char *name; /* for people */
	const struct dump_progress *progress;
	struct dump_summary summary; /* as the file's first and last line tell it */
	int64_t line, rows;
	char *text; /* the line at hand */
	size_t room, len;
	struct arena_pool pool;
};

/*
 * Reads to the end, and believes nothing: false, with the reason on standard error, when the file is cut,
 * changed, of another format, or followed by anything. Sets reader->summary.
 */
bool dump_verify(struct dump_reader *reader, FILE *in, const char *name,
		 const struct dump_progress *progress) MUST_USE;

/* Again from the start, row by row: fn gets each with its table. False, with the reason told, also when fn
 * returns false. */
typedef bool dump_row_fn(void *arg, enum room room, const struct table *table, const struct json_t *row,
			 const struct dump_reader *reader);
bool dump_rows(struct dump_reader *reader, dump_row_fn *fn, void *arg) MUST_USE;
void dump_reader_finish(struct dump_reader *reader);

/* "marca: NAME: line N: why" on standard error; false. */
bool dump_fault(const struct dump_reader *reader, const char *why);

#endif
