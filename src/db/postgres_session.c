/* Migrations and whole tables: one statement after another on a connection that waits for each. */
#include "db/postgres.h"

#include <stdio.h>
#include <stdlib.h>

enum rc pg_session_open(struct db *db, struct session **ret)
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

enum rc pg_session_prepare(struct session *session, const struct query *query)
{
	PGconn *pg = ((struct pg_conn *)session)->pg;
	struct pg_params params;
	PGresult *result;
	enum rc rc;

	pg_params_fill(&params, query, NULL);
	result = PQprepare(pg, query->name, query->sql[DIALECT_POSTGRES], (int)query->in_count, params.types);
	rc = verdict(result, query->name);
	PQclear(result);
	if (rc != RC_OK)
		return rc;
	result = PQdescribePrepared(pg, query->name);
	rc = verdict(result, query->name);
	if (rc == RC_OK)
		rc = pg_columns_check(query, result);
	PQclear(result);
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
