/*
 * One job after another on the writer's connection: migrations, whole tables. A table is changed by making a
 * new one in its place, so foreign keys are off meanwhile and looked at before the commit:
 * https://www.sqlite.org/lang_altertable.html, section 7.
 */
#include "db/sqlite.h"

#include "base/log.h"

#include <fcntl.h>
#include <stdlib.h>

enum rc sqlite_session_open(struct db *db, struct session **ret)
{
	struct sqlite_store *store = db->store;
	enum rc rc;

	pthread_mutex_lock(&store->writing);
	rc = atomic_load(&store->unsynced) ? RC_STORE_DOWN
					   : sqlite_exec(&store->writer, "PRAGMA foreign_keys = OFF");
	/* The owner does not wait for a guest's long look before it cuts the WAL: it leaves it as it is. */
	if (rc == RC_OK && store->guest && !sqlite_lock_byte(store, LOCK_GUEST, F_RDLCK, true))
		rc = RC_STORE_DOWN;
	if (rc != RC_OK) {
		pthread_mutex_unlock(&store->writing);
		return rc;
	}
	*ret = (struct session *)store;
	return RC_OK;
}

void sqlite_session_close(struct session *session)
{
	struct sqlite_store *store = (struct sqlite_store *)session;
	struct sqlite_conn *conn = &store->writer;

	if ((!sqlite3_get_autocommit(conn->db) && sqlite_exec(conn, "ROLLBACK") != RC_OK) ||
	    sqlite_exec(conn, "PRAGMA foreign_keys = ON") != RC_OK)
		atomic_store(&store->ailing, true);
	if (store->guest)
		(void)!sqlite_lock_byte(store, LOCK_GUEST, F_UNLCK, false);
	atomic_fetch_add(&store->commits, 1);
	pthread_mutex_unlock(&store->writing);
}

enum rc sqlite_session_exec(struct session *session, const char *sql)
{
	return sqlite_exec(&((struct sqlite_store *)session)->writer, sql);
}

static enum rc check_foreign_keys(struct sqlite_conn *conn)
{
	sqlite3_stmt *stmt;
	int code;

	if (sqlite3_prepare_v2(conn->db, "PRAGMA foreign_key_check", -1, &stmt, NULL) != SQLITE_OK)
		return sqlite_failed(conn, "foreign_key_check");
	code = sqlite3_step(stmt);
	if (code == SQLITE_ROW)
		LOG(ERROR, "a row would be left without the one it refers to",
		    LOG_TEXT("table", (const char *)sqlite3_column_text(stmt, 0)));
	sqlite3_finalize(stmt);
	return code == SQLITE_DONE ? RC_OK : RC_INTERNAL;
}

enum rc sqlite_session_commit(struct session *session)
{
	struct sqlite_conn *conn = &((struct sqlite_store *)session)->writer;
	enum rc rc = check_foreign_keys(conn);

	return rc == RC_OK ? sqlite_exec(conn, "COMMIT") : rc;
}

enum rc sqlite_session_query(struct session *session, const struct query *query, const void *in,
			     struct arena *arena, struct rows *ret)
{
	struct sqlite_conn *conn = &((struct sqlite_store *)session)->writer;
	struct sqlite_query prepared;
	enum rc rc = sqlite_prepare(conn, query, &prepared);

	if (rc != RC_OK)
		return rc;
	rc = sqlite_run_prepared(conn, &prepared, query, in, arena, ret);
	sqlite_unprepare(&prepared);
	return rc;
}

enum rc sqlite_session_prepare(struct session *session, const struct query *query)
{
	struct sqlite_query prepared;
	enum rc rc = sqlite_prepare(&((struct sqlite_store *)session)->writer, query, &prepared);

	if (rc == RC_OK)
		sqlite_unprepare(&prepared);
	return rc;
}

enum rc sqlite_session_scan(struct session *session, const struct query *query, const struct row_sink *sink)
{
	return sqlite_scan(&((struct sqlite_store *)session)->writer, query, sink);
}

enum rc sqlite_session_each(struct session *session, const struct query *query, const void *const *in,
			    size_t count)
{
	return sqlite_each(&((struct sqlite_store *)session)->writer, query, in, count);
}

enum rc sqlite_session_copy(struct session *session, const char *path, db_copy_fn *progress, void *arg)
{
	return sqlite_copy(&((struct sqlite_store *)session)->writer, path, progress, arg);
}

enum rc sqlite_session_check(struct session *session, bool deep)
{
	struct sqlite_conn *conn = &((struct sqlite_store *)session)->writer;
	enum rc rc = deep ? sqlite_integrity(conn) : RC_OK;

	return rc == RC_OK ? check_foreign_keys(conn) : rc;
}

enum rc sqlite_scratch_open(struct db *db, struct session **ret)
{
	struct sqlite_store *scratch = calloc(1, sizeof(*scratch));

	(void)db;
	if (scratch == NULL)
		return RC_NO_MEMORY;
	if (sqlite3_open(":memory:", &scratch->writer.db) != SQLITE_OK) {
		sqlite3_close(scratch->writer.db);
		free(scratch);
		return RC_NO_MEMORY;
	}
	*ret = (struct session *)scratch;
	return RC_OK;
}

void sqlite_scratch_close(struct session *session)
{
	struct sqlite_store *scratch = (struct sqlite_store *)session;

	sqlite3_close(scratch->writer.db);
	free(scratch);
}
