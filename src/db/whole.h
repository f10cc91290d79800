/*
 * A store as a whole, in one transaction: its tables as they are at one instant, or filled anew. For an
 * operator's commands, on any thread and not on a fiber; one at a time of a store.
 */
#ifndef DB_WHOLE_H
#define DB_WHOLE_H

#include "db/db.h"

struct db_whole;

/* Of db_open(). WHOLE_WRITE is for an owner, not a guest. */
enum whole_use { WHOLE_READ, WHOLE_WRITE };

/* Connects, and looks at nothing yet. */
enum rc db_whole_open(struct db *db, struct db_whole **ret) MUST_USE;
/*
 * Until the release no event of the store is given a number, and so none is published; SQLite commits nothing
 * at all. For the moment in which several stores are looked at, so that none of them knows of an event which
 * the one that it came from does not have.
 */
enum rc db_whole_hold(struct db_whole *whole) MUST_USE;
void db_whole_release(struct db_whole *whole);
/* From here on, WHOLE_READ sees nothing of what others commit. */
enum rc db_whole_start(struct db_whole *whole, enum whole_use use) MUST_USE;
/* Opens and starts. */
enum rc db_whole_begin(struct db *db, enum whole_use use, struct db_whole **ret) MUST_USE;
/* `keep`: the commit, durable when this is RC_OK. Else nothing of it is kept. */
enum rc db_whole_end(struct db_whole *whole, bool keep) MUST_USE;

/* fn for each row (a struct of table->all's out), which lives as long as the call. What it returns but RC_OK
 * ends the scan, and is returned; then only db_whole_end() may follow. */
typedef enum rc db_row_fn(void *arg, const struct table *table, const void *row);
enum rc db_whole_scan(struct db_whole *whole, const struct table *table, db_row_fn *fn, void *arg) MUST_USE;

/* RC_STORE_CONSTRAINT: some row is refused; nothing can be kept from then on. */
enum rc db_whole_put(struct db_whole *whole, const struct table *table, const void *const *rows,
		     size_t count) MUST_USE;
enum rc db_whole_wipe(struct db_whole *whole, const struct table *table) MUST_USE;

/* Has it any row? */
enum rc db_whole_has_rows(struct db_whole *whole, const struct table *table, bool *ret) MUST_USE;

/*
 * SQLite only (else RC_INTERNAL): the file as WHOLE_READ sees it, page by page, to a new file, which is
 * durable when this is RC_OK (but for its name in the folder). `progress` is told how much has been copied; a
 * return of false stops it (RC_INTERNAL).
 */
typedef bool db_copy_fn(void *arg, int64_t bytes, int64_t of);
enum rc db_whole_copy(struct db_whole *whole, const char *path, db_copy_fn *progress, void *arg) MUST_USE;

/*
 * SQLite only (else RC_INTERNAL), of an owner: the file at `path`, a store that was closed, is moved to where
 * this store's is, with one step and durably. Nobody else can open the store meanwhile. Afterwards `db` can
 * only be closed.
 */
enum rc db_replace_file(struct db *db, const char *path) MUST_USE;

/* No row misses the one it refers to, so that a commit will not fail of that; `deep`: and the file of an
 * embedded store is well-formed. RC_INTERNAL, and the log says what is not. */
enum rc db_whole_check(struct db_whole *whole, bool deep) MUST_USE;

#endif
