/* What only the remote store can get wrong: connections that die, deadlocks, two processes. The rest is in
 * db_test.c. */
#include "db/db_fixture.h"

#include <stdio.h>
#include <unistd.h>

static int set_up(void **state)
{
	struct fixture *fixture = fixture_postgres();

	fixture_open(fixture);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	fixture_destroy(*state);
	return 0;
}

static void in_arena(struct fixture *fixture, void (*fn)(struct ctx *cx, void *arg))
{
	struct arena arena;

	arena_init(&arena, &fixture->pool);
	on_fiber(fixture, &arena, fn, fixture);
	arena_finish(&arena);
}

static enum rc raise_counter(struct ctx *cx, const struct fixture *fixture)
{
	struct script script;

	script_init(&script, cx, ROOM_testroom, &fixture->tenant, &fixture->tenant);
	SCRIPT_ADD(&script, counter_raise, .tenant_id = fixture->tenant, .id = fixture->tenant);
	return db_write(&script);
}

/* Asks until the store answers again, five seconds at most. */
static bool recovers(struct ctx *cx, const struct fixture *fixture)
{
	for (int i = 0; i < 100; i++) {
		if (raise_counter(cx, fixture) == RC_OK)
			return true;
		usleep(50000);
	}
	return false;
}

/* --- Lost connections ---------------------------------------------------- */

static void lose_in_script(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct script script;

	script_init(&script, cx, ROOM_testroom, &fixture->tenant, &fixture->tenant);
	SCRIPT_ADD(&script, counter_raise, .tenant_id = fixture->tenant, .id = fixture->tenant);
	script_add(&script, &q_hang_up_query, NULL);
	assert_int_equal(db_write(&script), RC_STORE_DOWN);
	assert_true(recovers(cx, fixture));
}

static void test_lost_in_script(void **state)
{
	struct fixture *fixture = *state;

	in_arena(fixture, lose_in_script);
	assert_int_equal(counter_of(fixture, &fixture->tenant), 1);
}

static void lose_in_read(struct ctx *cx, void *arg)
{
	struct rows rows;

	assert_int_equal(db_read(cx, &q_hang_up_query, NULL, &rows), RC_STORE_DOWN);
	assert_true(recovers(cx, arg));
}

static void test_lost_in_read(void **state)
{
	struct fixture *fixture = *state;

	in_arena(fixture, lose_in_read);
	assert_int_equal(counter_of(fixture, &fixture->tenant), 1);
}

/* Connections that died while nothing was under way harm nobody. */
static void test_lost_when_idle(void **state)
{
	struct fixture *fixture = *state;
	struct raise raise = {.key = new_id(fixture)};

	assert_int_equal(counter_of(fixture, &raise.key), 0);
	for (int i = 0; i < 3; i++) {
		fixture_hang_up(fixture);
		usleep(100000);
		raise_all(fixture, &raise, 1);
		harness_wait(&fixture->harness);
		assert_int_equal(raise.rc, RC_OK);
		assert_int_equal(counter_of(fixture, &raise.key), 1);
		raise_finish(&raise, 1);
		raise = (struct raise){.key = new_id(fixture)};
	}
}

/* Lost in the middle of many: each is told one or the other, and who is told OK is kept. */
static void test_lost_under_load(void **state)
{
	static struct raise raises[200];
	struct fixture *fixture = *state;
	int64_t acknowledged = 0;

	memset(raises, 0, sizeof(raises));
	for (size_t i = 0; i < ARRAY_LEN(raises); i++)
		raises[i].key = new_id(fixture);
	raise_all(fixture, raises, ARRAY_LEN(raises));
	fixture_hang_up(fixture);
	harness_wait(&fixture->harness);
	for (size_t i = 0; i < ARRAY_LEN(raises); i++) {
		assert_true(raises[i].rc == RC_OK || raises[i].rc == RC_STORE_DOWN);
		if (raises[i].rc != RC_OK)
			continue;
		assert_int_equal(counter_of(fixture, &raises[i].key), 1);
		acknowledged++;
	}
	assert_true(things_in(fixture) >= acknowledged);
	raise_finish(raises, ARRAY_LEN(raises));
}

/* --- Locks --------------------------------------------------------------- */

/* Two that take two rows in opposite order, with a nap between. */
struct crossing {
	struct fixture *fixture;
	struct arena arena;
	struct ctx cx;
	struct errand errand;
	struct uuid first, second;
	enum rc rc;
};

static void cross(void *arg)
{
	struct crossing *crossing = arg;
	const struct uuid *tenant = &crossing->fixture->tenant;
	struct script script;

	script_init(&script, &crossing->cx, ROOM_testroom, tenant, &crossing->first);
	SCRIPT_ADD(&script, counter_raise, .tenant_id = *tenant, .id = crossing->first);
	SCRIPT_ADD(&script, nap, .ms = 200);
	SCRIPT_ADD(&script, counter_raise, .tenant_id = *tenant, .id = crossing->second);
	crossing->rc = db_write(&script);
}

static void test_deadlock(void **state)
{
	struct fixture *fixture = *state;
	struct uuid a = new_id(fixture), b = new_id(fixture);
	struct crossing crossings[2] = {{.first = a, .second = b}, {.first = b, .second = a}};

	/* Each in a group of its own, so that they meet. */
	fixture_close(fixture);
	fixture->options.group_max = 1;
	fixture_open(fixture);
	for (int i = 0; i < 2; i++) {
		struct crossing *crossing = &crossings[i];

		crossing->fixture = fixture;
		arena_init(&crossing->arena, &fixture->pool);
		crossing->cx = (struct ctx){.arena = &crossing->arena,
					    .world = &fixture->world,
					    .ports = fixture->ports};
		assert_int_equal(harness_go(&fixture->harness, &crossing->errand, cross, crossing), RC_OK);
	}
	harness_wait(&fixture->harness);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(crossings[i].rc, RC_OK);
		arena_finish(&crossings[i].arena);
	}
	assert_int_equal(counter_of(fixture, &a), 2);
	assert_int_equal(counter_of(fixture, &b), 2);
}

/* --- Schemas ------------------------------------------------------------- */

/* A column's type moves under statements that are prepared already. */
static void test_column_changes(void **state)
{
	struct fixture *fixture = *state;
	struct raise raise = {.key = new_id(fixture)};

	raise_all(fixture, &raise, 1);
	harness_wait(&fixture->harness);
	raise_finish(&raise, 1);
	assert_int_equal(counter_of(fixture, &raise.key), 1);
	fixture_sql(fixture, "ALTER TABLE counters ALTER COLUMN version TYPE integer");
	assert_int_equal(counter_of(fixture, &raise.key), 1);
}

/* Reads that fail do not disturb those that share their round trip. */
static void read_impossible(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	const struct q_counter_raise_in in = {fixture->tenant, fixture->tenant};
	struct rows rows;

	assert_int_equal(db_read(cx, &q_counter_raise_query, &in, &rows), RC_INTERNAL);
}

struct reader {
	struct fixture *fixture;
	struct arena arena;
	struct ctx cx;
	struct errand errand;
	bool doomed;
};

static void read_one(void *arg)
{
	struct reader *reader = arg;
	const struct q_things_count_in in = {reader->fixture->tenant};
	struct q_things_count_out *row = NULL;

	if (reader->doomed) {
		read_impossible(&reader->cx, reader->fixture);
		return;
	}
	assert_int_equal(q_things_count(&reader->cx, &in, &row), RC_OK);
	assert_int_equal(row->count, 0);
}

static void test_many_reads(void **state)
{
	static struct reader readers[300];
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
		struct reader *reader = &readers[i];

		*reader = (struct reader){.fixture = fixture, .doomed = i % 10 == 3};
		arena_init(&reader->arena, &fixture->pool);
		reader->cx = (struct ctx){.arena = &reader->arena,
					  .world = &fixture->world,
					  .ports = fixture->ports};
		assert_int_equal(harness_go(&fixture->harness, &reader->errand, read_one, reader), RC_OK);
	}
	harness_wait(&fixture->harness);
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		arena_finish(&readers[i].arena);
}

static void test_unreachable(void **state)
{
	struct fixture *fixture = *state;
	struct db_options options = fixture->options;
	struct db *db;

	options.url = "postgresql://marca@127.0.0.1:1/marca";
	assert_int_equal(db_open(&testroom_queries, &options, &db), RC_STORE_DOWN);
}

/* Two processes that migrate at once: each migration is applied by one of them. */
static void *migrate(void *arg)
{
	struct fixture *fixture = arg;
	struct db *db;
	enum rc rc = db_open(&testroom_queries, &fixture->options, &db);

	if (rc == RC_OK) {
		rc = db_migrate(db, -1, NULL);
		db_close(db);
	}
	return rc == RC_OK ? fixture : NULL;
}

static void test_migrate_together(void **state)
{
	struct fixture *fixture = *state;
	pthread_t threads[4];
	void *fine;

	fixture_sql(fixture, "DROP TABLE things, counters, marca_schema");
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, migrate, fixture), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], &fine);
		assert_non_null(fine);
	}
	assert_int_equal(things_in(fixture), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lost_in_script, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lost_in_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lost_when_idle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lost_under_load, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_deadlock, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_column_changes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_reads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_unreachable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_migrate_together, set_up, tear_down),
	};
	struct fixture *probe = fixture_postgres();

	if (probe == NULL)
		return 77; /* meson's word for skipped */
	fixture_destroy(probe);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
