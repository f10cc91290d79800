/* Migrations on either store: whole or not at all, and which binary may run beside which schema. */
#include "db/db_fixture.h"

static struct fixture *(*fixture_create)(void);

static int set_up(void **state)
{
	return fixture_begin(state, fixture_create());
}

/* The room with other migrations: `count` of these. */
static int open_with(struct fixture *fixture, const struct migration *migrations, size_t count, int target)
{
	struct query_set set = testroom_queries;
	bool fits;
	int version = -1;
	enum rc rc;

	fixture_close(fixture);
	set.migrations = migrations;
	set.migration_count = count;
	assert_int_equal(db_open(&set, &fixture->options, &fixture->db), RC_OK);
	rc = db_migrate(fixture->db, target, NULL);
	assert_int_equal(db_schema_version(fixture->db, &version, &fits), RC_OK);
	fixture_close(fixture);
	return rc == RC_OK ? version : -version;
}

static void test_migrations(void **state)
{
	static const char *const nothing[] = {NULL};
	static const char *const good[] = {"CREATE TABLE fresh (id bigint)", NULL};
	static const char *const bad[] = {"CREATE TABLE other (id bigint)", "INSERT INTO nowhere VALUES (1)",
					  NULL};
	const struct migration migrations[] = {
		{1, "things", {nothing, nothing}},
		{2, "counters", {nothing, nothing}},
		{3, "good", {good, good}},
		{4, "bad", {bad, bad}},
	};
	struct fixture *fixture = *state;

	assert_int_equal(open_with(fixture, migrations, 4, 3), 3);
	assert_int_equal(open_with(fixture, migrations, 4, -1), -3);
	/* Its first statement has left nothing, or this would fail. */
	fixture_sql(fixture, "CREATE TABLE other (id bigint)");
	fixture_sql(fixture, "INSERT INTO fresh VALUES (1)");
	assert_int_equal(open_with(fixture, migrations, 4, 9), -3); /* there is no ninth */
	assert_int_equal(open_with(fixture, migrations, 3, -1), 3);
	assert_int_equal(open_with(fixture, migrations, 2, -1), 3); /* newer than the binary, and yet safe */
}

/* Each migration says how old a binary may be that runs beside it. */
static void test_older_binaries(void **state)
{
	static const char *const nothing[] = {NULL};
	static const char *const good[] = {"CREATE TABLE fresh (id bigint)", NULL};
	static const char *const bad[] = {"DROP TABLE fresh", NULL};
	const struct migration migrations[] = {
		{1, "things", {nothing, nothing}}, {2, "counters", {nothing, nothing}},
		{3, "good", {good, good}},	   {4, "contract", {bad, bad}, 3},
		{5, "more", {good, good}},
	};
	struct fixture *fixture = *state;
	int version;
	bool fits;

	assert_int_equal(open_with(fixture, migrations, 5, -1), 5);
	assert_int_equal(open_with(fixture, migrations, 4, -1), 5);
	assert_int_equal(open_with(fixture, migrations, 3, -1), 5);
	assert_int_equal(open_with(fixture, migrations, 2, -1), -5);
	/* The same by db_schema_version(): the fixture's room knows two. */
	assert_int_equal(db_open(&testroom_queries, &fixture->options, &fixture->db), RC_OK);
	assert_int_equal(db_schema_version(fixture->db, &version, &fits), RC_OK);
	assert_false(fits);
	fixture_sql(fixture, "UPDATE marca_schema SET since = 2 WHERE number = 4");
	assert_int_equal(db_schema_version(fixture->db, &version, &fits), RC_OK);
	assert_true(fits);
	fixture_sql(fixture, "DELETE FROM marca_schema WHERE number > 1");
	assert_int_equal(db_schema_version(fixture->db, &version, &fits), RC_OK);
	assert_true(!fits && version == 1);
	fixture_close(fixture);
}

/* A store that was made before migrations said so. */
static void test_older_table(void **state)
{
	static const char *const nothing[] = {NULL};
	const struct migration migrations[] = {
		{1, "things", {nothing, nothing}},
		{2, "counters", {nothing, nothing}},
		{3, "more", {nothing, nothing}, 2},
	};
	struct fixture *fixture = *state;

	fixture_sql(fixture, "ALTER TABLE marca_schema DROP COLUMN since");
	assert_int_equal(open_with(fixture, migrations, 2, -1), 2);
	assert_int_equal(open_with(fixture, migrations, 3, -1), 3);
	assert_int_equal(open_with(fixture, migrations, 1, -1), -3);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_migrations, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_older_binaries, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_older_table, set_up, fixture_end),
	};
	struct fixture *probe;

	fixture_create = argc > 1 && strcmp(argv[1], "postgres") == 0 ? fixture_postgres : fixture_sqlite;
	probe = fixture_create();
	if (probe == NULL)
		return 77; /* meson's word for skipped */
	fixture_destroy(probe);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
