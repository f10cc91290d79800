/*
 * How a transaction of ours begins. A connection of our own has been told once, when it was opened, as which
 * role it acts and how it plans (postgres_conn.c). Behind a pooler in transaction mode, such as PgBouncer's,
 * each transaction is run by whichever connection is free, after anybody's: so each is told anew, in one
 * statement, by settings that end with it. None of them may be left to what the one before has set: a
 * session's `SET app.tenant = '*'` of somebody else's would open all rows to a query that names no tenant.
 */
#include "db/postgres.h"

#include <stdio.h>

#define LOCALLY(name, value) ", set_config('" name "', '" value "', TRUE)"
#define NAME_MAX_LEN	     63 /* of PostgreSQL */

static const char pooled_sql[] = "SELECT set_config('role', '%s', TRUE)" PG_WORKING_OF(LOCALLY) "%s";
static const char spread_sql[] = PG_SPREAD_OF(LOCALLY);

/* READ COMMITTED: each statement sees what was committed while it waited for the lock row. */
static const char *const begin_of[] = {
	[PG_READS] = "BEGIN READ ONLY",
	[PG_WRITES] = "BEGIN ISOLATION LEVEL READ COMMITTED",
};

/* What moves whole tables, and a migration of rows, is for all tenants, and takes its time. */
#define FOR_ALL "SET LOCAL app.tenant = '*'; SET LOCAL statement_timeout = 0"

const char pg_snapshot_begin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " FOR_ALL;
const char pg_schema_begin[] = "BEGIN; " FOR_ALL "; SET LOCAL lock_timeout = 0";

static bool send_guard(struct pg_conn *conn)
{
	char sql[PG_GUARD_SIZE];

	pg_replica_guard(conn->replica, sql);
	return pg_send_sql(conn, sql);
}

/* In binary, as all results of a pipeline: a byte each. */
static bool take_guard(struct pg_conn *conn)
{
	PGresult *told = pg_result(conn);
	bool good = told != NULL && PQresultStatus(told) == PGRES_TUPLES_OK && PQntuples(told) == 1;

	for (int i = 0; good && i < PQnfields(told); i++)
		good = PQgetlength(told, 0, i) == 1 && PQgetvalue(told, 0, i)[0] == 1;
	PQclear(told);
	return good;
}

bool pg_send_begin(struct pg_conn *conn)
{
	const struct db_options *options = &conn->db->options;
	char sql[sizeof(pooled_sql) + NAME_MAX_LEN + sizeof(spread_sql)];

	if (!pg_send_sql(conn, begin_of[conn->use]))
		return false;
	snprintf(sql, sizeof(sql), pooled_sql, options->role, /* a name: pg_role_ready() */
		 conn->db->one_tenant ? spread_sql : "");
	return (!options->pooled || pg_send_sql(conn, sql)) && (conn->replica == NULL || send_guard(conn));
}

bool pg_take_begin(struct pg_conn *conn)
{
	PGresult *begun = pg_result(conn), *told = NULL;
	bool good = begun != NULL && strcmp(PQcmdStatus(begun), "BEGIN") == 0;
	bool again;

	if (good && conn->db->options.pooled) {
		told = pg_result(conn);
		good = told != NULL && PQresultStatus(told) == PGRES_TUPLES_OK;
		if (told != NULL && !good)
			(void)pg_failed(told, "how a pooled transaction works", &again);
	}
	PQclear(told);
	PQclear(begun);
	return good && (conn->replica == NULL || take_guard(conn));
}

/* --- Its steps ------------------------------------------------------------ */

bool pg_send_step(struct pg_conn *conn, struct pg_wall *wall, const struct query *query,
		  const void *const *ins, size_t count)
{
	if (pg_wall_moves(wall, query, ins, count) && !pg_send_wall(conn, wall))
		return false;
	return count > 1 ? pg_send_together(conn, query, ins, count) : pg_send(conn, query, ins[0]);
}

enum outcome pg_take_control(struct pg_conn *conn, const char *tag)
{
	PGresult *result = pg_result(conn);
	enum outcome outcome = OUTCOME_LOST;

	if (result != NULL && PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
		outcome = OUTCOME_REFUSED;
	else if (result != NULL && strcmp(PQcmdStatus(result), tag) == 0)
		outcome = OUTCOME_DONE;
	PQclear(result);
	return outcome;
}

bool pg_tag_is(struct pg_conn *conn, const char *tag)
{
	return pg_take_control(conn, tag) == OUTCOME_DONE;
}

PGresult *pg_step_result(struct pg_conn *conn, struct pg_wall *wall, const struct query *query,
			 const void *const *ins, size_t count)
{
	if (pg_wall_moves(wall, query, ins, count) && pg_take_control(conn, "SET") == OUTCOME_LOST)
		return NULL;
	return pg_result(conn);
}
