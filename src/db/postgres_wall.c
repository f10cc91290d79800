/*
 * Row-level security: a second wall between tenants, in PostgreSQL itself. A query that forgot its tenant, or
 * that somebody bent, still sees and changes the rows of one tenant only. See
 * docs/decisions/0010-row-level-security.md.
 *
 * Each table that has a column tenant_id has one policy: rows of the tenant that the transaction has named by
 * `SET LOCAL app.tenant = '<uuid>'`; of several, with commas between them, where one statement is for inputs
 * of several (postgres_volley.c). Unset or empty, no rows. Of all tenants by '*', which only queries name
 * that are `-- :scope global` in queries.sql. FORCE holds the owner to it too.
 *
 * Rows are read and written as a role that owns nothing (MARCA_DB_ROLE); migrations run as the login.
 */
#include "db/postgres.h"

#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#define NAME_MAX_LEN 63 /* of PostgreSQL */
#define ROLE_TRIES   10 /* roles are the cluster's: other processes make them at the same time */

/* --- Whose rows ------------------------------------------------------------ */

const struct uuid *pg_wall_tenant(const struct query *query, const void *in)
{
	static const struct uuid none;

	return query->tenant ? value_uuid(&query->in[0], in) : &none;
}

/* Each tenant once: the inputs of one lie side by side. */
static size_t tenants_of(const struct query *query, const void *const *ins, size_t count, struct uuid *ret)
{
	size_t n = 0;

	for (size_t i = 0; query->tenant && i < count; i++) {
		const struct uuid *tenant = pg_wall_tenant(query, ins[i]);

		if (n == 0 || !uuid_equal(&ret[n - 1], tenant))
			ret[n++] = *tenant;
	}
	return n;
}

bool pg_wall_moves(struct pg_wall *wall, const struct query *query, const void *const *ins, size_t count)
{
	enum pg_rows_of rows_of = query->tenant ? PG_ROWS_OF_TENANTS : PG_ROWS_OF_ALL;
	struct uuid tenants[VOLLEY_MAX];
	size_t n = tenants_of(query, ins, count, tenants);

	if (wall->rows_of == rows_of && wall->count == n &&
	    memcmp(wall->tenants, tenants, n * sizeof(tenants[0])) == 0)
		return false;
	wall->rows_of = rows_of;
	wall->count = n;
	memcpy(wall->tenants, tenants, n * sizeof(tenants[0]));
	return true;
}

/* A literal and no parameter, for Citus, which passes SET LOCAL on to where the rows are. */
bool pg_send_wall(struct pg_conn *conn, const struct pg_wall *wall)
{
	static const char set[] = "SET LOCAL app.tenant = '";
	char sql[sizeof(set) + VOLLEY_MAX * (UUID_TEXT_LEN + 1) + 1], *to = sql + sizeof(set) - 1;

	if (wall->rows_of == PG_ROWS_OF_ALL)
		return pg_send_sql(conn, "SET LOCAL app.tenant = '*'");
	memcpy(sql, set, sizeof(set));
	for (size_t i = 0; i < wall->count; i++) {
		uuid_text(to, &wall->tenants[i]);
		to += UUID_TEXT_LEN;
		*to++ = i + 1 < wall->count ? ',' : '\'';
	}
	*to = '\0';
	return pg_send_sql(conn, sql);
}

/* --- The role -------------------------------------------------------------- */

/* What is so of the role now. */
struct acting_role {
	bool there, ours;    /* ours: the login may act as it */
	bool may_make;	     /* the login may make it so */
	bool bypasses, owns; /* no wall would hold it */
	char login[NAME_MAX_LEN + 1];
};

/* Whoever may become it, on 16; there a member may be one without that right. */
#define ROLE_SQL(may)                                                                                     \
	"SELECT r.oid IS NOT NULL, COALESCE(pg_has_role(session_user, r.oid, '" may "'), FALSE), "        \
	"me.rolsuper OR me.rolcreaterole, COALESCE(r.rolsuper OR r.rolbypassrls, FALSE), "                \
	"EXISTS (SELECT 1 FROM pg_class c WHERE c.relnamespace = to_regnamespace(quote_ident("            \
	"current_schema())) AND c.relkind IN ('r', 'p') AND pg_has_role(r.oid, c.relowner, "              \
	"'MEMBER')), session_user FROM pg_roles me LEFT JOIN pg_roles r ON r.rolname = CAST($1 AS name) " \
	"WHERE me.rolname = session_user"

static bool is_true(const PGresult *result, int row, int column)
{
	return PQgetvalue(result, row, column)[0] == 't';
}

static PGresult *select_by_role(struct pg_conn *conn, const char *sql)
{
	const char *const params[] = {conn->db->options.role};
	PGresult *result = PQexecParams(conn->pg, sql, 1, NULL, params, NULL, NULL, 0);
	bool again;

	if (PQresultStatus(result) == PGRES_TUPLES_OK)
		return result;
	(void)pg_failed(result, sql, &again);
	PQclear(result);
	return NULL;
}

static bool read_role(struct pg_conn *conn, struct acting_role *ret)
{
	bool exact = PQserverVersion(conn->pg) >= 160000;
	PGresult *result = select_by_role(conn, exact ? ROLE_SQL("SET") : ROLE_SQL("MEMBER"));

	if (result == NULL)
		return false;
	*ret = (struct acting_role){
		.there = is_true(result, 0, 0),
		.ours = is_true(result, 0, 1),
		.may_make = is_true(result, 0, 2),
		.bypasses = is_true(result, 0, 3),
		.owns = is_true(result, 0, 4),
	};
	snprintf(ret->login, sizeof(ret->login), "%s", PQgetvalue(result, 0, 5));
	PQclear(result);
	return true;
}

/*
 * Fails when another process was faster (42710, 23505, `tuple concurrently updated`), or when the login may
 * not after all: a second look tells.
 */
static void make_role(struct pg_conn *conn, const struct acting_role *role)
{
	const char *name = conn->db->options.role;
	char sql[64 + 2 * NAME_MAX_LEN];
	PGresult *result;

	if (!role->there)
		snprintf(sql, sizeof(sql), "CREATE ROLE \"%s\" NOLOGIN", name);
	else
		snprintf(sql, sizeof(sql), "GRANT \"%s\" TO SESSION_USER", name);
	result = PQexec(conn->pg, sql);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		LOG(DEBUG, "PostgreSQL makes no role", LOG_TEXT("sql", sql),
		    LOG_TEXT("said", PQresultErrorMessage(result)));
	PQclear(result);
}

static bool refuse_role(const struct pg_conn *conn, const char *why, const char *fix)
{
	LOG(ERROR, "this PostgreSQL cannot be used", LOG_TEXT("room", conn->db->set->name),
	    LOG_TEXT("why", why), LOG_TEXT("fix", fix));
	return false;
}

/* Can rows be read and written as that role, and does a wall hold it? */
static bool role_is_good(const struct pg_conn *conn, const struct acting_role *role)
{
	const char *name = conn->db->options.role;
	char fix[256 + 4 * NAME_MAX_LEN];

	if (role->bypasses) {
		snprintf(fix, sizeof(fix),
			 "ALTER ROLE \"%s\" NOSUPERUSER NOBYPASSRLS; or set MARCA_DB_ROLE to another role",
			 name);
		return refuse_role(conn,
				   "row-level security does not hold the role that reads and writes rows",
				   fix);
	}
	if (!role->there || !role->ours) {
		snprintf(fix, sizeof(fix), "as a superuser: %s%s%sGRANT \"%s\" TO \"%s\";",
			 role->there ? "" : "CREATE ROLE \"", role->there ? "" : name,
			 role->there ? "" : "\" NOLOGIN; ", name, role->login);
		return refuse_role(conn, "the login may not act as the role that reads and writes rows", fix);
	}
	if (role->owns) {
		snprintf(fix, sizeof(fix),
			 "set MARCA_DB_ROLE to another role than \"%s\", which is no member of the owner "
			 "either",
			 name);
		return refuse_role(conn, "the role that reads and writes rows owns tables of the schema",
				   fix);
	}
	return true;
}

static bool role_is_wanted(const struct db *db, const struct acting_role *role)
{
	return !db->options.guest && role->may_make && !role->ours && !role->bypasses;
}

/* It becomes part of a connection's options. */
static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX_LEN && (name[0] < '0' || name[0] > '9') &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

enum rc pg_role_ready(const struct db *db)
{
	struct pg_conn conn;
	struct acting_role role;
	enum rc rc = RC_STORE_DOWN;

	if (!pg_conn_init(&conn, db, PG_SESSION))
		return RC_NO_MEMORY;
	if (!is_name(db->options.role)) {
		(void)refuse_role(&conn, "MARCA_DB_ROLE is no name of a role", "of a-z, 0-9 and _ only");
		rc = RC_INTERNAL;
	} else if (pg_conn_ready(&conn) && read_role(&conn, &role)) {
		for (int i = 0; i < ROLE_TRIES && role_is_wanted(db, &role); i++) {
			make_role(&conn, &role);
			if (!read_role(&conn, &role))
				break;
		}
		rc = role_is_good(&conn, &role) ? RC_OK : RC_INTERNAL;
	}
	pg_conn_finish(&conn);
	return rc;
}

/* --- The wall -------------------------------------------------------------- */

/*
 * What an index searches by stays so: a policy is one more condition, and the operators that indexes search
 * by are leakproof. The subquery is run once, and only when the first row is found. Another form needs
 * another name: by it, the policy of an older marca is seen and made anew.
 */
#define POLICY "tenants_wall"
#define POLICY_USING                                                                                     \
	"COALESCE(tenant_id = ANY ((SELECT string_to_array(NULLIF(NULLIF(current_setting('app.tenant', " \
	"TRUE), ''), '*'), ',')::uuid[])::uuid[]), current_setting('app.tenant', TRUE) = '*')"

/* Of a marca that knew one tenant a statement: it gives way. */
#define OLD_POLICY "tenant_wall"

/* The same for Citus, which takes neither a subquery nor COALESCE: dearer where a query sees many rows. */
#define SPREAD_POLICY "tenant_wall_spread"
#define SPREAD_USING                                                \
	"tenant_id::text = current_setting('app.tenant', TRUE) OR " \
	"current_setting('app.tenant', TRUE) = '*'"
#define POLICIES "('" POLICY "', '" SPREAD_POLICY "')"
#define KNOWN	 "('" POLICY "', '" SPREAD_POLICY "', '" OLD_POLICY "')"

/*
 * The tables of the schema that want something: name, wall, grant; and the name of another's policy. Of
 * ours, those that the login owns; of others', those that the role may read. The room's list of migrations
 * is read by the role, and written by the login only.
 */
#define TABLES_SQL                                                                                           \
	"WITH t AS (SELECT c.oid, c.oid::regclass::text AS name, c.relrowsecurity AND "                      \
	"c.relforcerowsecurity "                                                                             \
	"AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname IN " POLICIES          \
	") AS wall, "                                                                                        \
	"EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' "         \
	"AND NOT a.attisdropped) AS of_tenants, pg_has_role(c.relowner, 'MEMBER') AS own, "                  \
	"has_table_privilege(CAST($1 AS name), c.oid, 'SELECT') AS readable, c.relname = 'marca_schema' OR " \
	"(has_table_privilege(CAST($1 AS name), c.oid, 'INSERT') AND has_table_privilege(CAST($1 AS name), " \
	"c.oid, 'UPDATE') AND "                                                                              \
	"has_table_privilege(CAST($1 AS name), c.oid, 'DELETE')) AS writable, (SELECT p.polname FROM "       \
	"pg_policy p WHERE "                                                                                 \
	"p.polrelid = c.oid AND p.polpermissive AND p.polname NOT IN " KNOWN " LIMIT 1) AS other "           \
	"FROM pg_class c WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) "             \
	"AND c.relkind IN ('r', 'p')) "                                                                      \
	"SELECT name, of_tenants AND NOT wall, own AND NOT (readable AND writable), name = 'marca_schema', " \
	"COALESCE(other, '') FROM t WHERE (own OR readable) AND ((of_tenants AND (NOT wall OR other IS NOT " \
	"NULL)) OR (own AND NOT (readable AND writable)))"

#define SCHEMA_SQL                               \
	"SELECT quote_ident(current_schema()), " \
	"NOT has_schema_privilege(CAST($1 AS name), quote_ident(current_schema()), 'USAGE')"

enum { TABLE_NAME, TABLE_WALL, TABLE_GRANT, TABLE_IS_LIST, TABLE_OTHER };

__attribute__((format(printf, 2, 3))) static enum rc run(struct pg_conn *conn, const char *format, ...)
{
	char sql[512 + 4 * NAME_MAX_LEN];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(sql, sizeof(sql), format, args);
	va_end(args);
	return len < (int)sizeof(sql) ? pg_session_exec((struct session *)conn, sql) : RC_INTERNAL;
}

static enum rc wall_table(struct pg_conn *conn, const char *table)
{
	enum rc rc = run(conn, "ALTER TABLE %s ENABLE ROW LEVEL SECURITY", table);

	if (rc == RC_OK)
		rc = run(conn, "ALTER TABLE %s FORCE ROW LEVEL SECURITY", table);
	if (rc == RC_OK)
		rc = run(conn, "DROP POLICY IF EXISTS " OLD_POLICY " ON %s", table);
	if (rc == RC_OK)
		rc = run(conn, "DROP POLICY IF EXISTS " POLICY " ON %s", table);
	if (rc == RC_OK)
		rc = run(conn, "CREATE POLICY " POLICY " ON %s USING (" POLICY_USING ")", table);
	return rc;
}

enum rc pg_wall_spread(struct session *session, const char *table)
{
	struct pg_conn *conn = (struct pg_conn *)session;
	enum rc rc = run(conn, "DROP POLICY IF EXISTS " POLICY " ON %s", table);

	if (rc == RC_OK)
		rc = run(conn, "DROP POLICY IF EXISTS " SPREAD_POLICY " ON %s", table);
	if (rc == RC_OK)
		rc = run(conn, "CREATE POLICY " SPREAD_POLICY " ON %s USING (" SPREAD_USING ")", table);
	return rc;
}

static enum rc mend_table(struct pg_conn *conn, const PGresult *tables, int i)
{
	const char *name = PQgetvalue(tables, i, TABLE_NAME), *other = PQgetvalue(tables, i, TABLE_OTHER);
	enum rc rc = RC_OK;

	if (other[0] != '\0') {
		LOG(ERROR, "a policy that is not marca's lets rows through; drop it, or make it restrictive",
		    LOG_TEXT("table", name), LOG_TEXT("policy", other));
		return RC_INTERNAL;
	}
	if (is_true(tables, i, TABLE_WALL))
		rc = wall_table(conn, name);
	if (rc == RC_OK && is_true(tables, i, TABLE_GRANT))
		rc = run(conn, "GRANT SELECT%s ON %s TO \"%s\"",
			 is_true(tables, i, TABLE_IS_LIST) ? "" : ", INSERT, UPDATE, DELETE", name,
			 conn->db->options.role);
	return rc;
}

static enum rc mend_schema(struct pg_conn *conn, bool mend, bool *ret_whole)
{
	PGresult *schema = select_by_role(conn, SCHEMA_SQL);
	enum rc rc = schema != NULL ? RC_OK : RC_INTERNAL;

	if (schema != NULL && is_true(schema, 0, 1)) {
		*ret_whole = false;
		if (mend)
			rc = run(conn, "GRANT USAGE ON SCHEMA %s TO \"%s\"", PQgetvalue(schema, 0, 0),
				 conn->db->options.role);
	}
	PQclear(schema);
	return rc;
}

enum rc pg_session_wall(struct session *session, bool mend, bool *ret_whole)
{
	struct pg_conn *conn = (struct pg_conn *)session;
	PGresult *tables = select_by_role(conn, TABLES_SQL);
	struct acting_role role;
	bool whole = true;
	enum rc rc = RC_INTERNAL;

	if (tables != NULL && read_role(conn, &role) && role_is_good(conn, &role))
		rc = mend_schema(conn, mend, &whole);
	for (int i = 0; rc == RC_OK && i < PQntuples(tables); i++) {
		whole = false;
		if (mend)
			rc = mend_table(conn, tables, i);
	}
	PQclear(tables);
	if (rc == RC_OK)
		*ret_whole = whole || mend;
	return rc;
}
