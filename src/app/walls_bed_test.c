/* See walls_bed_test.h. */
#include "app/walls_bed_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PASSES_MAX 5 /* each fills the tables whose foreign keys the one before has filled */

PGresult *bed_sql(PGconn *pg, const char *sql)
{
	PGresult *result = PQexec(pg, sql);
	ExecStatusType status = PQresultStatus(result);

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		fail_msg("%s: %s", sql, PQerrorMessage(pg));
	return result;
}

static void do_sql(PGconn *pg, const char *sql)
{
	PQclear(bed_sql(pg, sql));
}

char *bed_text(PGconn *pg, const char *sql)
{
	PGresult *result = bed_sql(pg, sql);
	char *text = strdup(PQgetvalue(result, 0, 0));

	PQclear(result);
	return text;
}

/* --- Schemas ----------------------------------------------------------------- */

static void schema_name(char *buf, size_t size, const char *kind)
{
	snprintf(buf, size, "walls_%s_%d", kind, getpid());
}

static void drop_schema(PGconn *pg, const char *kind)
{
	char name[64], sql[128];

	schema_name(name, sizeof(name), kind);
	snprintf(sql, sizeof(sql), "DROP SCHEMA IF EXISTS %s CASCADE", name);
	do_sql(pg, sql);
}

static void migrate(const struct bed *bed, const char *url)
{
	const struct db_options options = {.url = url, .world = &bed->world};
	struct db *db;

	for (size_t room = 0; room < SERVICE_COUNT; room++) {
		assert_int_equal(db_open(app_queries[room], &options, &db), RC_OK);
		assert_int_equal(db_migrate(db, -1, NULL), RC_OK);
		db_close(db);
	}
}

static PGconn *make_schema(const struct bed *bed, const char *server, const char *kind)
{
	PGconn *pg = PQconnectdb(server);
	char name[64], url[512], sql[256];

	assert_int_equal(PQstatus(pg), CONNECTION_OK);
	schema_name(name, sizeof(name), kind);
	do_sql(pg, "SET client_min_messages = warning");
	drop_schema(pg, kind);
	snprintf(sql, sizeof(sql), "CREATE SCHEMA %s", name);
	do_sql(pg, sql);
	snprintf(url, sizeof(url), "%s?options=-csearch_path%%3D%s", server, name);
	migrate(bed, url);
	snprintf(sql, sizeof(sql), "SET search_path = %s; SET app.tenant = '*'", name);
	do_sql(pg, sql);
	return pg;
}

/* --- Rows --------------------------------------------------------------------- */

/* What is deleted is nobody's resource or user any more, and not every category has a resource. */
static const char value_sql[] =
	"CREATE FUNCTION pg_temp.value(tab name, col pg_attribute, id text, number text, word text) "
	"RETURNS text LANGUAGE sql AS $$ SELECT CASE "
	"WHEN col.attname = 'tenant_id' THEN '" OTHERS "' "
	"WHEN tab = 'gone' AND col.attname = 'id' THEN '" GONE "' "
	"WHEN tab = 'resources' AND col.attname = 'category_id' THEN '" ROW_2 "' "
	"WHEN col.atttypid = 'uuid'::regtype THEN id "
	"WHEN col.atttypid = 'bigint'::regtype THEN number "
	"WHEN col.atttypid = 'boolean'::regtype THEN 'true' "
	"WHEN col.atttypid = 'jsonb'::regtype THEN '{}' "
	"WHEN col.attnotnull THEN word ELSE '" SPARE "' END $$";

/* An INSERT for each table of tenants: three rows of the other tenant. */
static const char inserts_sql[] =
	"SELECT format('INSERT INTO %I (%s) VALUES (%s), (%s), (%s) ON CONFLICT DO NOTHING', relname, "
	"string_agg(quote_ident(attname), ', '), "
	"string_agg(quote_nullable(CASE WHEN attnotnull OR attname = 'next_at' "
	"OR NOT (attname LIKE '%\\_at' OR attname = 'sequence') "
	"THEN pg_temp.value(relname, a, '" ROW_1 "', '5', '" WORD_1 "') END), ', '), "
	"string_agg(quote_nullable(pg_temp.value(relname, a, '" ROW_2 "', '0', '" WORD_2 "')), ', '), "
	"string_agg(quote_nullable(CASE WHEN attnotnull OR attname = 'change_id' "
	"THEN pg_temp.value(relname, a, '" ROW_3 "', '7', '" WORD_3 "') END), ', ')) "
	"FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped "
	"WHERE relkind = 'r' AND relnamespace = to_regnamespace(current_schema()) "
	"GROUP BY relname HAVING bool_or(attname = 'tenant_id')";

static void fill(PGconn *pg)
{
	PGresult *inserts, *done;
	int failed = 1;

	do_sql(pg, value_sql);
	inserts = bed_sql(pg, inserts_sql);
	for (int pass = 0; failed > 0 && pass < PASSES_MAX; pass++) {
		failed = 0;
		for (int i = 0; i < PQntuples(inserts); i++) {
			done = PQexec(pg, PQgetvalue(inserts, i, 0));
			failed += PQresultStatus(done) != PGRES_COMMAND_OK;
			PQclear(done);
		}
	}
	if (failed > 0)
		fail_msg("%d tables cannot be filled; the last word: %s", failed, PQerrorMessage(pg));
	PQclear(inserts);
}

#define OF_TENANTS                                                                                      \
	"FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace(current_schema()) " \
	"AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')"

static const char digest_sql[] =
	"SELECT 'SELECT md5(string_agg(x, ''|'' ORDER BY x)) FROM (' || string_agg(format("
	"'SELECT %L || t::text AS x FROM %I t WHERE t.tenant_id <> ''" OURS "''', c.relname, c.relname), "
	"' UNION ALL ') || ') r' " OF_TENANTS;

void bed_force(struct bed *bed, bool force)
{
	PGresult *tables = bed_sql(bed->full, "SELECT c.relname " OF_TENANTS);
	char sql[160];

	for (int i = 0; i < PQntuples(tables); i++) {
		snprintf(sql, sizeof(sql), "ALTER TABLE %s %s ROW LEVEL SECURITY", PQgetvalue(tables, i, 0),
			 force ? "FORCE" : "NO FORCE");
		do_sql(bed->full, sql);
	}
	PQclear(tables);
}

struct bed *bed_open(const char *server)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	world_init(&bed->world, UTIME_NONE);
	bed->full = make_schema(bed, server, "full");
	bed->empty = make_schema(bed, server, "empty");
	fill(bed->full);
	bed->others_rows = bed_text(bed->full, digest_sql);
	return bed;
}

void bed_close(struct bed *bed)
{
	drop_schema(bed->full, "full");
	drop_schema(bed->full, "empty");
	PQfinish(bed->full);
	PQfinish(bed->empty);
	free(bed->others_rows);
	free(bed);
}

/* --- One query ------------------------------------------------------------------ */

static Oid type_of(enum db_kind kind)
{
	static const Oid types[] = {
		[DB_UUID] = 2950, [DB_TIME] = 20,   [DB_INT] = 20,  [DB_BOOL] = 16,
		[DB_TEXT] = 25,	  [DB_JSON] = 3802, [DB_ENUM] = 25,
	};

	return types[kind];
}

static char *rows_of(const PGresult *result)
{
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	for (int i = 0; i < PQntuples(result); i++) {
		for (int j = 0; j < PQnfields(result); j++)
			fprintf(out, "%s|", PQgetisnull(result, i, j) ? "NULL" : PQgetvalue(result, i, j));
		fputc('\n', out);
	}
	fclose(out);
	return text;
}

/* PostgreSQL's text of an array of one. The caller frees it. */
static char *array_of(const char *value)
{
	size_t room = 2 * (value != NULL ? strlen(value) : 0) + sizeof("{NULL}"), len = 0;
	char *text = malloc(room);

	assert_non_null(text);
	text[len++] = '{';
	if (value == NULL) {
		memcpy(text, "{NULL}", sizeof("{NULL}"));
		return text;
	}
	text[len++] = '"';
	for (const char *p = value; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			text[len++] = '\\';
		text[len++] = *p;
	}
	memcpy(text + len, "\"}", sizeof("\"}"));
	return text;
}

static PGresult *ask(PGconn *pg, bool together, const struct query *query, const char *sql,
		     const char *const values[INPUTS_MAX])
{
	char *arrays[INPUTS_MAX] = {NULL};
	Oid types[INPUTS_MAX];
	PGresult *result;

	for (size_t i = 0; i < query->in_count; i++) {
		types[i] = together ? InvalidOid : type_of(query->in[i].kind); /* it is in the text */
		if (together)
			arrays[i] = array_of(values[i]);
	}
	result = PQexecParams(pg, sql, (int)query->in_count, types,
			      together ? (const char *const *)arrays : values, NULL, NULL, 0);
	for (size_t i = 0; i < query->in_count; i++)
		free(arrays[i]);
	return result;
}

struct yield bed_run(const struct bed *bed, PGconn *pg, bool walled, bool together, const struct query *query,
		     const char *sql, const char *const values[INPUTS_MAX])
{
	struct yield yield = {.rows = NULL};
	PGresult *result;

	do_sql(pg, "BEGIN");
	if (walled)
		do_sql(pg, "SET LOCAL ROLE marca_app");
	do_sql(pg, "SET LOCAL app.tenant = '" OURS "'");
	result = ask(pg, together, query, sql, values);
	if (PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK) {
		yield.rows = rows_of(result);
		do_sql(pg, "SET LOCAL ROLE NONE");
		do_sql(pg, "SET LOCAL app.tenant = '*'");
		yield.others = bed_text(pg, bed->others_rows);
	} else {
		snprintf(yield.state, sizeof(yield.state), "%s",
			 PQresultErrorField(result, PG_DIAG_SQLSTATE));
	}
	PQclear(result);
	do_sql(pg, "ROLLBACK");
	return yield;
}

void yield_free(struct yield *yield)
{
	free(yield->rows);
	free(yield->others);
}
