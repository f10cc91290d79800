/* What only the embedded store can get wrong. The rest is in db_test.c. */
#include "db/db_fixture.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_up(void **state)
{
	struct fixture *fixture = fixture_sqlite();

	fixture_open(fixture);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	fixture_destroy(*state);
	return 0;
}

/* In a child: exits with 0 when the store lets it in. */
static int opens_elsewhere(struct fixture *fixture)
{
	pid_t pid = fork();
	struct db *db;
	int status;

	if (pid == 0)
		_exit(db_open(&testroom_queries, &fixture->options, &db) == RC_OK ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_second_process(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(opens_elsewhere(fixture), 1);
	fixture_close(fixture);
	assert_int_equal(opens_elsewhere(fixture), 0);
}

static void test_second_open(void **state)
{
	struct fixture *fixture = *state;
	struct db *db;

	assert_int_equal(db_open(&testroom_queries, &fixture->options, &db), RC_STORE_DOWN);
}

static void test_no_folder(void **state)
{
	struct fixture *fixture = *state;
	struct db_options options = fixture->options;
	struct db *db;

	options.url = "sqlite:/nowhere/at/all/store.db";
	assert_int_equal(db_open(&testroom_queries, &options, &db), RC_STORE_DOWN);
	options.url = "mysql://127.0.0.1/marca";
	assert_int_equal(db_open(&testroom_queries, &options, &db), RC_INTERNAL);
}

/* Reads of a thread's port cannot change anything, even if a query tried. */
static void write_by_read(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	const struct q_counter_raise_in in = {fixture->tenant, fixture->tenant};
	struct rows rows;

	assert_int_equal(db_read(cx, &q_counter_raise_query, &in, &rows), RC_INTERNAL);
}

static void test_reads_only(void **state)
{
	struct fixture *fixture = *state;
	struct arena arena;

	arena_init(&arena, &fixture->pool);
	on_fiber(fixture, &arena, write_by_read, fixture);
	arena_finish(&arena);
	assert_int_equal(counter_of(fixture, &fixture->tenant), 0);
}

static off_t size_of(const struct fixture *fixture, const char *suffix)
{
	char path[128];
	struct stat about;

	snprintf(path, sizeof(path), "%s/store.db%s", fixture->folder, suffix);
	assert_int_equal(stat(path, &about), 0);
	return about.st_size;
}

/* The WAL is copied into the database while the store is open, not only at the end. */
static void test_checkpoints(void **state)
{
	static struct raise raises[64];
	struct fixture *fixture = *state;

	for (int round = 0; round < 60; round++) {
		memset(raises, 0, sizeof(raises));
		for (size_t i = 0; i < ARRAY_LEN(raises); i++)
			raises[i].key = new_id(fixture);
		raise_all(fixture, raises, ARRAY_LEN(raises));
		harness_wait(&fixture->harness);
		raise_finish(raises, ARRAY_LEN(raises));
	}
	assert_in_range(size_of(fixture, "-wal"), 0, 12000 * 4096);
	/* When nothing has come for a while. */
	for (int i = 0; i < 500 && size_of(fixture, "") < 100 * 4096; i++)
		usleep(20000);
	assert_in_range(size_of(fixture, ""), 100 * 4096, SIZE_MAX);
}

static int checkpoint_elsewhere(const struct fixture *fixture)
{
	sqlite3 *db;
	int code;

	assert_int_equal(sqlite3_open(fixture->options.url + strlen("sqlite:"), &db), SQLITE_OK);
	/* Until it has read something it does not know that there is a WAL. */
	assert_int_equal(sqlite3_exec(db, "SELECT name FROM sqlite_schema", NULL, NULL, NULL), SQLITE_OK);
	code = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_close(db);
	return code;
}

/* A thread's reads share a look at the store, which holds on to the WAL until the thread rests. */
static void test_rest(void **state)
{
	struct fixture *fixture = *state;
	struct raise raise = {.key = new_id(fixture)};

	raise_all(fixture, &raise, 1);
	harness_wait(&fixture->harness);
	assert_int_equal(counter_of(fixture, &raise.key), 1);
	assert_int_equal(checkpoint_elsewhere(fixture), SQLITE_BUSY);
	db_port_rest(fixture->port);
	assert_int_equal(checkpoint_elsewhere(fixture), SQLITE_OK);
	assert_int_equal(counter_of(fixture, &raise.key), 1);
	raise_finish(&raise, 1);
}

/* Foreign keys are off while a migration runs, and yet it may not leave an orphan. */
static void test_orphan(void **state)
{
	static const char *const nothing[] = {NULL};
	static const char *const orphan[] = {
		"CREATE TABLE parents (id INTEGER PRIMARY KEY)",
		"CREATE TABLE children (id INTEGER, parent INTEGER, "
		"CONSTRAINT children_parent FOREIGN KEY (parent) REFERENCES parents (id))",
		"INSERT INTO children VALUES (1, 7)",
		NULL,
	};
	const struct migration migrations[] = {
		{1, "things", {nothing, nothing}},
		{2, "counters", {nothing, nothing}},
		{3, "orphan", {orphan, orphan}},
	};
	struct fixture *fixture = *state;
	struct query_set set = testroom_queries;
	bool fits;
	int version;

	fixture_close(fixture);
	set.migrations = migrations;
	set.migration_count = 3;
	assert_int_equal(db_open(&set, &fixture->options, &fixture->db), RC_OK);
	assert_int_equal(db_migrate(fixture->db, -1, NULL), RC_INTERNAL);
	assert_int_equal(db_schema_version(fixture->db, &version, &fits), RC_OK);
	assert_int_equal(version, 2);
	fixture_close(fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_second_process, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_second_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_folder, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reads_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_checkpoints, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_rest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_orphan, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
