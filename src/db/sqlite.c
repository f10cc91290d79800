/*
 * The embedded store. One connection is the only writer, one thread copies its log into the database, and
 * each thread reads on a connection of its own. A lock on a file beside the database keeps a second marca
 * process away. A guest (an operator's command) reads and writes beside the owner, but never checkpoints, and
 * never writes while the owner does that.
 */
#include "db/sqlite.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define URL_PREFIX	"sqlite:"
#define BUSY_TIMEOUT_MS 5000

/* Frames (pages of 4 KiB) that the log has and the database has not. */
#define LOG_WHEN_IDLE  1000 /* copied into the database when no script waits */
#define LOG_WHEN_BUSY  3000 /* copied even then */
#define LOG_KEEP_BYTES "67108864"

/* LIKE tells capitals from small letters, as PostgreSQL's does. */
static const char writer_setup[] = "PRAGMA journal_mode = WAL;"
				   "PRAGMA synchronous = FULL;"
				   "PRAGMA foreign_keys = ON;"
				   "PRAGMA trusted_schema = OFF;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA case_sensitive_like = ON;"
				   "PRAGMA cache_size = -16384;"
				   "PRAGMA journal_size_limit = " LOG_KEEP_BYTES ";";

static const char relaxed_setup[] = "PRAGMA synchronous = NORMAL;"; /* in place of FULL */

static const char reader_setup[] = "PRAGMA query_only = ON;"
				   "PRAGMA trusted_schema = OFF;"
				   "PRAGMA temp_store = MEMORY;"
				   "PRAGMA case_sensitive_like = ON;"
				   "PRAGMA mmap_size = 1;" /* any: sqlite_map.c maps it whole */
				   "PRAGMA cache_size = -32768;";

/*
 * One thread's way in. Its reads share a transaction until it rests or something is committed: to begin and
 * end one takes three system calls, as much time as a short query.
 */
struct port {
	struct sqlite_conn conn;
	struct sqlite_map *map; /* NULL: none */
	struct sqlite_store *store;
	sqlite3_stmt *begin, *end;
	uint64_t commits; /* the store's when the transaction began */
};

/* --- Connections --------------------------------------------------------- */

void sqlite_conn_close(struct sqlite_conn *conn)
{
	for (size_t i = 0; conn->cache != NULL && i < conn->count; i++)
		sqlite_unprepare(&conn->cache[i]);
	free(conn->cache);
	sqlite3_close(conn->db);
	*conn = (struct sqlite_conn){NULL};
}

enum rc sqlite_exec(struct sqlite_conn *conn, const char *sql)
{
	return sqlite3_exec(conn->db, sql, NULL, NULL, NULL) == SQLITE_OK ? RC_OK : sqlite_failed(conn, sql);
}

static enum rc conn_set_up(struct sqlite_conn *conn, const char *setup)
{
	sqlite3_busy_timeout(conn->db, BUSY_TIMEOUT_MS);
	sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	/* A name within "" that does not exist is an error, not a text. */
	sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	sqlite3_db_config(conn->db, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	return sqlite_exec(conn, setup);
}

static enum rc conn_open(struct sqlite_conn *conn, const struct sqlite_store *store, const char *vfs,
			 const char *setup)
{
	enum rc rc;
	int code;

	conn->count = store->queries;
	conn->cache = calloc(conn->count + 1, sizeof(conn->cache[0]));
	if (conn->cache == NULL)
		return RC_NO_MEMORY;
	code = sqlite3_open_v2(store->path, &conn->db,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
				       (store->guest ? 0 : SQLITE_OPEN_CREATE),
			       vfs);
	if (conn->db == NULL)
		rc = RC_NO_MEMORY;
	else
		rc = code == SQLITE_OK ? conn_set_up(conn, setup) : sqlite_failed(conn, store->path);
	if (rc != RC_OK)
		sqlite_conn_close(conn);
	return rc;
}

/* --- The store ----------------------------------------------------------- */

bool sqlite_lock_byte(const struct sqlite_store *store, enum lock_byte byte, short type, bool wait)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	return fcntl(store->lock_fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock) == 0;
}

static enum rc open_lock(struct sqlite_store *store)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s.lock", store->path);

	if (len >= (int)sizeof(path)) {
		LOG(ERROR, "the database's path is too long");
		return RC_INTERNAL;
	}
	store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (store->lock_fd >= 0)
		return RC_OK;
	LOG(ERROR, "cannot open the database's lock file", LOG_TEXT("file", path),
	    LOG_TEXT("why", strerrorname_np(errno)));
	return RC_STORE_DOWN;
}

static enum rc lock_file(struct sqlite_store *store)
{
	enum rc rc;

	if (store->guest && access(store->path, F_OK) != 0) {
		LOG(ERROR, "there is no such database", LOG_TEXT("file", store->path));
		return RC_STORE_DOWN;
	}
	rc = open_lock(store);
	if (rc != RC_OK)
		return rc;
	if (store->guest || sqlite_lock_byte(store, LOCK_OWNER, F_WRLCK, false))
		return RC_OK;
	LOG(ERROR, "another marca process has this database open", LOG_TEXT("file", store->path));
	return RC_STORE_DOWN;
}

static int on_log(void *arg, sqlite3 *db, const char *schema, int frames)
{
	struct sqlite_store *store = arg;

	(void)db;
	(void)schema;
	/* It began anew. Where its first commit is as long as all that there was, that is not seen: then
	 * copies come later, or bring more. */
	if (frames < store->log_frames)
		store->log_copied = store->log_asked = store->log_synced = 0;
	store->log_frames = frames;
	return SQLITE_OK;
}

/* Or the last who closes would copy it and delete it. */
static void keep_log(const struct sqlite_conn *conn)
{
	sqlite3_db_config(conn->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
}

static void store_free(struct sqlite_store *store)
{
	sqlite_copier_finish(&store->copier);
	if (atomic_load(&store->unsynced))
		keep_log(&store->writer);
	sqlite_conn_close(&store->writer);
	/* Closing unlocks; the file stays, since another process may have it open to lock it. */
	if (store->lock_fd >= 0)
		close(store->lock_fd);
	if (store->map_fd >= 0)
		close(store->map_fd);
	pthread_mutex_destroy(&store->writing);
	free(store);
}

static enum rc open_map(struct sqlite_store *store)
{
	store->map_fd = open(store->path, O_RDONLY | O_CLOEXEC);
	if (store->map_fd >= 0)
		return RC_OK;
	LOG(ERROR, "cannot open the database once more", LOG_TEXT("file", store->path),
	    LOG_TEXT("why", strerrorname_np(errno)));
	return RC_STORE_DOWN;
}

static enum rc sqlite_open(struct db *db)
{
	struct sqlite_store *store = calloc(1, sizeof(*store));
	enum rc rc;

	if (store == NULL)
		return RC_NO_MEMORY;
	/* Heeded once. Nobody asks how much memory SQLite holds, and to count it takes a lock at each
	 * allocation; and each connection would begin with room for 20 pages, used or not. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	store->path = db->options.url + strlen(URL_PREFIX);
	store->queries = db->set->count + 1; /* and db->schema */
	store->guest = db->options.guest;
	store->relaxed = db->options.relaxed;
	store->lock_fd = store->map_fd = -1;
	pthread_mutex_init(&store->writing, NULL);
	sqlite_copier_init(&store->copier);
	rc = lock_file(store);
	if (rc == RC_OK)
		rc = conn_open(&store->writer, store, sqlite_vfs(store->relaxed), writer_setup);
	if (rc == RC_OK && store->guest)
		keep_log(&store->writer);
	if (rc == RC_OK && store->relaxed)
		rc = sqlite_exec(&store->writer, relaxed_setup);
	if (rc == RC_OK)
		rc = open_map(store);
	if (rc != RC_OK) {
		store_free(store);
		return rc;
	}
	sqlite3_wal_hook(store->writer.db, on_log, store);
	sqlite_gather(store->writer.db);
	db->store = store;
	db_add_writer(db, store);
	return RC_OK;
}

static void sqlite_close(struct db *db)
{
	store_free(db->store);
}

static enum rc sqlite_ping(struct db *db)
{
	struct sqlite_store *store = db->store;

	return atomic_load(&store->ailing) || atomic_load(&store->unsynced) ? RC_STORE_DOWN : RC_OK;
}

/* --- Reading ------------------------------------------------------------- */

static void step(struct sqlite_conn *conn, sqlite3_stmt *stmt)
{
	if (sqlite3_step(stmt) != SQLITE_DONE)
		LOG(WARN, "a reading transaction failed", LOG_TEXT("said", sqlite3_errmsg(conn->db)));
	sqlite3_reset(stmt);
}

static void sqlite_port_rest(void *arg)
{
	struct port *port = arg;

	if (port->conn.db != NULL && !sqlite3_get_autocommit(port->conn.db))
		step(&port->conn, port->end);
}

/* In a transaction that shows all that is committed by now. */
static void look(struct port *port)
{
	uint64_t commits = atomic_load(&port->store->commits);

	if (!sqlite3_get_autocommit(port->conn.db) && port->commits == commits)
		return;
	sqlite_port_rest(port);
	step(&port->conn, port->begin);
	port->commits = commits;
}

static void port_down(struct port *port)
{
	sqlite3_finalize(port->begin);
	sqlite3_finalize(port->end);
	sqlite_conn_close(&port->conn);
	*port = (struct port){.store = port->store};
}

static enum rc port_up(struct port *port)
{
	enum rc rc = conn_open(&port->conn, port->store, sqlite_map_vfs(), reader_setup);

	if (rc != RC_OK)
		return rc;
	keep_log(&port->conn); /* the owner alone checkpoints */
	port->map = sqlite_map_of(port->conn.db, port->store->map_fd);
	if (sqlite3_prepare_v2(port->conn.db, "BEGIN", -1, &port->begin, NULL) == SQLITE_OK &&
	    sqlite3_prepare_v2(port->conn.db, "COMMIT", -1, &port->end, NULL) == SQLITE_OK)
		return RC_OK;
	rc = sqlite_failed(&port->conn, port->store->path);
	port_down(port);
	return rc;
}

static void sqlite_port_close(void *arg)
{
	port_down(arg);
	free(arg);
}

static void *sqlite_port_open(struct db *db)
{
	struct port *port = calloc(1, sizeof(*port));

	if (port == NULL)
		return NULL;
	port->store = db->store;
	if (port_up(port) == RC_OK)
		return port;
	free(port);
	return NULL;
}

static enum rc sqlite_read(void *arg, struct ctx *cx, const struct query *query, const void *in,
			   struct rows *ret)
{
	struct port *port = arg;
	enum rc rc = RC_OK;

	if (atomic_load(&port->store->unsynced)) /* what is read from the file may not be what was written
						    there */
		return RC_STORE_DOWN;
	if (port->conn.db == NULL)
		rc = port_up(port);
	if (rc != RC_OK)
		return rc;
	look(port);
	sqlite_map_begin(port->map);
	rc = sqlite_run(&port->conn, query, in, cx->arena, ret);
	if (sqlite_map_end())
		return rc;
	LOG(ERROR, "a page of the database cannot be read", LOG_TEXT("file", port->store->path),
	    LOG_TEXT("query", query->name));
	port_down(port);
	return RC_STORE_DOWN;
}

/* --- Writing ------------------------------------------------------------- */

static bool sqlite_writer_ready(void *writer)
{
	(void)writer;
	return true; /* a file does not hang up: the next group tries again */
}

static void sqlite_writer_answered(void *writer)
{
	struct sqlite_store *store = writer;

	pthread_mutex_lock(&store->writing);
	sqlite_copy_log(store, LOG_WHEN_BUSY);
	pthread_mutex_unlock(&store->writing);
}

static void sqlite_writer_idle(void *writer)
{
	struct sqlite_store *store = writer;

	pthread_mutex_lock(&store->writing);
	sqlite_copy_log(store, LOG_WHEN_IDLE);
	pthread_mutex_unlock(&store->writing);
}

static enum rc run_script(struct sqlite_conn *conn, struct script *script)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < script->count; i++) {
		struct step *step = &script->steps[i];

		rc = sqlite_run(conn, step->query, step->in, script->cx->arena, &step->rows);
	}
	return rc;
}

static enum rc run_apart(struct sqlite_conn *conn, struct script *script)
{
	enum rc rc = sqlite_exec(conn, "SAVEPOINT apart");

	if (rc != RC_OK)
		return RC_STORE_DOWN;
	script->job.rc = run_script(conn, script);
	if (script->job.rc != RC_OK)
		rc = sqlite_exec(conn, "ROLLBACK TO apart");
	if (rc == RC_OK)
		rc = sqlite_exec(conn, "RELEASE apart");
	return rc == RC_OK ? RC_OK : RC_STORE_DOWN;
}

/* In an open transaction. */
static enum outcome run_group(struct sqlite_conn *conn, struct script **scripts, size_t count, bool apart,
			      size_t *ret_failed)
{
	for (size_t i = 0; i < count; i++) {
		struct script *script = scripts[i];
		enum rc rc;

		ctx_enter(script->cx);
		rc = apart ? run_apart(conn, script) : run_script(conn, script);
		ctx_enter(NULL);
		if (rc == RC_STORE_DOWN)
			return OUTCOME_LOST;
		if (rc != RC_OK) {
			script->job.rc = rc;
			*ret_failed = i;
			return OUTCOME_REFUSED;
		}
	}
	return sqlite_exec(conn, "COMMIT") == RC_OK ? OUTCOME_DONE : OUTCOME_LOST;
}

static enum outcome sqlite_commit(void *writer, struct script **scripts, size_t count, bool apart,
				  size_t *ret_failed)
{
	struct sqlite_store *store = writer;
	struct sqlite_conn *conn = &store->writer;
	enum outcome outcome = OUTCOME_LOST;

	pthread_mutex_lock(&store->writing);
	/* A guest waits while the owner checkpoints. */
	if (!atomic_load(&store->unsynced) &&
	    (!store->guest || sqlite_lock_byte(store, LOCK_GUEST, F_RDLCK, true)) &&
	    sqlite_exec(conn, "BEGIN IMMEDIATE") == RC_OK)
		outcome = run_group(conn, scripts, count, apart, ret_failed);
	/* Some failures have rolled back already. */
	if (outcome != OUTCOME_DONE && !sqlite3_get_autocommit(conn->db) &&
	    sqlite_exec(conn, "ROLLBACK") != RC_OK)
		outcome = OUTCOME_LOST;
	if (store->guest)
		(void)!sqlite_lock_byte(store, LOCK_GUEST, F_UNLCK, false);
	atomic_fetch_add(&store->commits, 1);
	atomic_store(&store->ailing, outcome == OUTCOME_LOST);
	pthread_mutex_unlock(&store->writing);
	return outcome;
}

/* --- Whole files ---------------------------------------------------------- */

static enum rc sqlite_hold_store(struct db *db, const char *lock, void **ret)
{
	(void)lock;
	return sqlite_hold(((struct sqlite_store *)db->store)->path, ret);
}

/* Under the owner's lock, which lies in a file of its own. */
static enum rc sqlite_replace_file(struct db *db, const char *path)
{
	struct sqlite_store *store = db->store;
	enum rc rc = RC_INTERNAL;

	pthread_mutex_lock(&store->writing);
	if (!store->guest) {
		sqlite_copier_finish(&store->copier);
		sqlite_copier_init(&store->copier);
		sqlite_conn_close(&store->writer);
		store->log_frames = store->log_copied = store->log_asked = store->log_synced = 0;
		rc = sqlite_swap_files(path, store->path);
	}
	pthread_mutex_unlock(&store->writing);
	return rc;
}

/* --- The driver -------------------------------------------------------------- */

const struct driver sqlite_driver = {
	.dialect = DIALECT_SQLITE,
	.shared = false,
	.open = sqlite_open,
	.close = sqlite_close,
	.ping = sqlite_ping,
	.port_open = sqlite_port_open,
	.port_close = sqlite_port_close,
	.port_rest = sqlite_port_rest,
	.read = sqlite_read,
	.writer_ready = sqlite_writer_ready,
	.commit = sqlite_commit,
	.writer_answered = sqlite_writer_answered,
	.writer_idle = sqlite_writer_idle,
	.session_open = sqlite_session_open,
	.session_close = sqlite_session_close,
	.session_exec = sqlite_session_exec,
	.session_commit = sqlite_session_commit,
	.session_query = sqlite_session_query,
	.session_prepare = sqlite_session_prepare,
	.session_scan = sqlite_session_scan,
	.session_each = sqlite_session_each,
	.session_copy = sqlite_session_copy,
	.hold = sqlite_hold_store,
	.release = sqlite_release,
	.replace_file = sqlite_replace_file,
	.session_check = sqlite_session_check,
	.snapshot_begin = "BEGIN",
	.scratch_open = sqlite_scratch_open,
	.scratch_close = sqlite_scratch_close,
	.schema_begin = "BEGIN IMMEDIATE",
};
