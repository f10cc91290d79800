/* Whole tables and files of SQLite: see whole.h. */
#include "db/sqlite.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define COPY_PAGES 1024 /* at a time: 4 MiB */

#define HOLD_MS 10000

enum rc sqlite_hold(const char *path, void **ret)
{
	struct sqlite_conn conn = {NULL};
	enum rc rc = RC_NO_MEMORY;

	if (sqlite3_open_v2(path, &conn.db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(conn.db, HOLD_MS);
		sqlite3_db_config(conn.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		if (sqlite3_exec(conn.db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK) {
			*ret = conn.db;
			return RC_OK;
		}
	}
	if (conn.db != NULL)
		rc = sqlite_failed(&conn, path);
	sqlite3_close(conn.db);
	return rc;
}

void sqlite_release(void *held)
{
	sqlite3_exec(held, "ROLLBACK", NULL, NULL, NULL);
	sqlite3_close(held);
}

static enum rc scan_prepared(struct sqlite_conn *conn, sqlite3_stmt *stmt, const struct query *query,
			     const struct row_sink *sink)
{
	struct arena_pool pool = {0};
	enum rc rc = RC_OK;
	int code = SQLITE_ROW;

	while (rc == RC_OK && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct arena arena;
		void *row;

		arena_init(&arena, &pool);
		row = arena_alloc(&arena, query->out_size);
		rc = row != NULL ? sqlite_take_row(query, stmt, &arena, row) : RC_NO_MEMORY;
		if (rc == RC_OK)
			rc = row_sink_take(sink, row);
		arena_finish(&arena);
	}
	arena_pool_finish(&pool);
	return rc == RC_OK && code != SQLITE_DONE ? sqlite_failed(conn, query->name) : rc;
}

enum rc sqlite_scan(struct sqlite_conn *conn, const struct query *query, const struct row_sink *sink)
{
	struct sqlite_query prepared;
	enum rc rc = sqlite_prepare(conn, query, &prepared);

	if (rc != RC_OK)
		return rc;
	rc = scan_prepared(conn, prepared.stmt, query, sink);
	sqlite_unprepare(&prepared);
	return rc;
}

enum rc sqlite_each(struct sqlite_conn *conn, const struct query *query, const void *const *in, size_t count)
{
	struct sqlite_query prepared;
	enum rc rc = sqlite_prepare(conn, query, &prepared);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < count; i++) {
		if (!sqlite_bind(&prepared, query, in[i]) || sqlite3_step(prepared.stmt) != SQLITE_DONE)
			rc = sqlite_failed(conn, query->name);
		(void)sqlite3_reset(prepared.stmt); /* repeats the failure that we have already */
	}
	sqlite_unprepare(&prepared);
	return rc;
}

/* --- Files ------------------------------------------------------------------ */

/* What the source's transaction sees, whoever writes meanwhile. */
static enum rc copy_pages(struct sqlite_conn *to, sqlite3_backup *backup, db_copy_fn *progress, void *arg)
{
	int64_t page = 4096;
	int code = SQLITE_OK;
	enum rc rc = RC_OK;

	while (rc == RC_OK && code == SQLITE_OK) {
		int64_t of;

		code = sqlite3_backup_step(backup, COPY_PAGES);
		of = sqlite3_backup_pagecount(backup);
		if (!progress(arg, page * (of - sqlite3_backup_remaining(backup)), page * of))
			rc = RC_INTERNAL;
	}
	if (sqlite3_backup_finish(backup) != SQLITE_OK && rc == RC_OK)
		rc = sqlite_failed(to, "backup");
	return rc;
}

static enum rc sync_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	if (!good)
		LOG(ERROR, "a file cannot be made durable", LOG_TEXT("file", path));
	return good ? RC_OK : RC_STORE_DOWN;
}

enum rc sqlite_copy(struct sqlite_conn *conn, const char *path, db_copy_fn *progress, void *arg)
{
	struct sqlite_conn to = {NULL};
	sqlite3_backup *backup;
	enum rc rc;

	if (sqlite3_open_v2(path, &to.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK) {
		rc = to.db != NULL ? sqlite_failed(&to, path) : RC_NO_MEMORY;
		sqlite3_close(to.db);
		return rc;
	}
	backup = sqlite3_backup_init(to.db, "main", conn->db, "main");
	rc = backup != NULL ? copy_pages(&to, backup, progress, arg) : sqlite_failed(&to, path);
	sqlite3_close(to.db);
	return rc == RC_OK ? sync_file(path) : rc;
}

static bool sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];
	int len = slash == NULL ? snprintf(folder, sizeof(folder), ".")
				: snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1), path);

	return len < (int)sizeof(folder) && sync_file(folder) == RC_OK;
}

/* A log of the old one's would be taken for the new one's, and ruin it: so it goes first. */
enum rc sqlite_swap_files(const char *from, const char *to)
{
	static const char *const logs[] = {"-wal", "-shm"};
	char path[4096];

	for (size_t i = 0; i < ARRAY_LEN(logs); i++) {
		if (snprintf(path, sizeof(path), "%s%s", to, logs[i]) >= (int)sizeof(path) ||
		    (unlink(path) != 0 && errno != ENOENT))
			return RC_INTERNAL;
	}
	if (!sync_folder_of(to) || rename(from, to) != 0) {
		LOG(ERROR, "a database's file cannot be replaced", LOG_TEXT("file", to),
		    LOG_TEXT("why", strerrorname_np(errno)));
		return RC_STORE_DOWN;
	}
	return sync_folder_of(to) ? RC_OK : RC_STORE_DOWN;
}

enum rc sqlite_integrity(struct sqlite_conn *conn)
{
	const char *said = "nothing";
	sqlite3_stmt *stmt;
	bool good;

	if (sqlite3_prepare_v2(conn->db, "PRAGMA integrity_check(1)", -1, &stmt, NULL) != SQLITE_OK)
		return sqlite_failed(conn, "integrity_check");
	if (sqlite3_step(stmt) == SQLITE_ROW)
		said = (const char *)sqlite3_column_text(stmt, 0);
	good = said != NULL && strcmp(said, "ok") == 0;
	if (!good)
		LOG(ERROR, "an embedded store is damaged", LOG_TEXT("said", said));
	sqlite3_finalize(stmt);
	return good ? RC_OK : RC_INTERNAL;
}
