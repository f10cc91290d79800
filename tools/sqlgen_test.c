/*
 * sqlgen_test SQLGEN: what sqlgen refuses, each fault planted once and told with its line; and that the same
 * text without the fault passes; long because each rule of sqlgen's stands here once, as a row of a table.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
/* cmocka wants those before it. */
#include <cmocka.h>

#define HEAD "-- :name  it :one\n-- :scope tenant\n-- :in    tenant_id:uuid id:uuid\n-- :out   id:uuid\n"
#define TOGETHER(rows, mark, out) \
	"-- :name  it " rows "\n-- :scope tenant\n-- " mark "\n-- :in    tenant_id:uuid id:uuid\n" out
#define GOOD	      HEAD "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2;\n"
#define TENANTS(more) "CREATE TABLE a (tenant_id :uuid NOT NULL, " more ") :strict;\n"
#define ACROSS	      "a key of a tenant's table holds tenant_id"
#define TABLE	      "CREATE TABLE things (id :uuid NOT NULL PRIMARY KEY) :strict;\n"

static const char *sqlgen;
static char folder[] = "/tmp/marca-sqlgen-XXXXXX";

struct file {
	const char *name, *text;
};

static char *path_of(const char *name)
{
	static char paths[8][128];
	static size_t next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void read_file(const char *path, char *buf, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(buf, 1, size - 1, file);
	buf[len] = '\0';
	fclose(file);
}

/* Its exit status; what it said is in `said`. */
static int run(const struct file *files, size_t count, char *said, size_t size)
{
	const char *argv[16] = {sqlgen,	    "--room",	     "x", "--header", path_of("out.h"),
				"--source", path_of("out.c")};
	const char *errors = path_of("said");
	int status, argc = 7;
	pid_t pid;

	for (size_t i = 0; i < count; i++) {
		argv[argc] = path_of(files[i].name);
		write_file(argv[argc++], files[i].text);
	}
	unlink(path_of("out.h"));
	pid = fork();
	if (pid == 0) {
		dup2(open(errors, O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
		execv(sqlgen, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	read_file(errors, said, size);
	for (size_t i = 0; i < count; i++)
		unlink(argv[7 + i]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static const struct {
	const char *sql;  /* queries.sql */
	const char *tell; /* what must be said of it: "line: message" */
} faults[] = {
	{HEAD "SELECT t.id FROM things t WHERE t.id = $2 OR t.id = $1;\n", "5: `it`: a tenant's query holds"},
	{"-- :name  it :one\n-- :scope tenant\n-- :neighbours\n-- :in    tenant_id:uuid id:uuid\n-- :out   "
	 "id:uuid\n"
	 "DELETE FROM things WHERE tenant_id = $1 AND id = $2 RETURNING id;\n",
	 "1: `it` writes: neighbours may only read"},
	{"-- :name  it :one\n-- :scope tenant\n-- :replica\n-- :in    tenant_id:uuid id:uuid\n-- :out   "
	 "id:uuid\n"
	 "DELETE FROM things WHERE tenant_id = $1 AND id = $2 RETURNING id;\n",
	 "1: `it` writes: a replica can only be read"},
	{TOGETHER(":none", ":together", "") "DELETE FROM things WHERE tenant_id = $1 AND id = $2;\n",
	 "1: `it`: :together: only of a tenant's INSERT or SELECT"},
	{TOGETHER(":none", ":together", "") "INSERT INTO things (tenant_id, id) VALUES ($1, $2), ($1, $2);\n",
	 "`it`: :together: only of one row"},
	{TOGETHER(":none", ":together", "") "INSERT INTO things (tenant_id, id) VALUES ($1, $2)\n"
					    "ON CONFLICT (tenant_id, id) DO UPDATE SET id = $2;\n",
	 "`it`: :together: no input may stand behind ON CONFLICT"},
	{TOGETHER(":many", ":together by id",
		  "-- :out   id:uuid\n") "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2;\n",
	 "`it`: :together: not of one that gives many rows"},
	{TOGETHER(":maybe", ":together",
		  "-- :out   id:uuid\n") "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2;\n",
	 "`it`: :together: say `:together by NAME` where there are rows"},
	{TOGETHER(":none", ":together by id", "") "INSERT INTO things (tenant_id, id) VALUES ($1, $2);\n",
	 "`it`: :together: say `:together by NAME` where there are rows, and only there"},
	{TOGETHER(":maybe", ":together by x",
		  "-- :out   id:uuid\n") "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2;\n",
	 "`it`: :together: what rows are told apart by is an input"},
	{TOGETHER(
		 ":maybe", ":together by id",
		 "-- :out   id:uuid\n") "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id > $2 ORDER BY t.id LIMIT 1;\n",
	 "`it`: :together: no ORDER, LIMIT or GROUP"},
	{TOGETHER(
		 ":none", ":together",
		 "") "INSERT INTO things (tenant_id, id) SELECT o.tenant_id, $2 FROM things o WHERE o.tenant_id = $1 LIMIT 1;\n",
	 "`it`: :together: no ORDER, LIMIT or GROUP"},
	{TOGETHER(
		 ":none", ":together",
		 "") "INSERT INTO things (tenant_id, id) SELECT o.tenant_id, $2 FROM things o WHERE o.tenant_id = $1 UNION "
		     "SELECT $1, $2 FROM things o WHERE o.tenant_id = $1;\n",
	 "`it`: :together: no ORDER, LIMIT or GROUP"},
	{TOGETHER(
		 ":maybe", ":together by id",
		 "-- :out   id:uuid\n") "SELECT CAST(t.id AS :uuid) FROM things t WHERE t.tenant_id = $1 AND t.id = $2;\n",
	 "`it`: :together: no :type may stand in it"},
	{TOGETHER(":none", ":together for id", "") "INSERT INTO things (tenant_id, id) VALUES ($1, $2);\n",
	 "3: write `:together` or `:together by NAME`"},
	{HEAD "SELECT t.id FROM things t WHERE t.tenant_id = $12 AND t.id = $2;\n", "$12 has no input"},
	{HEAD "INSERT INTO things (tenant_id, id) VALUES ($2, $1) RETURNING id;\n", "a tenant's query holds"},
	{HEAD "INSERT INTO things (tenant_id, id) VALUES ($1, $2), ($2, $2) RETURNING id;\n",
	 "a tenant's query holds"},
	{HEAD "INSERT INTO things (id) SELECT t.id FROM other t WHERE t.id IN ($1, $2) RETURNING id;\n",
	 "a tenant's query holds"},
	{HEAD "SELECT 'tenant_id = $1', t.id FROM things t WHERE t.id IN ($1, $2);\n",
	 "a tenant's query holds"},
	{"-- :name  it :one\n-- :scope tenant\n-- :in    id:uuid tenant_id:uuid\n-- :out   id:uuid\n"
	 "SELECT t.id FROM things t WHERE t.tenant_id = $2 AND t.id = $1;\n",
	 "1: `it`: the first input of a tenant's query is tenant_id:uuid"},
	{"-- :name  it :one\n-- :scope tenant\n-- :in    tenant_id:text\n-- :out   id:uuid\n"
	 "SELECT t.id FROM things t WHERE t.tenant_id = $1;\n",
	 "the first input of a tenant's query"},
	{HEAD "SELECT t.id FROM things t WHERE t.tenant_id = ? AND t.id = ?;\n", "not `?`"},
	{HEAD "SELECT t.id FROM things t WHERE t.tenant_id = $1;\n", "the input `id` ($2) is never used"},
	{HEAD "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2 AND t.x = $3;\n",
	 "5: `it`: $3 has no input"},
	{HEAD "SELECT * FROM things t WHERE t.tenant_id = $1 AND t.id = $2;\n",
	 "5: select *: name the columns"},
	{HEAD "SELECT t.* FROM things t WHERE t.tenant_id = $1 AND t.id = $2;\n", "5: .*: name the columns"},
	{HEAD "DELETE FROM things WHERE tenant_id = $1 AND id = $2 RETURNING *;\n",
	 "returning *: name the columns"},
	{HEAD "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2 AND t.at < now();\n", "now()"},
	{HEAD
	 "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2\n AND t.at < CURRENT_TIMESTAMP;\n",
	 "5: current_timestamp: times are inputs"},
	{HEAD "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2 ORDER BY random ();\n",
	 "random()"},
	{HEAD "SELECT CAST(t.id AS :blob) FROM things t WHERE t.tenant_id = $1 AND t.id = $2;\n",
	 "5: unknown type `:blob`"},
	{HEAD "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2\n", "does not end in `;`"},
	{HEAD "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2; SELECT 1;\n",
	 "something follows the `;`"},
	{GOOD "\n" GOOD, "7: `it` is named twice; first on line 1"},
	{"-- :name  it :one\n-- :in    id:uuid\n-- :out   id:uuid\nSELECT t.id FROM things t WHERE t.id = "
	 "$1;\n",
	 "1: `it` has no -- :scope"},
	{"-- :name  it\n-- :scope global\n-- :out   id:int\nSELECT 1;\n", "1: `it`: say how many rows"},
	{"-- :name  it :one\n-- :scope world\n-- :out   id:int\nSELECT 1;\n", "2: the scope is"},
	{"-- :name  it :one\n-- :scope global\n-- :out   id:number\nSELECT 1;\n", "3: unknown type `number`"},
	{"-- :name  it :one\n-- :scope global\n-- :out   id\nSELECT 1;\n", "3: `id` has no type"},
	{"-- :name  it :one\n-- :scope global\n-- :out   flag:bool?\nSELECT 1;\n",
	 "a bool or an enum is never null"},
	{"-- :name  it :one\n-- :scope global\n-- :out   id:int id:int\nSELECT 1, 2;\n",
	 "3: `id` is named twice"},
	{"-- :name  it :one\n-- :scope global\n-- :out   a.b:int\nSELECT 1;\n", "`a.b` is no name"},
	{"-- :name  it :none\n-- :scope global\n-- :out   id:int\nSELECT 1;\n", "is :none and yet has :out"},
	{"-- :name  it :one\n-- :scope global\nSELECT 1;\n", "gives rows and has no :out"},
	{"-- :name  it :one\n-- :scope global\n-- :out   id:int\n-- :sqlite\nSELECT 1;\n",
	 "has no statement for each dialect"},
	{"-- :name  it :one\n-- :scope global\n-- :out   id:int\n-- :sqlite\nSELECT 1;\n-- :sqlite\nSELECT "
	 "2;\n",
	 "7: `it` has two statements for one dialect"},
	{"-- :nome  it :one\nSELECT 1;\n", "1: `:nome` stands before any :name"},
	{"-- :name  it :one\n-- :scoop global\n-- :scope global\n-- :out   id:int\nSELECT 1;\n",
	 "2: unknown directive `:scoop`"},
	{"SELECT 1;\n", "1: a statement without -- :name"},
	{"-- :name  it :one\n-- :scope global\n-- :out   id:int\n-- a comment */ ends\nSELECT 1;\n",
	 "must not hold `*/`"},
	{HEAD "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2\n AND pg_advisory_lock(1);\n",
	 "5: pg_advisory_lock: locks are rows"},
};

static void test_faults(void **state)
{
	char said[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct file file = {"queries.sql", faults[i].sql};
		int status = run(&file, 1, said, sizeof(said));

		if (status != 1 || strstr(said, faults[i].tell) == NULL)
			fail_msg("status %d, said \"%s\" and not \"%s\", of:\n%s", status, said,
				 faults[i].tell, file.text);
		if (strstr(said, "queries.sql:") == NULL || access(path_of("out.h"), F_OK) == 0)
			fail_msg("no place told, or output left: %s", said);
	}
}

/* --- The wall between tenants ------------------------------------------------------- */

#define WALLED                                                                                               \
	"CREATE TABLE things (tenant_id :uuid NOT NULL, id :uuid, other_id :uuid, PRIMARY KEY (tenant_id, "  \
	"id));\n"                                                                                            \
	"CREATE TABLE others (id :uuid, tenant_id :uuid, PRIMARY KEY (tenant_id, id));\nCREATE TABLE world " \
	"(id :uuid "                                                                                         \
	"PRIMARY KEY, about :text);\n"
#define PUT "-- :name  it :none\n-- :scope tenant\n-- :in    tenant_id:uuid id:uuid\n"

static const char beside_others[] = "5: `it`: beside others stands no `AND o.tenant_id = $1`";
static const char beside_things[] = "5: `it`: beside things stands no `AND t.tenant_id = $1`";

/* Each of them reads, or writes, what may be another tenant's, though `tenant_id = $1` stands in it. */
static const struct {
	const char *sql, *tell;
} holes[] = {
	{HEAD "SELECT o.id FROM things t JOIN others o ON o.id = t.other_id WHERE t.tenant_id = $1 AND t.id "
	      "= $2;\n",
	 beside_others},
	{HEAD "SELECT o.id FROM things t LEFT JOIN others AS o ON o.id = t.other_id\n"
	      "WHERE t.tenant_id = $1 AND t.id = $2;\n",
	 beside_others},
	{HEAD
	 "SELECT o.id FROM things t, others o WHERE t.tenant_id = $1 AND t.id = $2 AND o.id = t.other_id;\n",
	 beside_others},
	{HEAD "SELECT o.id FROM (SELECT 1) w, others o WHERE o.id = $2 AND w.tenant_id = $1;\n",
	 beside_others},
	{HEAD "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2\n"
	      "AND NOT EXISTS (SELECT 1 FROM others o WHERE o.id = t.other_id);\n",
	 beside_others},
	{HEAD "SELECT t.id FROM things t WHERE t.id = $2\n"
	      "AND EXISTS (SELECT 1 FROM others o WHERE o.tenant_id = $1 AND o.id = t.other_id);\n",
	 beside_things},
	{HEAD "SELECT t.id FROM things t WHERE t.id = $2\n"
	      "AND EXISTS (SELECT 1 FROM things t WHERE t.tenant_id = $1);\n",
	 beside_things},
	{HEAD "SELECT o.id FROM things t JOIN others o ON o.tenant_id = t.tenant_id AND o.id = t.other_id\n"
	      "WHERE t.tenant_id = $1 AND t.id = $2;\n",
	 beside_others},
	{HEAD "SELECT t.id FROM things t WHERE NOT t.tenant_id = $1 AND t.id = $2;\n", beside_things},
	{HEAD "SELECT t.id FROM things t WHERE NOT (t.tenant_id = $1) AND t.id = $2;\n", beside_things},
	{HEAD "SELECT t.id FROM things t WHERE t.id = $2 AND t.tenant_id = $1 || t.id;\n", beside_things},
	{HEAD "SELECT t.id FROM things t WHERE t.tenant_id = $1 OR t.id = $2;\n",
	 "an OR beside `tenant_id = $1` undoes it"},
	{HEAD "SELECT t.id FROM things t WHERE t.tenant_id = $1 AND t.id = $2\n"
	      "UNION SELECT t.id FROM things t;\n",
	 "union in a tenant's query"},
	{PUT "UPDATE things SET tenant_id = $1 WHERE id = $2;\n", "beside things stands no"},
	{PUT "UPDATE things SET id = $2, tenant_id = $1;\n", "beside things stands no"},
	{PUT "DELETE FROM things WHERE id = $2 AND EXISTS (SELECT 1 FROM others o WHERE o.tenant_id = $1);\n",
	 "beside things stands no"},
	{PUT "INSERT INTO things (tenant_id, id)\nSELECT $2, o.id FROM others o WHERE o.tenant_id = $1;\n",
	 "the new rows of things are $1's"},
	{PUT "INSERT INTO things (tenant_id, id) SELECT o.tenant_id, o.id FROM others o WHERE o.id IN ($1, "
	     "$2);\n",
	 "beside others stands no"},
	{PUT
	 "INSERT INTO things (tenant_id, id) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET other_id = $2;\n",
	 "ON CONFLICT names tenant_id"},
	{"-- :name  it :one\n-- :scope global\n-- :in    id:uuid\n-- :out   id:uuid\n"
	 "SELECT t.id FROM things t WHERE t.id = $1;\n",
	 "1: `it` is global, on a tenant's table"},
	{"-- :name  it :one\n-- :scope global\n-- :because\n-- :out   id:uuid\nSELECT t.id FROM things t;\n",
	 "3: :because what?"},
};

/* The same questions, asked well. */
static const char *const walled[] = {
	GOOD,
	HEAD "SELECT o.id FROM things t JOIN others o ON o.tenant_id = $1 AND o.id = t.other_id, world w\n"
	     "WHERE t.tenant_id = $1 AND (t.id = $2 OR w.id = $2);\n",
	HEAD "SELECT id FROM things WHERE tenant_id=$1 AND id = $2;\n",
	PUT "UPDATE things AS t SET other_id = $2 WHERE t.id = $2 AND t.tenant_id = $1\n"
	    "AND EXISTS (SELECT 1 FROM things t WHERE t.tenant_id = $1);\n",
	PUT "INSERT INTO things (id, tenant_id) SELECT $2, o.tenant_id FROM others o WHERE o.tenant_id = $1\n"
	    "ON CONFLICT (tenant_id, id) DO UPDATE SET other_id = $2;\n",
	"-- :name  it :one\n-- :scope operator\n-- :in    id:uuid\n-- :out   tenant_id:uuid\n"
	"SELECT t.tenant_id FROM things t WHERE t.id = $1;\n",
	"-- :name  it :one\n-- :scope global\n-- :because Nobody has a tenant yet.\n-- :out   id:uuid\n"
	"SELECT t.id FROM things t;\n",
	"-- :because The file's own.\n\n-- :name  it :one\n-- :scope global\n-- :out   id:uuid\n"
	"SELECT t.id FROM things t;\n",
	"-- :name  it :one\n-- :scope global\n-- :out   id:uuid\nSELECT w.id FROM world w;\n",
};

static void test_wall(void **state)
{
	char said[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		const struct file files[] = {{"queries.sql", holes[i].sql}, {"0001_a.sql", WALLED}};
		int status = run(files, 2, said, sizeof(said));

		if (status != 1 || strstr(said, holes[i].tell) == NULL)
			fail_msg("status %d, said \"%s\" and not \"%s\", of:\n%s", status, said,
				 holes[i].tell, holes[i].sql);
	}
	for (size_t i = 0; i < sizeof(walled) / sizeof(walled[0]); i++) {
		const struct file files[] = {{"queries.sql", walled[i]}, {"0001_a.sql", WALLED}};

		if (run(files, 2, said, sizeof(said)) != 0)
			fail_msg("said \"%s\", of:\n%s", said, walled[i]);
	}
}

/* What is not a tenant's tells so in the table that docs/ and the store go by. */
static void test_scopes(void **state)
{
	static const struct {
		const char *scope, *emitted;
	} scopes[] = {
		{"-- :scope operator\n", ".operators = true,\n\t.why = \"The operator's.\""},
		{"-- :scope global\n-- :because Of \"this\".\n", ".why = \"Of \\\"this\\\".\""},
	};
	char sql[512], said[4096], out[32768], *own;

	(void)state;
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
		const struct file files[] = {{"queries.sql", sql}, {"0001_a.sql", WALLED}};

		snprintf(sql, sizeof(sql),
			 "-- :name  it :one\n%s-- :out   id:uuid\nSELECT t.id FROM things t;\n",
			 scopes[i].scope);
		if (run(files, 2, said, sizeof(said)) != 0)
			fail_msg("%s", said);
		read_file(path_of("out.c"), out, sizeof(out));
		own = strstr(out, "x_rows_things"); /* what sqlgen adds for the table is a tenant's */
		if (own == NULL)
			fail_msg("no queries for the table in:\n%s", out);
		*own = '\0';
		if (strstr(out, scopes[i].emitted) == NULL || strstr(out, ".tenant = true") != NULL)
			fail_msg("not \"%s\" in:\n%s", scopes[i].emitted, out);
	}
}

/* --- Migrations ---------------------------------------------------------------------- */

static const struct {
	const char *first, *second; /* their names */
	const char *sql;	    /* of the first */
	const char *tell;
} bad_migrations[] = {
	{"0001_a.sql", "0003_b.sql", TABLE,
	 "0003_b.sql:1: migrations are numbered without gaps, in order: 0002 is due"},
	{"0001_a.sql", "0001_b.sql", TABLE, "numbered without gaps"},
	{"0002_a.sql", "0001_b.sql", TABLE, "numbered without gaps"},
	{"0001_a.sql", "2_b.sql", TABLE, "a migration is named like 0001_first.sql"},
	{"0001_a.sql", "0002_b.sql", "-- nothing\n", "0001_a.sql:1: an empty migration"},
	{"0001_a.sql", "0002_b.sql", "\nCREATE TABLE t (id :uid) :strict;\n",
	 "0001_a.sql:2: unknown type `:uid`"},
	{"0001_a.sql", "0002_b.sql", "CREATE TABLE t (at :time DEFAULT now());\n", "now()"},
	{"0001_a.sql", "0002_b.sql", "CREATE TABLE t (id :uuid DEFAULT $1);\n",
	 "a migration has no parameters"},
	{"0001_a.sql", "0002_b.sql", "CREATE TRIGGER t AFTER INSERT ON x EXECUTE FUNCTION f();\n", "trigger"},
	{"0001_a.sql", "0002_b.sql", "CREATE TABLE t (id :uuid) :strict;\n", "table `t` has no primary key"},
	{"0001_a.sql", "0002_b.sql",
	 "CREATE TABLE t (id :uuid PRIMARY KEY);\nALTER TABLE t RENAME COLUMN id TO a;\n",
	 "0001_a.sql:2: sqlgen_tables.c knows ADD COLUMN, DROP COLUMN and RENAME TO"},
	{"0001_a.sql", "0002_b.sql", "ALTER TABLE t ADD COLUMN c :int;\n",
	 "ALTER TABLE of one that was not created"},
	{"0001_a.sql", "0002_b.sql", "DROP TABLE t;\n", "DROP TABLE of one that was not created"},
	{"0001_a.sql", "0002_b.sql",
	 "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES b (a) DEFERRABLE;\n", "deferrable"},
	/* What is not safe beside the version before. */
	{"0001_a.sql", "0002_b.sql", "DROP TABLE t;\n", "only tables, indexes and columns that come"},
	{"0001_a.sql", "0002_b.sql", "ALTER TABLE t DROP COLUMN c;\n", "that come are safe"},
	{"0001_a.sql", "0002_b.sql", "ALTER TABLE t RENAME COLUMN c TO d;\n", "that come are safe"},
	{"0001_a.sql", "0002_b.sql", "ALTER TABLE t RENAME TO d;\n", "that come are safe"},
	{"0001_a.sql", "0002_b.sql", "-- :postgres\nALTER TABLE t ALTER COLUMN c TYPE :int;\n",
	 "that come are safe"},
	{"0001_a.sql", "0002_b.sql", "ALTER TABLE t ALTER COLUMN c SET NOT NULL;\n", "that come are safe"},
	{"0001_a.sql", "0002_b.sql", "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0);\n", "that come are safe"},
	{"0001_a.sql", "0002_b.sql", "DROP INDEX i;\n", "that come are safe"},
	{"0001_a.sql", "0002_b.sql", "UPDATE t SET a = 1;\n", "that come are safe"},
	{"0001_a.sql", "0002_b.sql", "DELETE FROM t;\n", "that come are safe"},
	{"0001_a.sql", "0002_b.sql", "INSERT INTO t (a) VALUES (1);\n", "rows of a table in use"},
	{"0001_a.sql", "0002_b.sql", "ALTER TABLE t ADD COLUMN c :int NOT NULL;\n",
	 "NOT NULL without DEFAULT"},
	{"0001_a.sql", "0002_b.sql", "ALTER TABLE t ADD COLUMN c :int REFERENCES o (a);\n",
	 "with a constraint"},
	{"0001_a.sql", "0002_b.sql", "ALTER TABLE t ADD COLUMN c :int CHECK (c > 0);\n", "with a constraint"},
	{"0001_a.sql", "0002_b.sql", "CREATE INDEX i ON t (a);\n", "makes writers wait"},
	{"0001_a.sql", "0002_b.sql", "-- :online\nCREATE UNIQUE INDEX i ON t (a);\n",
	 "CREATE INDEX and nothing else"},
	{"0001_a.sql", "0002_b.sql", "-- :blocking It is small.\nCREATE UNIQUE INDEX i ON t (a);\n",
	 "a unique index on a table in use"},
	{"0001_a.sql", "0002_b.sql", "-- :online\nCREATE INDEX i ON t (a);\nCREATE TABLE u (a :int);\n",
	 "CREATE INDEX and nothing else"},
	{"0001_a.sql", "0002_b.sql", "-- :blocking\nCREATE INDEX i ON t (a);\n", "say why"},
	{"0001_a.sql", "0002_b.sql", "-- :contract since=1\nDROP TABLE t;\n", "say why"},
	{"0001_a.sql", "0002_b.sql", "-- :contract since=1 Nobody reads it.\nDROP TABLE t;\n",
	 "an earlier migration"},
	{"0001_a.sql", "0002_b.sql", "-- :contract since=x Nobody reads it.\nDROP TABLE t;\n",
	 "a migration's number"},
	{"0001_a.sql", "0002_b.sql", "-- :contracts since=1 Nobody reads it.\nDROP TABLE t;\n",
	 "-- :blocking why"},
	/* Keys that would cross tenants, and so machines. */
	{"0001_a.sql", "0002_b.sql", TENANTS("id :uuid NOT NULL PRIMARY KEY"), "1: " ACROSS},
	{"0001_a.sql", "0002_b.sql", TENANTS("id :uuid, PRIMARY KEY (id)"), "1: " ACROSS},
	{"0001_a.sql", "0002_b.sql", TENANTS("id :uuid UNIQUE"), "1: " ACROSS},
	{"0001_a.sql", "0002_b.sql", TENANTS("id :uuid, n :text, UNIQUE (n, id)"), "1: " ACROSS},
	{"0001_a.sql", "0002_b.sql", TENANTS("id :uuid REFERENCES b (id)"), "1: " ACROSS},
	{"0001_a.sql", "0002_b.sql",
	 TENANTS("id :uuid, CONSTRAINT f FOREIGN KEY (id) REFERENCES b (tenant_id)"), "1: " ACROSS},
	{"0001_a.sql", "0002_b.sql",
	 TENANTS("id :uuid, CONSTRAINT f FOREIGN KEY (tenant_id, id) REFERENCES b (x, y)"), "1: " ACROSS},
	{"0001_a.sql", "0002_b.sql", TENANTS("id :uuid") "CREATE UNIQUE INDEX i ON a (id);\n", "2: " ACROSS},
	{"0001_a.sql", "0002_b.sql",
	 TENANTS("id :uuid") "ALTER TABLE a ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES b (id);\n",
	 "2: " ACROSS},
	{"0001_a.sql", "0002_b.sql",
	 "-- :because of a whim\n" TENANTS("id :uuid, PRIMARY KEY (tenant_id, id)"),
	 "2: -- :because of nothing"},
	{"0001_a.sql", "0002_b.sql",
	 "-- :because it is the first one's\n" TENANTS(
		 "id :uuid UNIQUE") "CREATE UNIQUE INDEX i ON a (id);\n",
	 "3: " ACROSS},
};

/* What is, and what the marks let pass: as the third of a room. */
static const char *const good_migrations[] = {
	("CREATE TABLE u (id :int NOT NULL PRIMARY KEY);\nCREATE UNIQUE INDEX i ON u (id);\n"
	 "CREATE INDEX j ON u (id);\nINSERT INTO u (id) VALUES (1);\nALTER TABLE u ADD COLUMN c :int NOT NULL;\n"),
	"ALTER TABLE t ADD COLUMN c :int;\nALTER TABLE t ADD COLUMN d :bool NOT NULL DEFAULT FALSE;\n",
	"-- :online\nCREATE INDEX i ON t (a);\n",
	"-- :blocking It is small.\nCREATE INDEX i ON t (a);\nALTER TABLE t ADD COLUMN c :int;\n",
	"-- :contract since=2 Nobody has read it since.\nDROP TABLE t;\nALTER TABLE v RENAME TO w;\n",
};

static void test_good_migrations(void **state)
{
	char said[4096], out[32768];

	(void)state;
	for (size_t i = 0; i < sizeof(good_migrations) / sizeof(good_migrations[0]); i++) {
		const struct file files[] = {{"queries.sql", GOOD},
					     {"0001_a.sql", TABLE},
					     {"0002_b.sql",
					      "CREATE TABLE t (a :int NOT NULL PRIMARY KEY);\n"
					      "CREATE TABLE v (a :int NOT NULL PRIMARY KEY);\n"},
					     {"0003_c.sql", good_migrations[i]}};

		if (run(files, 4, said, sizeof(said)) != 0)
			fail_msg("said \"%s\", of:\n%s", said, good_migrations[i]);
		read_file(path_of("out.c"), out, sizeof(out));
		assert_int_equal(strstr(good_migrations[i], ":online") != NULL,
				 strstr(out, "\"CREATE INDEX CONCURRENTLY i ON t (a)\"") != NULL);
		assert_int_equal(strstr(good_migrations[i], ":contract") != NULL,
				 strstr(out, "migration_0003_postgres}, 2, false}") != NULL);
	}
}

static void test_bad_migrations(void **state)
{
	char said[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(bad_migrations) / sizeof(bad_migrations[0]); i++) {
		const struct file files[] = {{"queries.sql", GOOD},
					     {bad_migrations[i].first, bad_migrations[i].sql},
					     {bad_migrations[i].second, TABLE}};
		int status = run(files, 3, said, sizeof(said));

		if (status != 1 || strstr(said, bad_migrations[i].tell) == NULL)
			fail_msg("status %d, said \"%s\" and not \"%s\"", status, said,
				 bad_migrations[i].tell);
	}
}

/* What a file may say, all at once; and what both dialects make of it. */
static void test_good(void **state)
{
	static const char queries[] =
		"-- A word on the file.\n"
		"-- :include a/b.h\n\n"
		"-- Above the name.\n" GOOD "\n"
		"-- :name  put :none\n-- :scope tenant\n-- :in    struct thing: tenant_id:uuid "
		"label.name:text?\n"
		"--        colour:enum(colour)\n-- Below, with 'quotes'; and $9 and ?.\n"
		"INSERT INTO things (name, tenant_id, colour) VALUES ($2, $1, $3); -- the end\n\n"
		"-- :name  copy :none\n-- :scope tenant\n-- :in    tenant_id:uuid\n"
		"INSERT INTO things (tenant_id, name)\nSELECT $1, o.name FROM others o;\n\n"
		"-- :name  all :many\n-- :scope global\n-- :out   n:int text:text\n"
		"-- :sqlite\nSELECT COUNT(*), 'it''s; $7 ? :none' FROM x;\n"
		"-- :postgres\nSELECT COUNT(*), CAST('a' AS :text)::text FROM x;\n"
		"-- :name  few :many\n-- :scope tenant\n-- :in    tenant_id:uuid\n-- :out   n:int\n"
		"SELECT t.n FROM things t :index_some_a\n WHERE t.tenant_id = $1;\n";
	static const char shared[] = "-- :name  :room_count :one\n-- :scope global\n-- :out   n:int\n"
				     "SELECT COUNT(*) FROM :room_things t;\n";
	const struct file files[] = {
		{"queries.sql", queries},
		{"shared.sql", shared},
		{"0001_a.sql", TABLE "-- :sqlite\nCREATE INDEX a ON things (id);\n"
				     "CREATE TABLE :room_things (id :int PRIMARY KEY) :clustered;\n"},
		{"0002_b.sql", TENANTS("id :uuid, n :int DEFAULT 0, PRIMARY KEY (id, "
				       "tenant_id), CONSTRAINT f FOREIGN "
				       "KEY (tenant_id, id) REFERENCES b (tenant_id, "
				       "x)") "CREATE UNIQUE INDEX i ON a (n, "
					     "tenant_id);\nCREATE INDEX j ON a (n);\n"
					     "-- :because a number is for "
					     "all\nCREATE UNIQUE INDEX k ON a (n);\n"
					     "ALTER TABLE a ADD COLUMN "
					     "primary_colour :text;\n"
					     "CREATE TABLE c (tenant_id :uuid NOT "
					     "NULL PRIMARY KEY, n :int) :strict;\n"},
	};
	char said[4096], out[32768];

	(void)state;
	if (run(files, 4, said, sizeof(said)) != 0)
		fail_msg("%s", said);
	read_file(path_of("out.h"), out, sizeof(out));
	assert_non_null(strstr(out, "#include \"a/b.h\""));
	assert_non_null(strstr(out, "/*\n * Above the name.\n */\nstruct q_it_in {"));
	assert_non_null(strstr(out, "struct q_it_out {\n\tstruct uuid id;\n};"));
	assert_non_null(strstr(out, "(((struct thing *)0)->label.name), const char *)"));
	assert_non_null(strstr(out, "q_it(struct ctx *cx, const struct q_it_in *in, struct q_it_out **ret)"));
	assert_non_null(strstr(out, "struct q_all_out **ret, size_t *ret_count)"));
	assert_null(strstr(out, "q_put(struct ctx"));
	assert_non_null(strstr(out, "q_x_count(struct ctx *cx"));
	read_file(path_of("out.c"), out, sizeof(out));
	assert_non_null(strstr(out, "\"CREATE TABLE things (id BLOB NOT NULL PRIMARY KEY) STRICT\""));
	assert_non_null(strstr(out, "\"CREATE TABLE things (id uuid NOT NULL PRIMARY KEY) \""));
	assert_non_null(strstr(out, "\"SELECT COUNT(*) FROM x_things t\""));
	assert_non_null(
		strstr(out, "\"CREATE TABLE x_things (id INTEGER PRIMARY KEY) STRICT, WITHOUT ROWID\""));
	assert_non_null(strstr(out, "'it''s; $7 ? :none'"));
	assert_non_null(strstr(out, "things t INDEXED BY some_a\\n"));
	assert_non_null(strstr(out, "things t \\n"));
	assert_non_null(strstr(out, "CAST('a' AS text)::text"));
	assert_non_null(
		strstr(out,
		       ".kind = DB_ENUM, .offset = offsetof(struct thing, colour), .names = &colour_names"));
	assert_null(strstr(out, "the end"));
}

/* What is made of a query so that it serves many inputs. */
static void test_together(void **state)
{
	static const struct {
		const char *head, *sql, *made;
	} cases[] = {
		{TOGETHER(":none", ":together", ""),
		 "INSERT INTO things (tenant_id, id, n) VALUES ($1, $2, 1) ON CONFLICT (tenant_id, id) DO NOTHING;\n",
		 "\"INSERT INTO things (tenant_id, id, n) SELECT given.p1, given.p2, 1 FROM unnest($1::uuid[], "
		 "$2::uuid[]) AS given(p1, p2) ON CONFLICT (tenant_id, id) DO NOTHING\","},
		{TOGETHER(":maybe", ":together by id", "-- :out   n:int\n"),
		 "INSERT INTO things (tenant_id, id, n) SELECT o.tenant_id, $2, '$1' FROM others o "
		 "WHERE o.tenant_id = $1 RETURNING n;\n",
		 "SELECT o.tenant_id, given.p2, '$1' FROM unnest($1::uuid[], $2::uuid[]) AS given(p1, p2) CROSS "
		 "JOIN others o WHERE o.tenant_id = given.p1 RETURNING tenant_id, id, n\",\n\t.together_by = 1,\n\t.in"},
		{TOGETHER(":maybe", ":together by id", "-- :out   id:uuid\n"),
		 "INSERT INTO things (tenant_id, id) SELECT $1, $2 FROM other o WHERE o.tenant_id = $1 AND NOT EXISTS "
		 "(SELECT 1 FROM things t WHERE t.tenant_id = $1 AND t.id = $2) RETURNING id;\n",
		 ".looks_at_own = true,"},
		{TOGETHER(":maybe", ":together by id", "-- :out   n:int\n"),
		 "SELECT t.n FROM things t WHERE t.tenant_id = $1 AND t.id = $2;\n",
		 "\"SELECT given.p1, given.p2, t.n FROM unnest($1::uuid[], $2::uuid[]) AS given(p1, p2) CROSS JOIN "
		 "things t WHERE t.tenant_id = given.p1 AND t.id = given.p2\","},
	};
	char text[2048], said[4096], out[32768];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct file files[] = {{"queries.sql", text},
					     {"0001_a.sql", TABLE TENANTS("PRIMARY KEY (tenant_id)")}};

		snprintf(text, sizeof(text), "%s%s", cases[i].head, cases[i].sql);
		if (run(files, 2, said, sizeof(said)) != 0)
			fail_msg("%s", said);
		read_file(path_of("out.c"), out, sizeof(out));
		if (strstr(out, cases[i].made) == NULL)
			fail_msg("no %s in\n%s", cases[i].made, out);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),		cmocka_unit_test(test_wall),
		cmocka_unit_test(test_scopes),		cmocka_unit_test(test_bad_migrations),
		cmocka_unit_test(test_good_migrations), cmocka_unit_test(test_good),
		cmocka_unit_test(test_together),
	};
	int failed;

	if (argc != 2 || mkdtemp(folder) == NULL)
		return EXIT_FAILURE;
	sqlgen = argv[1];
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path_of("out.h"));
	unlink(path_of("out.c"));
	unlink(path_of("said"));
	rmdir(folder);
	return failed;
}
