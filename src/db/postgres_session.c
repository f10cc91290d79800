/* Migrations and whole tables: one statement after another on a connection that waits for each. */
#include "db/postgres.h"

#include "base/log.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static enum rc session_of(const struct db *db, struct session **ret)
{
	struct pg_conn *conn = malloc(sizeof(*conn));

	if (conn == NULL || !pg_conn_init(conn, db, PG_SESSION)) {
		free(conn);
		return RC_NO_MEMORY;
	}
	if (!pg_conn_ready(conn)) {
		pg_session_close((struct session *)conn);
		return RC_STORE_DOWN;
	}
	*ret = (struct session *)conn;
	return RC_OK;
}

enum rc pg_session_open(struct db *db, struct session **ret)
{
	return session_of(db, ret);
}

void pg_session_close(struct session *session)
{
	pg_conn_finish((struct pg_conn *)session);
	free(session);
}

static enum rc verdict(const PGresult *result, const char *what)
{
	ExecStatusType status = PQresultStatus(result);
	bool again;

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? RC_OK
								       : pg_failed(result, what, &again);
}

enum rc pg_session_exec(struct session *session, const char *sql)
{
	PGresult *result = PQexec(((struct pg_conn *)session)->pg, sql);
	enum rc rc = verdict(result, sql);

	PQclear(result);
	return rc;
}

enum rc pg_session_commit(struct session *session)
{
	return pg_session_exec(session, "COMMIT");
}

enum rc pg_session_query(struct session *session, const struct query *query, const void *in,
			 struct arena *arena, struct rows *ret)
{
	struct pg_params params;
	PGresult *result;
	enum rc rc;

	pg_params_fill(&params, query, in);
	result = PQexecParams(((struct pg_conn *)session)->pg, query->sql[DIALECT_POSTGRES],
			      (int)query->in_count, params.types, params.values, params.lengths,
			      params.formats, 1);
	rc = verdict(result, query->name);
	if (rc == RC_OK)
		rc = pg_rows(query, result, arena, ret);
	PQclear(result);
	return rc;
}

/* Unnamed, and in one transaction: behind a pooler the next one has another connection. */
enum rc pg_session_prepare(struct session *session, const struct query *query)
{
	PGconn *pg = ((struct pg_conn *)session)->pg;
	struct pg_params params;
	PGresult *result;
	enum rc rc = pg_session_exec(session, "BEGIN"), end;

	if (rc != RC_OK)
		return rc;
	pg_params_fill(&params, query, NULL);
	result = PQprepare(pg, "", query->sql[DIALECT_POSTGRES], (int)query->in_count, params.types);
	rc = verdict(result, query->name);
	PQclear(result);
	if (rc == RC_OK) {
		result = PQdescribePrepared(pg, "");
		rc = verdict(result, query->name);
		if (rc == RC_OK)
			rc = pg_columns_check(query, false, result);
		PQclear(result);
	}
	end = pg_session_exec(session, "ROLLBACK");
	return rc == RC_OK ? end : rc;
}

enum rc pg_scratch_open(struct db *db, struct session **ret)
{
	static const char *const begin[] = {"BEGIN", "SET LOCAL app.tenant = '*'",
					    "CREATE SCHEMA marca_scratch",
					    "SET LOCAL search_path = marca_scratch"};
	struct session *session;
	enum rc rc = pg_session_open(db, &session);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < ARRAY_LEN(begin); i++)
		rc = pg_session_exec(session, begin[i]);
	if (rc == RC_OK)
		*ret = session;
	else
		pg_session_close(session);
	return rc;
}

/* --- Indexes that are built beside writers ------------------------------------------- */

#define INDEX_NAME_SIZE	   64
#define PROGRESS_PAUSE_MS  1000
#define PROGRESS_LOG_EVERY 5

/*
 * The session is in a transaction that holds the lock on marca_schema, and nothing of the table. CREATE INDEX
 * CONCURRENTLY waits for old snapshots, so neither it nor whoever waits for that lock may have one: LOCK
 * TABLE takes none, and PQexec() leaves none behind, whereas the unnamed portal of PQexecParams() keeps its
 * own until the next statement.
 */

enum index_state { INDEX_ABSENT, INDEX_BROKEN, INDEX_GOOD };

static enum rc look_at_index(struct pg_conn *conn, const char *name, enum index_state *ret)
{
	char sql[128 + INDEX_NAME_SIZE];
	PGresult *result;
	enum rc rc;

	snprintf(sql, sizeof(sql), "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('%s')",
		 name);
	result = PQexec(conn->pg, sql);
	rc = verdict(result, "index_state");
	if (rc == RC_OK && PQntuples(result) == 0)
		*ret = INDEX_ABSENT;
	else if (rc == RC_OK)
		*ret = PQgetvalue(result, 0, 0)[0] == 't' ? INDEX_GOOD : INDEX_BROKEN;
	PQclear(result);
	return rc;
}

static void tell_progress(struct pg_conn *watcher, const struct pg_conn *builder, const char *name)
{
	char sql[256];
	PGresult *result;

	snprintf(sql, sizeof(sql),
		 "SELECT phase, CASE WHEN blocks_total > 0 THEN blocks_done * 100 / blocks_total ELSE 0 END "
		 "FROM pg_stat_progress_create_index WHERE pid = %d",
		 PQbackendPID(builder->pg));
	result = PQexec(watcher->pg, sql);
	if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1)
		LOG(INFO, "an index is being built", LOG_TEXT("index", name),
		    LOG_TEXT("phase", PQgetvalue(result, 0, 0)),
		    LOG_NUMBER("percent", strtol(PQgetvalue(result, 0, 1), NULL, 10)));
	PQclear(result);
}

/* Its result, once it is there. */
static enum rc build(struct pg_conn *watcher, struct pg_conn *builder, const char *name, const char *sql)
{
	struct pollfd fd = {.fd = PQsocket(builder->pg), .events = POLLIN};
	PGresult *result, *next;
	enum rc rc;

	if (PQsendQuery(builder->pg, sql) != 1)
		return RC_STORE_DOWN;
	for (int pauses = 1; PQisBusy(builder->pg) == 1; pauses++) {
		if (poll(&fd, 1, PROGRESS_PAUSE_MS) > 0 && PQconsumeInput(builder->pg) != 1)
			break;
		if (pauses % PROGRESS_LOG_EVERY == 0)
			tell_progress(watcher, builder, name);
	}
	result = PQgetResult(builder->pg);
	rc = verdict(result, sql);
	PQclear(result);
	while ((next = PQgetResult(builder->pg)) != NULL)
		PQclear(next);
	return rc;
}

static enum rc build_anew(struct pg_conn *watcher, struct session *builder, const char *name, const char *sql,
			  enum index_state state)
{
	char drop[64 + INDEX_NAME_SIZE];
	enum rc rc = RC_OK;

	if (state == INDEX_BROKEN) {
		LOG(WARN, "an index was left half built; it is built anew", LOG_TEXT("index", name));
		snprintf(drop, sizeof(drop), "DROP INDEX CONCURRENTLY IF EXISTS %s", name);
		rc = pg_session_exec(builder, drop);
	}
	return rc == RC_OK ? build(watcher, (struct pg_conn *)builder, name, sql) : rc;
}

enum rc pg_session_online(struct session *session, const char *sql)
{
	struct pg_conn *conn = (struct pg_conn *)session;
	enum index_state state = INDEX_ABSENT;
	char name[INDEX_NAME_SIZE];
	struct session *builder;
	enum rc rc;

	if (sscanf(sql, "CREATE INDEX CONCURRENTLY %63[a-z0-9_]", name) != 1)
		return RC_INTERNAL;
	rc = look_at_index(conn, name, &state);
	if (rc != RC_OK || state == INDEX_GOOD)
		return rc;
	rc = session_of(conn->db, &builder);
	if (rc != RC_OK)
		return rc;
	rc = build_anew(conn, builder, name, sql, state);
	pg_session_close(builder);
	return rc;
}

/* --- Whole tables ---------------------------------------------------------- */

/*
 * Whose rights on the rows are sure, while the login may own nothing. Its name was checked when the store was
 * opened. And the rows of all tenants, in words of this transaction: a pooler that loses the connection's own
 * options would show none at all.
 */
enum rc pg_session_as_role(struct session *session)
{
	char sql[160];

	snprintf(sql, sizeof(sql), "SET LOCAL ROLE \"%s\"; SET LOCAL app.tenant = '*'",
		 ((struct pg_conn *)session)->db->options.role);
	return pg_session_exec(session, sql);
}

/* In a session of its own, for the rows that are looked at shall be those of a READ ONLY one. */
enum rc pg_hold(struct db *db, const char *lock, void **ret)
{
	struct session *session;
	enum rc rc = pg_session_open(db, &session);

	if (rc != RC_OK)
		return rc;
	rc = pg_session_exec(session, "BEGIN");
	if (rc == RC_OK)
		rc = pg_session_as_role(session);
	if (rc == RC_OK)
		rc = pg_session_exec(session, lock);
	if (rc == RC_OK)
		*ret = session;
	else
		pg_session_close(session);
	return rc;
}

/* With its word that it has ended: the end of a connection is seen later. */
void pg_release(void *held)
{
	(void)!pg_session_exec(held, "ROLLBACK");
	pg_session_close(held);
}

static enum rc take_row(const struct query *query, const PGresult *result, struct arena_pool *pool,
			const struct row_sink *sink)
{
	struct arena arena;
	struct rows rows;
	enum rc rc;

	arena_init(&arena, pool);
	rc = pg_rows(query, result, &arena, &rows);
	for (size_t i = 0; rc == RC_OK && i < rows.count; i++)
		rc = row_sink_take(sink, (const char *)rows.items + i * query->out_size);
	arena_finish(&arena);
	return rc;
}

/* Row by row as they come: libpq would hold all of a table. */
enum rc pg_session_scan(struct session *session, const struct query *query, const struct row_sink *sink)
{
	PGconn *pg = ((struct pg_conn *)session)->pg;
	struct arena_pool pool = {0};
	PGresult *result;
	enum rc rc = RC_OK;
	bool again;

	if (PQsendQueryParams(pg, query->sql[DIALECT_POSTGRES], 0, NULL, NULL, NULL, NULL, 1) != 1 ||
	    PQsetSingleRowMode(pg) != 1)
		return RC_STORE_DOWN;
	while (rc == RC_OK && (result = PQgetResult(pg)) != NULL) {
		ExecStatusType status = PQresultStatus(result);

		if (status == PGRES_SINGLE_TUPLE)
			rc = take_row(query, result, &pool, sink);
		else if (status != PGRES_TUPLES_OK)
			rc = pg_failed(result, query->name, &again);
		PQclear(result);
	}
	arena_pool_finish(&pool);
	return rc;
}

/* The answer to one of a pipeline's; the first failure stays. */
static enum rc answer(PGconn *pg, const struct query *query, enum rc rc)
{
	PGresult *result = PQgetResult(pg), *end;

	if (result == NULL)
		return rc == RC_OK ? RC_STORE_DOWN : rc;
	if (rc == RC_OK)
		rc = verdict(result, query->name);
	PQclear(result);
	while ((end = PQgetResult(pg)) != NULL)
		PQclear(end);
	return rc;
}

/* In one pipeline, whose answers are small enough to wait for us. */
enum rc pg_session_each(struct session *session, const struct query *query, const void *const *in,
			size_t count)
{
	PGconn *pg = ((struct pg_conn *)session)->pg;
	struct pg_params params;
	bool sent = PQenterPipelineMode(pg) == 1;
	enum rc rc = RC_OK;

	pg_params_fill(&params, query, NULL);
	sent = sent &&
	       PQsendPrepare(pg, "", query->sql[DIALECT_POSTGRES], (int)query->in_count, params.types) == 1;
	for (size_t i = 0; sent && i < count; i++) {
		pg_params_fill(&params, query, in[i]);
		sent = PQsendQueryPrepared(pg, "", (int)query->in_count, params.values, params.lengths,
					   params.formats, 1) == 1;
	}
	if (!sent || PQpipelineSync(pg) != 1)
		return RC_STORE_DOWN;
	for (size_t i = 0; i <= count; i++)
		rc = answer(pg, query, rc);
	PQclear(PQgetResult(pg)); /* of the sync */
	return PQexitPipelineMode(pg) == 1 ? rc : RC_STORE_DOWN;
}
