/* Migrations: one statement after another on a connection that waits for each. */
#include "db/postgres.h"

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
			rc = pg_columns_check(query, result);
		PQclear(result);
	}
	end = pg_session_exec(session, "ROLLBACK");
	return rc == RC_OK ? end : rc;
}
