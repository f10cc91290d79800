/*
 * The second wall between tenants, on PostgreSQL, proven on what it is for: every query of a tenant's is
 * bent, and run by a tenant who has no rows, where another one's are. It must yield what it yields where
 * there are no rows at all, and leave the other's as they are. Two ways of bending:
 *
 *   forgotten  each `tenant_id = $1` of its SQL holds for every row
 *   confused   its first input is the other tenant, or a third one
 *
 * And so with what is made of it to be run for many inputs at once (struct query: together).
 *
 * As a control, the same without the wall: there each of them must do harm, or the proof proves nothing. The
 * inputs with which it does are looked for, and are those that the wall is tried with.
 */
#include "app/walls_bed_test.h"

#include <stdio.h>
#include <stdlib.h>

#define SQL_MAX 16384

static struct bed *bed;

/* --- Bending ----------------------------------------------------------------------- */

enum way { FORGOTTEN, CONFUSED, FORGOTTEN_TOGETHER, CONFUSED_TOGETHER, WAY_COUNT };
static const char *const way_names[] = {"forgotten", "confused", "forgotten for many", "confused for many"};
static const char *const filters[] =
	{[FORGOTTEN] = "tenant_id = $1", [FORGOTTEN_TOGETHER] = "tenant_id = given.p1"};

static bool is_together(enum way way)
{
	return way == FORGOTTEN_TOGETHER || way == CONFUSED_TOGETHER;
}

static bool is_confused(enum way way)
{
	return way == CONFUSED || way == CONFUSED_TOGETHER;
}

/* Copies, with `(x.tenant_id = $1 OR TRUE)` for each `x.tenant_id = $1`. Returns how many there were. */
static size_t forget(const char *sql, const char *filter, char ret[SQL_MAX])
{
	const char *from = sql;
	size_t count = 0, len = 0;

	for (const char *at; (at = strstr(from, filter)) != NULL; from = at + strlen(filter)) {
		const char *begin = at;

		if (strspn(at + strlen(filter), "0123456789") > 0) { /* $10 */
			len += (size_t)snprintf(ret + len, SQL_MAX - len, "%.*s",
						(int)(at + strlen(filter) - from), from);
			continue;
		}
		while (begin > from && strchr("abcdefghijklmnopqrstuvwxyz_.", begin[-1]) != NULL)
			begin--;
		len += (size_t)snprintf(ret + len, SQL_MAX - len, "%.*s(%.*s OR TRUE)", (int)(begin - from),
					from, (int)(at + strlen(filter) - begin), begin);
		count++;
	}
	assert_true((size_t)snprintf(ret + len, SQL_MAX - len, "%s", from) < SQL_MAX - len);
	return count;
}

/* --- Inputs ------------------------------------------------------------------------- */

/* How a column is compared to an input. */
enum compared { EQUAL, ABOVE, BELOW, NOTHING, COMPARED_COUNT };

#define NIL    "00000000-0000-0000-0000-000000000000"
#define LAST   "ffffffff-ffff-ffff-ffff-ffffffffffff"
#define LARGE  "1000000000000000"
#define LARGER (LARGE "1")

/* What finds one of the rows, whatever it is compared by. */
#define ROWS 3
#define FINDS(id, number, word)                                                                    \
	{                                                                                          \
		[DB_UUID] = {id, NIL, LAST, NULL}, [DB_TIME] = {number, "0", LARGE, NULL},         \
		[DB_INT] = {number, "0", LARGE, NULL}, [DB_BOOL] = {"true", "true", "true", NULL}, \
		[DB_TEXT] = {word, "", "~", NULL}, [DB_JSON] = {"{}", "{}", "{}", NULL},           \
		[DB_ENUM] = {word, "", "~", NULL},                                                 \
	}
static const char *const finds[ROWS][DB_ENUM + 1][COMPARED_COUNT] = {
	FINDS(ROW_1, "5", WORD_1),
	FINDS(ROW_2, "0", WORD_2),
	FINDS(ROW_3, "7", WORD_3),
};

/* What else may be tried in the place of one that does no harm. */
#define MORE_MAX 8
#define NUMBERS                                   \
	{                                         \
		LARGER, "0", "5", "7", "1", LARGE \
	}
#define WORDS                                                      \
	{                                                          \
		WORD_2, SPARE, "terceiro", WORD_3, WORD_1, "", "~" \
	}
static const char *const more[][MORE_MAX] = {
	[DB_UUID] = {ROW_2, GONE, NO_ROW, ROW_3, ROW_1, NIL, LAST},
	[DB_TIME] = NUMBERS,
	[DB_INT] = NUMBERS,
	[DB_BOOL] = {"false", "true"},
	[DB_TEXT] = WORDS,
	[DB_JSON] = {"[]"},
	[DB_ENUM] = WORDS,
};

/* By the operator before its first place in the SQL, or the LIMIT. */
static enum compared compared_by(const char *sql, size_t number)
{
	char name[8];
	const char *at = sql;
	size_t len = (size_t)snprintf(name, sizeof(name), "$%zu", number);

	do {
		at = strstr(at, name);
		assert_non_null(at);
		at += len;
	} while (strspn(at, "0123456789") > 0);
	if (strncmp(at, " IS NULL", 8) == 0)
		return NOTHING;
	at -= len;
	while (at > sql && strchr(" (=", at[-1]) != NULL)
		at--;
	if (at - sql >= 5 && strncmp(at - 5, "LIMIT", 5) == 0)
		return BELOW;
	return at > sql && at[-1] == '>' ? ABOVE : at > sql && at[-1] == '<' ? BELOW : EQUAL;
}

static void guess(const struct query *query, size_t row, const char *values[INPUTS_MAX])
{
	for (size_t i = 1; i < query->in_count; i++)
		values[i] = finds[row][query->in[i].kind][compared_by(query->sql[DIALECT_POSTGRES], i + 1)];
}

/* --- Harm ---------------------------------------------------------------------------- */

struct attack {
	const struct query *query;
	enum way way;
	char sql[SQL_MAX];
	const char *values[INPUTS_MAX];
	char *untouched; /* the digest of others' rows */
};

static bool same(const struct yield *a, const struct yield *b)
{
	return a->rows != NULL && b->rows != NULL ? strcmp(a->rows, b->rows) == 0
						  : strcmp(a->state, b->state) == 0;
}

static bool touched(const struct attack *attack, const struct yield *yield)
{
	return yield->others != NULL && strcmp(yield->others, attack->untouched) != 0;
}

static bool does_harm(const struct attack *attack)
{
	struct yield full = bed_run(bed, bed->full, false, is_together(attack->way), attack->query,
				    attack->sql, attack->values);
	struct yield none = {.rows = NULL};
	bool harm = touched(attack, &full);

	if (!harm && full.rows != NULL) {
		none = bed_run(bed, bed->empty, false, is_together(attack->way), attack->query, attack->sql,
			       attack->values);
		harm = !same(&full, &none);
	}
	yield_free(&full);
	yield_free(&none);
	return harm;
}

/* One input after another, and up to `depth` of them at once, is replaced by what else there is. */
static bool find_harm(struct attack *attack, size_t from, int depth)
{
	const struct query *query = attack->query;

	if (does_harm(attack))
		return true;
	for (size_t i = from; depth > 0 && i < query->in_count; i++) {
		const char *first = attack->values[i];

		for (size_t j = 0; j < MORE_MAX && more[query->in[i].kind][j] != NULL; j++) {
			attack->values[i] = more[query->in[i].kind][j];
			if (find_harm(attack, i + 1, depth - 1))
				return true;
		}
		attack->values[i] = first;
	}
	return false;
}

/* Of the other tenant, whose row can stand in the way of a new one, or of a third. */
static bool find_any_harm(struct attack *attack)
{
	size_t tenants = is_confused(attack->way) ? 2 : 1;

	for (int depth = 0; depth <= 2; depth++) {
		for (size_t i = 0; i < ROWS * tenants; i++) {
			guess(attack->query, i % ROWS, attack->values);
			if (is_confused(attack->way))
				attack->values[0] = i < ROWS ? OTHERS : THIRDS;
			if (find_harm(attack, 1, depth))
				return true;
		}
	}
	return false;
}

/* False: bent that way it is as it was. */
static bool bend(struct attack *attack)
{
	const struct query *query = attack->query;
	const char *sql = is_together(attack->way) ? query->together : query->sql[DIALECT_POSTGRES];

	attack->values[0] = OURS;
	if (sql == NULL)
		return false;
	if (!is_confused(attack->way))
		return forget(sql, filters[attack->way], attack->sql) > 0;
	assert_true((size_t)snprintf(attack->sql, sizeof(attack->sql), "%s", sql) < sizeof(attack->sql));
	return true;
}

/* The other's rows are as they were, and nothing of them is told: not even that there are any. */
static bool is_held(const struct attack *attack)
{
	struct yield full = bed_run(bed, bed->full, true, is_together(attack->way), attack->query,
				    attack->sql, attack->values);
	struct yield none = bed_run(bed, bed->empty, false, is_together(attack->way), attack->query,
				    attack->sql, attack->values);
	bool refused = strcmp(full.state, "42501") == 0; /* "new row violates row-level security policy" */
	bool held = (refused || same(&full, &none)) && !touched(attack, &full);

	if (!held)
		print_error("%s, %s: the wall lets through \"%s\" %s\n", attack->query->name,
			    way_names[attack->way], full.rows != NULL ? full.rows : "", full.state);
	yield_free(&full);
	yield_free(&none);
	return held;
}

/* --- All queries ------------------------------------------------------------------------ */

static struct attack *attacks;
static size_t attack_count;

static void bend_all(void)
{
	size_t max = 0;

	for (size_t room = 0; room < SERVICE_COUNT; room++)
		max += app_queries[room]->count * WAY_COUNT;
	attacks = calloc(max, sizeof(*attacks));
	assert_non_null(attacks);
	for (size_t room = 0; room < SERVICE_COUNT; room++) {
		for (size_t i = 0; i < app_queries[room]->count * WAY_COUNT; i++) {
			struct attack *attack = &attacks[attack_count];

			*attack = (struct attack){.query = app_queries[room]->queries[i / WAY_COUNT],
						  .way = (enum way)(i % WAY_COUNT)};
			attack_count += attack->query->tenant && bend(attack);
		}
	}
}

static void test_control(void **state)
{
	char *untouched = bed_text(bed->full, bed->others_rows);
	size_t harmless = 0, ways[WAY_COUNT] = {0};

	(void)state;
	bed_force(bed, false);
	for (size_t i = 0; i < attack_count; i++) {
		attacks[i].untouched = untouched;
		ways[attacks[i].way]++;
		if (find_any_harm(&attacks[i]))
			continue;
		print_error("%s, %s: does no harm without the wall, and so proves nothing; "
			    "walls_bed_test.c has no row that it finds:\n%s\n",
			    attacks[i].query->name, way_names[attacks[i].way], attacks[i].sql);
		harmless++;
	}
	bed_force(bed, true);
	for (size_t i = 0; i < WAY_COUNT; i++)
		print_message("%zu queries %s\n", ways[i], way_names[i]);
	assert_int_equal(harmless, 0);
	assert_true(ways[CONFUSED] > 50);
	assert_true(ways[FORGOTTEN_TOGETHER] > 3 && ways[CONFUSED_TOGETHER] > 6);
}

static void test_wall(void **state)
{
	size_t leaks = 0;

	(void)state;
	for (size_t i = 0; i < attack_count; i++)
		leaks += !is_held(&attacks[i]);
	assert_int_equal(leaks, 0);
}

/* --- What the wall is made of --------------------------------------------------------------- */

#define TABLES                                                                                           \
	"FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = "                            \
	"to_regnamespace(current_schema()) AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = " \
	"c.oid AND a.attname = 'tenant_id')"

static void holds(const char *sql)
{
	char *text = bed_text(bed->full, sql);

	if (strcmp(text, "t") != 0)
		fail_msg("%s: %s", sql, text);
	free(text);
}

static void test_each_table(void **state)
{
	(void)state;
	holds("SELECT COUNT(*) > 15 " TABLES);
	holds("SELECT bool_and(c.relrowsecurity AND c.relforcerowsecurity) " TABLES);
	holds("SELECT bool_and((SELECT COUNT(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*' "
	      "AND p.polwithcheck IS NULL AND p.polroles = '{0}') = 1) " TABLES);
	holds("SELECT bool_and((SELECT COUNT(*) FROM pg_policy p WHERE p.polrelid = c.oid) = 1) " TABLES);
	holds("SELECT bool_and(NOT has_table_privilege('marca_app', c.oid, 'TRUNCATE, REFERENCES, TRIGGER')) "
	      "FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace(current_schema())");
}

static void test_role(void **state)
{
	(void)state;
	holds("SELECT NOT (rolsuper OR rolbypassrls OR rolcanlogin OR rolcreaterole OR rolcreatedb OR "
	      "rolreplication) FROM pg_roles WHERE rolname = 'marca_app'");
	holds("SELECT NOT EXISTS (SELECT 1 FROM pg_class WHERE relowner = 'marca_app'::regrole)");
	holds("SELECT NOT EXISTS (SELECT 1 FROM pg_auth_members WHERE member = 'marca_app'::regrole)");
	holds("SELECT NOT has_schema_privilege('marca_app', current_schema(), 'CREATE')");
	holds("SELECT NOT has_table_privilege('marca_app', 'marca_schema', 'INSERT, UPDATE, DELETE')");
}

/* How many rows the role sees in how many tables, after that statement. */
static void sees(const char *statement, bool rows)
{
	PGresult *tables = bed_sql(bed->full, "SELECT c.relname " TABLES);
	char sql[256];

	for (int i = 0; i < PQntuples(tables); i++) {
		PQclear(bed_sql(bed->full, "BEGIN"));
		PQclear(bed_sql(bed->full, "SET LOCAL ROLE marca_app"));
		PQclear(bed_sql(bed->full, statement));
		snprintf(sql, sizeof(sql), "SELECT (COUNT(*) > 0) = %s FROM %s", rows ? "TRUE" : "FALSE",
			 PQgetvalue(tables, i, 0));
		holds(sql);
		PQclear(bed_sql(bed->full, "ROLLBACK"));
	}
	PQclear(tables);
}

/* Whoever names no tenant sees nothing; and the owner is held to it as well. */
static void test_no_tenant(void **state)
{
	(void)state;
	sees("SET LOCAL app.tenant = '*'", true);
	sees("SET LOCAL app.tenant = '" OTHERS "'", true);
	sees("SET LOCAL app.tenant = '" OURS "'", false);
	sees("SET LOCAL app.tenant = ''", false);
	PQclear(bed_sql(bed->full, "RESET app.tenant"));
	sees("SELECT 1", false);
	holds("SELECT COUNT(*) = 0 FROM bookings");
	PQclear(bed_sql(bed->full, "SET app.tenant = '*'"));
}

/* The tenant that a transaction named is none of the next one's. */
static void test_ends_with_transaction(void **state)
{
	(void)state;
	PQclear(bed_sql(bed->full, "SET app.tenant = ''"));
	PQclear(bed_sql(bed->full, "BEGIN"));
	PQclear(bed_sql(bed->full, "SET LOCAL app.tenant = '*'"));
	holds("SELECT COUNT(*) > 0 FROM bookings");
	PQclear(bed_sql(bed->full, "COMMIT"));
	holds("SELECT COUNT(*) = 0 FROM bookings");
	PQclear(bed_sql(bed->full, "SET app.tenant = '*'"));
}

static int set_up(void **state)
{
	(void)state;
	bed = bed_open(getenv("MARCA_TEST_PG"));
	bend_all();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (attack_count > 0)
		free(attacks[0].untouched);
	free(attacks);
	bed_close(bed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control),	   cmocka_unit_test(test_wall),
		cmocka_unit_test(test_each_table), cmocka_unit_test(test_role),
		cmocka_unit_test(test_no_tenant),  cmocka_unit_test(test_ends_with_transaction),
	};

	if (getenv("MARCA_TEST_PG") == NULL) {
		fprintf(stderr, "\n*** NOT TESTED on PostgreSQL: MARCA_TEST_PG is not set ***\n\n");
		return 77; /* meson's word for skipped */
	}
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
