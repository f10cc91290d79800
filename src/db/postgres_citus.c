/*
 * A store that is spread over machines by Citus: https://docs.citusdata.com. All that a tenant has lies on
 * one of them, since each key and each query of his holds tenant_id (tools/sqlgen_tenant.c). What there is to
 * distribute is read from the catalog, and is not a list of ours.
 */
#include "db/postgres.h"

#include "base/log.h"

#include <stdio.h>

#define CATALOG "to_regclass('pg_catalog.pg_dist_partition')"

/*
 * The tables of tenants that are not spread yet; `copied` when a key of it is for all of them. Those that
 * others refer to come first.
 */
static const char tables_sql[] =
	"SELECT c.oid::regclass::text, EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid AND "
	"i.indisunique "
	"AND NOT a.attnum = ANY (i.indkey)) AS copied "
	"FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT "
	"a.attisdropped "
	"WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace(quote_ident(current_schema())) "
	"AND pg_has_role(c.relowner, 'MEMBER') "
	"AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_dist_partition p WHERE p.logicalrelid = c.oid) "
	"ORDER BY (SELECT COUNT(*) FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f'), "
	"c.relname";

static PGresult *ask(struct pg_conn *conn, const char *sql)
{
	PGresult *result = PQexec(conn->pg, sql);
	bool again;

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	(void)pg_failed(result, sql, &again);
	PQclear(result);
	return NULL;
}

static enum rc ask_whether(struct pg_conn *conn, const char *sql, bool *ret)
{
	PGresult *result = ask(conn, sql);

	if (result == NULL)
		return RC_STORE_DOWN;
	*ret = PQgetvalue(result, 0, 0)[0] == 't';
	PQclear(result);
	return RC_OK;
}

enum rc pg_citus_look(const struct db *db, bool *ret_spread)
{
	struct pg_conn conn;
	bool citus = false;
	enum rc rc = RC_STORE_DOWN;

	if (!pg_conn_init(&conn, db, PG_SESSION))
		return RC_NO_MEMORY;
	if (pg_conn_ready(&conn))
		rc = ask_whether(&conn, "SELECT " CATALOG " IS NOT NULL", &citus);
	*ret_spread = false;
	if (rc == RC_OK && citus)
		rc = ask_whether(&conn, "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_dist_partition)",
				 ret_spread);
	pg_conn_finish(&conn);
	return rc;
}

static enum rc distribute(struct pg_conn *conn, const char *table, bool copied)
{
	const char *const values[] = {table};
	PGresult *result =
		PQexecParams(conn->pg,
			     copied ? "SELECT create_reference_table($1::text::regclass)"
				    : "SELECT create_distributed_table($1::text::regclass, 'tenant_id')",
			     1, NULL, values, NULL, NULL, 0);
	bool again;
	enum rc rc = RC_OK;

	if (PQresultStatus(result) != PGRES_TUPLES_OK)
		rc = pg_failed(result, table, &again);
	PQclear(result);
	return rc;
}

/* One transaction a table: what went well stays so, and the rest is done the next time. */
enum rc pg_session_distribute(struct session *session, db_distributed_fn *tell)
{
	struct pg_conn *conn = (struct pg_conn *)session;
	PGresult *tables;
	bool citus;
	enum rc rc = ask_whether(conn, "SELECT " CATALOG " IS NOT NULL", &citus);

	if (rc != RC_OK)
		return rc;
	if (!citus) {
		LOG(ERROR, "this PostgreSQL has no Citus; as a superuser: CREATE EXTENSION citus",
		    LOG_TEXT("room", conn->db->set->name));
		return RC_INTERNAL;
	}
	tables = ask(conn, tables_sql);
	if (tables == NULL)
		return RC_STORE_DOWN;
	for (int i = 0; rc == RC_OK && i < PQntuples(tables); i++) {
		bool copied = PQgetvalue(tables, i, 1)[0] == 't';

		rc = pg_session_exec(session, postgres_driver.schema_begin);
		if (rc == RC_OK)
			rc = pg_wall_spread(session, PQgetvalue(tables, i, 0));
		if (rc == RC_OK)
			rc = distribute(conn, PQgetvalue(tables, i, 0), copied);
		if (rc == RC_OK)
			rc = pg_session_commit(session);
		if (rc == RC_OK)
			tell(PQgetvalue(tables, i, 0), copied);
	}
	PQclear(tables);
	return rc;
}
