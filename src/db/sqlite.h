/*
 * Between sqlite.c (the store, its one writer, its readers), sqlite_query.c (one query on one connection),
 * sqlite_vfs.c (how the log is written), sqlite_copier.c and sqlite_paced.c (how it comes into the database),
 * sqlite_map.c (how the database is read), sqlite_session.c (migrations) and sqlite_whole.c (whole tables and
 * files).
 */
#ifndef DB_SQLITE_H
#define DB_SQLITE_H

#include "db/driver.h"

#include <sqlite3.h>

/* A prepared query. SQLite takes $2 for a name: params[i] is its number for input i, 0 when it does not use
 * it. */
struct sqlite_query {
	sqlite3_stmt *stmt;
	int *params;
};

struct sqlite_conn {
	sqlite3 *db;
	struct sqlite_query *cache; /* by the queries' index */
	size_t count;
};

/* --- sqlite.c --------------------------------------------------------------- */

enum copier_state {
	COPIER_RESTS,
	COPIER_COPIES,
	COPIER_COPIED, /* not looked at yet */
	COPIER_SYNCS,  /* the log alone */
	COPIER_ENDS,
};

/* Who copies the log. But for `state` and `haste` all is the writer's while it rests, and the thread's while
 * it works.
 */
struct sqlite_copier {
	sqlite3 *db; /* NULL: there is no thread yet */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum copier_state state;
	atomic_int haste; /* how many passes in a row were slower than the writer */
	int copied;	  /* as log_copied */
};

struct sqlite_store {
	const char *path; /* of the database, in the url */
	size_t queries;
	bool guest;
	bool relaxed; /* commits do not sync the log */
	int lock_fd;
	int map_fd; /* of the database, for its readers; closed last, since that ends SQLite's own locks on it
		     */
	struct sqlite_conn writer;
	pthread_mutex_t writing; /* held by the committer for a group, by a session for its life */
	/* Frames of the log: those that there are, those that the database has, those that there were when
	 * last it was to be copied, or synced. 0 once it has begun anew. The first is read by the copier too.
	 */
	atomic_int log_frames;
	int log_copied, log_asked, log_synced;
	struct sqlite_copier copier;
	atomic_bool ailing;	  /* the last group was lost */
	atomic_bool unsynced;	  /* so the log must stay as it is */
	_Atomic uint64_t commits; /* moves before anyone is told of one */
};

enum rc sqlite_exec(struct sqlite_conn *conn, const char *sql) MUST_USE;
void sqlite_conn_close(struct sqlite_conn *conn);

/* What the bytes of the lock file stand for. */
enum lock_byte {
	LOCK_OWNER, /* taken by the owner for its life */
	LOCK_GUEST, /* shared by guests while they write; taken by the owner while it checkpoints */
};
/* F_RDLCK, F_WRLCK or F_UNLCK. Of the store's open file, so that it ends when that is closed, or its process
 * has. */
bool sqlite_lock_byte(const struct sqlite_store *store, enum lock_byte byte, short type, bool wait) MUST_USE;

/* --- sqlite_session.c: see driver.h ----------------------------------------- */

enum rc sqlite_session_open(struct db *db, struct session **ret) MUST_USE;
void sqlite_session_close(struct session *session);
enum rc sqlite_session_exec(struct session *session, const char *sql) MUST_USE;
enum rc sqlite_session_commit(struct session *session) MUST_USE;
enum rc sqlite_session_query(struct session *session, const struct query *query, const void *in,
			     struct arena *arena, struct rows *ret) MUST_USE;
enum rc sqlite_session_prepare(struct session *session, const struct query *query) MUST_USE;
enum rc sqlite_session_scan(struct session *session, const struct query *query,
			    const struct row_sink *sink) MUST_USE;
enum rc sqlite_session_each(struct session *session, const struct query *query, const void *const *in,
			    size_t count) MUST_USE;
enum rc sqlite_session_copy(struct session *session, const char *path, db_copy_fn *progress,
			    void *arg) MUST_USE;
enum rc sqlite_session_check(struct session *session, bool deep) MUST_USE;
enum rc sqlite_scratch_open(struct db *db, struct session **ret) MUST_USE;
void sqlite_scratch_close(struct session *session);

/* --- sqlite_copier.c -------------------------------------------------------- */

void sqlite_copier_init(struct sqlite_copier *copier);
/* Waits for a copy that is under way. */
void sqlite_copier_finish(struct sqlite_copier *copier);
/* By the writer between two transactions, who holds `writing`: has the log copied when `least` frames or more
 * have come, and sees to what the last copy has left. */
void sqlite_copy_log(struct sqlite_store *store, int least);

/* --- sqlite_paced.c --------------------------------------------------------- */

/* The VFS for who copies. NULL, which is SQLite's own, without memory. */
const char *sqlite_paced_vfs(void);
/* Before each pass: what this connection writes into the database is synced every few pages, by how much the
 * store writes meanwhile and by its copier's haste, if it was opened by that VFS. */
void sqlite_pace(sqlite3 *db, const struct sqlite_store *store);

/* --- sqlite_vfs.c ----------------------------------------------------------- */

typedef int sqlite_open_fn(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags);

/* Once: makes `shim`, which is static, a VFS of that name, like SQLite's own but for how a file is opened and
 * `more` bytes behind each in memory. SQLite's own; NULL without memory. */
sqlite3_vfs *sqlite_shim(sqlite3_vfs *shim, const char *name, size_t more, sqlite_open_fn *open);

/* The VFS for a writer. NULL, which is SQLite's own, for one without synchronous=FULL, or without memory. */
const char *sqlite_vfs(bool relaxed);
/* From now on what a commit of this connection writes to its log is gathered, if it was opened by that VFS.
 */
void sqlite_gather(sqlite3 *db);

/* --- sqlite_map.c ----------------------------------------------------------- */

struct sqlite_map;

/* The VFS for a reader. NULL: without memory. From its first call on the process has a handler for SIGBUS. */
const char *sqlite_map_vfs(void);
/* Maps the database from now on, if it was opened by that VFS (else: NULL) and has an mmap_size. `fd`, of the
 * same file, outlives the connection. */
struct sqlite_map *sqlite_map_of(sqlite3 *db, int fd);
/* Around each read, on its thread; NULL is fine. False: the disk could not give a page, so nothing of what
 * was read counts, nor anything that the connection keeps: it is to be closed. */
void sqlite_map_begin(struct sqlite_map *map);
bool sqlite_map_end(void) MUST_USE;

/* --- sqlite_query.c --------------------------------------------------------- */

/* The connection's last failure as an rc. What is not the caller's doing goes to the log. */
enum rc sqlite_failed(const struct sqlite_conn *conn, const char *what);

enum rc sqlite_prepare(struct sqlite_conn *conn, const struct query *query,
		       struct sqlite_query *ret) MUST_USE;
void sqlite_unprepare(struct sqlite_query *prepared);

/* Through the cache. */
enum rc sqlite_run(struct sqlite_conn *conn, const struct query *query, const void *in, struct arena *arena,
		   struct rows *ret) MUST_USE;
enum rc sqlite_run_prepared(struct sqlite_conn *conn, const struct sqlite_query *prepared,
			    const struct query *query, const void *in, struct arena *arena,
			    struct rows *ret) MUST_USE;

/* The row at which the statement stands, into a zeroed out struct. */
enum rc sqlite_take_row(const struct query *query, sqlite3_stmt *stmt, struct arena *arena,
			void *row) MUST_USE;
/* False: the connection's last failure says why. */
bool sqlite_bind(const struct sqlite_query *prepared, const struct query *query, const void *in) MUST_USE;

/* --- sqlite_whole.c: see whole.h ------------------------------------------ */

/* On a connection of its own, and writes nothing. */
enum rc sqlite_hold(const char *path, void **ret) MUST_USE;
void sqlite_release(void *held);
enum rc sqlite_scan(struct sqlite_conn *conn, const struct query *query,
		    const struct row_sink *sink) MUST_USE;
enum rc sqlite_each(struct sqlite_conn *conn, const struct query *query, const void *const *in,
		    size_t count) MUST_USE;
enum rc sqlite_copy(struct sqlite_conn *conn, const char *path, db_copy_fn *progress, void *arg) MUST_USE;
/* The database `from`, which nobody has open, in the place of `to`, which no writer has open. */
enum rc sqlite_swap_files(const char *from, const char *to) MUST_USE;
enum rc sqlite_integrity(struct sqlite_conn *conn) MUST_USE;

#endif
