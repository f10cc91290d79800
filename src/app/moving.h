/* What export, import, backup and restore share: the order of the stores, progress, files, Ctrl-C. */
#ifndef APP_MOVING_H
#define APP_MOVING_H

#include "app/dump.h"

/*
 * The order in which stores are looked at, within some milliseconds. The bus comes first: nothing is
 * acknowledged in it whose effect the stores after it do not have. Then the audit trail, which only listens.
 * Then whoever refers before whom it refers to: bookings, resources, users, tenants; so no booking is of a
 * user who is not there. What is committed between two looks is an event that waits to be published, for
 * meanwhile none is (db_whole_hold()): so no store has had the effect of an event that the one it came from
 * does not have.
 */
extern const enum room moving_order[ROOM_COUNT];

/* --- Progress, and the end by a signal ------------------------------------------ */

struct progress {
	const struct world *world;
	const char *what; /* "exported" */
	bool shows;	  /* somebody watches standard error */
	utime began, shown;
	int64_t rows, bytes, of; /* of: bytes in all, where that is known; else 0 */
	int ticks;
};

void progress_begin(struct progress *progress, const struct world *world, const char *what);
/* A dump_progress_fn: adds to it. False when a signal has asked to stop. */
bool progress_add(void *progress, int64_t rows, int64_t bytes);
/* A db_copy_fn: of one file. */
bool progress_copy(void *progress, int64_t bytes, int64_t of);
/* The line is taken away. */
void progress_end(struct progress *progress);

/* "12.3 MB" */
struct size_text {
	char text[24];
};
struct size_text size_text(int64_t bytes);

/* From here on SIGINT and SIGTERM are noted, and the work ends where it does no harm; a second one kills. */
void moving_catch_signals(void);
/* Says so on standard error, once it is asked for. */
bool moving_stopped(void);

/* --- Files ------------------------------------------------------------------------ */

/* A path put together. False, and said: too long. */
#define MOVING_PATH_MAX 4096
bool moving_path(char ret[MOVING_PATH_MAX], const char *format, ...) MUST_USE PRINTF_LIKE(2, 3);

/*
 * A file that appears under its name only when it is whole. For nobody else to read. The functions say on
 * standard error what went wrong.
 */
struct new_file {
	FILE *file;
	char path[MOVING_PATH_MAX], part[MOVING_PATH_MAX];
};
bool new_file_open(struct new_file *ret, const char *path) MUST_USE;
/* Durable, under its name. */
bool new_file_keep(struct new_file *file) MUST_USE;
/* Takes away what was not kept. */
void new_file_drop(struct new_file *file);

/* Its names are durable. */
bool moving_sync_folder(const char *path) MUST_USE;
/* Of the folder that holds that file. */
bool moving_sync_parent(const char *path) MUST_USE;

/* In TMPDIR, or /var/tmp: a name for mkstemp() and mkdtemp(); a file without one, which goes with the
 * process (NULL: said why). */
bool moving_temporary(char ret[MOVING_PATH_MAX]) MUST_USE;
FILE *moving_spool(void) MUST_USE;

/* A stream that can be read twice: standard input ("-") goes to a file without a name first. NULL: said why.
 */
FILE *moving_open(const char *path) MUST_USE;

/* --- Stores -------------------------------------------------------------------------- */

/* False, and said: the store's schema is another marca's. That one may run beside this, but has columns that
 * this one does not know and would leave out. */
bool moving_knows_schema(const struct app *app, enum room room) MUST_USE;

/* Looks at all stores that are open, before a row of the first is read. moving_look_end() takes what a
 * failure left. */
enum rc moving_look(const struct app *app, struct db_whole *ret[ROOM_COUNT]) MUST_USE;
void moving_look_end(struct db_whole *wholes[ROOM_COUNT]);

/* The file, or a database's host and name, without what is secret. */
void moving_store_text(const struct app *app, enum room room, char *ret, size_t size);

#endif
