/*
 * What every store must do, run on SQLite and on PostgreSQL: `db_test sqlite|postgres`. What only one of them
 * can get wrong is in sqlite_test.c and postgres_test.c.
 */
#include "db/db_fixture.h"

#include <semaphore.h>
#include <stdio.h>

#define GROUP 200

static const char *kind; /* of the store */

static int set_up(void **state)
{
	return fixture_begin(state, fixture_of(kind));
}

/* --- Values -------------------------------------------------------------- */

#define MEGABYTE 1048576

static void round_trip(struct ctx *cx, void *arg)
{
	struct q_thing_insert_in *in = arg;
	struct thing *out = NULL;

	assert_int_equal(insert_thing(cx, in), RC_OK);
	assert_int_equal(q_thing_by_id(cx, &(struct q_thing_by_id_in){in->tenant_id, in->id}, &out), RC_OK);
	assert_non_null(out);
	check_thing(out, in);
}

static void check_round_trip(struct fixture *fixture, struct q_thing_insert_in in)
{
	struct arena arena;

	arena_init(&arena, &fixture->pool);
	in.tenant_id = fixture->tenant;
	in.id = new_id(fixture);
	on_fiber(fixture, &arena, round_trip, &in);
	arena_finish(&arena);
}

static void test_values(void **state)
{
	struct fixture *fixture = *state;

	check_round_trip(fixture, (struct q_thing_insert_in){
					  .name = "São João \xf0\x9f\x8e\x89 'quoted' \"twice\" \\ $1 %s",
					  .colour = COLOUR_GREEN,
					  .flag = true,
					  .number = INT64_MAX,
					  .at = UTIME_MAX,
					  .document = "[1, \"\xc3\xa9\", null]",
					  .other_id = new_id(fixture),
					  .note = "",
					  .maybe = 0,
					  .maybe_at = UTIME_MIN,
					  .extra = "{}",
				  });
	/* In a member that may not be null, INT_NONE's value is a number like any other. */
	check_round_trip(fixture, (struct q_thing_insert_in){
					  .name = "least",
					  .colour = COLOUR_RED,
					  .number = INT64_MIN,
					  .at = -1,
					  .document = "\"\"",
					  .maybe = -1,
					  .maybe_at = 1,
				  });
}

static void test_nulls(void **state)
{
	check_round_trip(*state, (struct q_thing_insert_in){
					 .name = "bare",
					 .document = "null",
					 .other_id = UUID_NONE,
					 .note = NULL,
					 .maybe = INT_NONE,
					 .maybe_at = UTIME_NONE,
					 .extra = NULL,
				 });
}

static void test_large_text(void **state)
{
	static char text[MEGABYTE + 1];

	for (size_t i = 0; i < MEGABYTE; i += 2)
		memcpy(text + i, "\xc3\xa7", 2);
	check_round_trip(*state, (struct q_thing_insert_in){.name = "large", .document = "{}", .note = text});
}

/* --- Rows ---------------------------------------------------------------- */

static void read_many(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct q_things_named_in in = {.tenant_id = fixture->tenant, .pattern = "b%", .limit = 50};
	struct q_things_named_out *rows;
	char name[16];
	size_t count;

	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "%c%03d", i % 2 == 0 ? 'a' : 'b', i);
		assert_int_equal(insert_thing(cx, &(struct q_thing_insert_in){.tenant_id = fixture->tenant,
									      .id = new_id(fixture),
									      .name = name,
									      .document = "{}"}),
				 RC_OK);
	}
	assert_int_equal(q_things_named(cx, &in, &rows, &count), RC_OK);
	assert_int_equal(count, 30);
	assert_string_equal(rows[0].name, "b001");
	assert_string_equal(rows[29].name, "b059");

	in.pattern = NULL;
	assert_int_equal(q_things_named(cx, &in, &rows, &count), RC_OK);
	assert_int_equal(count, 50);

	in.pattern = "B%";
	assert_int_equal(q_things_named(cx, &in, &rows, &count), RC_OK);
	assert_int_equal(count, 0);
	assert_null(rows);
}

static void read_none(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct thing other, *thing = &other;
	struct q_any_thing_out *row = NULL;

	assert_int_equal(q_thing_by_id(cx, &(struct q_thing_by_id_in){fixture->tenant, new_id(fixture)},
				       &thing),
			 RC_OK);
	assert_null(thing);
	/* A promise of one row that is not kept is our fault, and never a crash. */
	assert_int_equal(q_any_thing(cx, &(struct q_any_thing_in){fixture->tenant}, &row), RC_INTERNAL);
}

static void test_many(void **state)
{
	with_arena(*state, read_many);
}

static void test_none(void **state)
{
	with_arena(*state, read_none);
}

static void write_from_struct(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct thing thing = {.tenant_id = fixture->tenant,
			      .id = new_id(fixture),
			      .label = {"from a struct", COLOUR_GREEN}};
	struct script script;
	struct step *first, *second;

	script_init(&script, cx, ROOM_testroom, &thing.tenant_id, &thing.id);
	first = script_add(&script, &q_thing_add_query, &thing);
	second = script_add(&script, &q_thing_add_query, &thing);
	assert_int_equal(db_write(&script), RC_OK);
	assert_true(uuid_equal(&q_thing_add_rows(first)->id, &thing.id));
	assert_null(q_thing_add_rows(second));
}

static void test_struct_in(void **state)
{
	with_arena(*state, write_from_struct);
}

static void write_too_much(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct script script;

	script_init(&script, cx, ROOM_testroom, &fixture->tenant, &fixture->tenant);
	for (int i = 0; i <= SCRIPT_STEPS; i++)
		SCRIPT_ADD(&script, counter_raise, .tenant_id = fixture->tenant, .id = fixture->tenant);
	assert_int_equal(db_write(&script), RC_INTERNAL);
}

static void test_too_many_steps(void **state)
{
	struct fixture *fixture = *state;

	with_arena(fixture, write_too_much);
	assert_int_equal(counter_of(fixture, &fixture->tenant), 0);
}

/* --- Whose query it is ------------------------------------------------------------- */

/* What each kind of principal gets of a thing of fixture->tenant. */
static void ask_as(struct ctx *cx, const struct fixture *fixture, const struct principal *who, enum rc scoped,
		   enum rc across)
{
	const struct q_counter_read_in counter = {fixture->tenant, fixture->tenant};
	const struct q_thing_tenant_of_in thing = {fixture->tenant};
	struct q_counter_read_out *version;
	struct q_thing_tenant_of_out *tenant;
	struct script script;

	cx->principal = *who;
	assert_int_equal(q_counter_read(cx, &counter, &version), scoped);
	assert_int_equal(q_thing_tenant_of(cx, &thing, &tenant), across);
	script_init(&script, cx, ROOM_testroom, &fixture->tenant, &fixture->tenant);
	SCRIPT_ADD(&script, counter_raise, .tenant_id = fixture->tenant, .id = fixture->tenant);
	assert_int_equal(db_write(&script), scoped);
}

static void ask_as_each(struct ctx *cx, void *arg)
{
	const struct fixture *fixture = arg;
	const struct principal nobody = {.role = ROLE_ANYONE}, operator= {.role = ROLE_OPERATOR},
			       own = {.role = ROLE_USER, .tenant_id = fixture->tenant},
			       foreign = {.role = ROLE_ADMIN,
					  .rights = RIGHTS_ALL,
					  .tenant_id = new_id(fixture)};

	ask_as(cx, fixture, &own, RC_OK, RC_INTERNAL);
	ask_as(cx, fixture, &foreign, RC_INTERNAL, RC_INTERNAL);
	ask_as(cx, fixture, &operator, RC_OK, RC_OK);
	ask_as(cx, fixture, &nobody, RC_OK, RC_INTERNAL);
}

static void test_whose_query(void **state)
{
	struct fixture *fixture = *state;

	with_arena(fixture, ask_as_each);
	assert_int_equal(counter_of(fixture, &fixture->tenant), 3); /* and not the stranger's */
}

/* Every query of the room is one that this store understands. */
static void test_prepares(void **state)
{
	static const struct query broken = {.name = "broken",
					    .sql = {"SELECT 1 FROM nowhere", "SELECT 1 FROM nowhere"},
					    .rows = ROWS_NONE};
	static const struct query *const queries[] = {&broken};
	struct fixture *fixture = *state;
	struct query_set set = testroom_queries;

	assert_int_equal(db_check(fixture->db), RC_OK);
	fixture_close(fixture);
	set.queries = queries;
	set.count = 1;
	assert_int_equal(db_open(&set, &fixture->options, &fixture->db), RC_OK);
	assert_int_equal(db_check(fixture->db), RC_INTERNAL);
	fixture_close(fixture); /* before `set` goes */
}

/* --- Groups -------------------------------------------------------------- */

/* Who raised one counter was told each of its versions once. */
static void check_versions(const struct raise *raises, const struct uuid *key, int64_t count)
{
	bool seen[GROUP + 1] = {false};

	for (size_t i = 0; i < GROUP; i++) {
		if (!uuid_equal(&raises[i].key, key))
			continue;
		assert_in_range(raises[i].version, 1, count);
		assert_false(seen[raises[i].version]);
		seen[raises[i].version] = true;
	}
}

/* Some that go abreast, and some between them that do not. */
static void test_group(void **state)
{
	static struct raise raises[GROUP];
	struct fixture *fixture = *state;
	struct uuid keys[GROUP / 4];
	int64_t total = 0;

	memset(raises, 0, sizeof(raises));
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		keys[i] = new_id(fixture);
	for (size_t i = 0; i < GROUP; i++) {
		raises[i].key = keys[i % ARRAY_LEN(keys)];
		raises[i].abreast = i % 7 != 0;
	}
	raise_all(fixture, raises, GROUP);
	harness_wait(&fixture->harness);

	for (size_t i = 0; i < GROUP; i++)
		assert_int_equal(raises[i].rc, RC_OK);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		int64_t raised = counter_of(fixture, &keys[i]);

		check_versions(raises, &keys[i], raised);
		total += raised;
	}
	assert_int_equal(total, GROUP);
	assert_int_equal(things_in(fixture), GROUP);
	raise_finish(raises, GROUP);
}

/* One writer at a time sees each version once; with one connection, in the order of asking. */
static void test_order_of_key(void **state)
{
	static struct raise raises[GROUP];
	struct fixture *fixture = *state;
	struct uuid key = new_id(fixture);

	fixture_close(fixture);
	fixture->options.write_connections = 1;
	fixture_open(fixture);
	memset(raises, 0, sizeof(raises));
	for (size_t i = 0; i < GROUP; i++)
		raises[i].key = key;
	raise_all(fixture, raises, GROUP);
	harness_wait(&fixture->harness);
	for (size_t i = 0; i < GROUP; i++)
		assert_int_equal(raises[i].version, i + 1);
	raise_finish(raises, GROUP);
}

static void take_name(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct q_thing_insert_in in = {.tenant_id = fixture->tenant,
				       .id = new_id(fixture),
				       .name = "taken",
				       .document = "{}"};

	assert_int_equal(insert_thing(cx, &in), RC_OK);
}

/* Those of every `step` fail at their second query; all else must be there, and of them nothing. */
static void check_failures(struct fixture *fixture, size_t step, bool abreast)
{
	static struct raise raises[GROUP];
	int64_t kept = 0;

	with_arena(fixture, take_name);
	memset(raises, 0, sizeof(raises));
	for (size_t i = 0; i < GROUP; i++) {
		raises[i].key = new_id(fixture);
		raises[i].doomed = i % step == 0;
		raises[i].abreast = abreast;
	}
	raise_all(fixture, raises, GROUP);
	harness_wait(&fixture->harness);
	for (size_t i = 0; i < GROUP; i++) {
		assert_int_equal(raises[i].rc, raises[i].doomed ? RC_STORE_CONSTRAINT : RC_OK);
		assert_int_equal(counter_of(fixture, &raises[i].key), raises[i].doomed ? 0 : 1);
		kept += !raises[i].doomed;
	}
	assert_int_equal(things_in(fixture), kept + 1);
	raise_finish(raises, GROUP);
}

static void test_one_fails(void **state)
{
	check_failures(*state, GROUP / 2, false);
}

static void test_many_fail(void **state)
{
	check_failures(*state, 2, false);
}

static void test_all_fail(void **state)
{
	check_failures(*state, 1, false);
}

static void test_one_fails_abreast(void **state)
{
	check_failures(*state, GROUP / 2, true);
}

static void test_many_fail_abreast(void **state)
{
	check_failures(*state, 2, true);
}

/* --- What is kept -------------------------------------------------------- */

static void read_own_writes(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct q_counter_read_in in = {fixture->tenant, new_id(fixture)};
	struct q_counter_read_out *row = NULL;
	struct script script;

	for (int64_t i = 1; i <= 50; i++) {
		script_init(&script, cx, ROOM_testroom, &in.tenant_id, &in.id);
		SCRIPT_ADD(&script, counter_raise, .tenant_id = in.tenant_id, .id = in.id);
		assert_int_equal(db_write(&script), RC_OK);
		assert_int_equal(q_counter_read(cx, &in, &row), RC_OK);
		assert_int_equal(row->version, i);
	}
}

static void test_read_own_writes(void **state)
{
	with_arena(*state, read_own_writes);
}

static void test_version_moves(void **state)
{
	struct fixture *fixture = *state;
	struct raise raises[2] = {{.key = new_id(fixture)}, {.key = new_id(fixture)}};
	uint64_t before[2];

	/* Two whose versions do not share a counter, as one pair in 4096 does. */
	for (before[0] = db_version(fixture->port, &raises[0].key);; raises[1].key = new_id(fixture)) {
		db_touch(fixture->db, &raises[1].key);
		if (db_version(fixture->port, &raises[0].key) == before[0])
			break;
		before[0] = db_version(fixture->port, &raises[0].key);
	}
	for (int i = 0; i < 2; i++)
		before[i] = db_version(fixture->port, &raises[i].key);
	raise_all(fixture, raises, 1);
	harness_wait(&fixture->harness);
	assert_int_equal(db_shared(fixture->port), db_dialect(fixture->db) == DIALECT_POSTGRES);
	assert_int_equal(db_version(fixture->port, &raises[0].key), before[0] + 1);
	assert_int_equal(db_version(fixture->port, &raises[1].key), before[1]);
	db_touch(fixture->db, &raises[1].key);
	assert_int_equal(db_version(fixture->port, &raises[0].key), before[0] + 1);
	assert_int_equal(db_version(fixture->port, &raises[1].key), before[1] + 1);
	db_touch_all(fixture->db);
	assert_int_equal(db_version(fixture->port, &raises[0].key), before[0] + 2);
	raise_finish(raises, 1);
}

static void test_reopen(void **state)
{
	struct fixture *fixture = *state;
	struct raise raise = {.key = new_id(fixture)};
	bool fits;
	int version;

	raise_all(fixture, &raise, 1);
	harness_wait(&fixture->harness);
	raise_finish(&raise, 1);
	fixture_close(fixture);
	fixture_open(fixture);
	assert_int_equal(counter_of(fixture, &raise.key), 1);
	assert_int_equal(db_schema_version(fixture->db, &version, &fits), RC_OK);
	assert_int_equal(version, 2);
}

/* --- Watching ------------------------------------------------------------ */

static void told(void *arg)
{
	sem_post(arg);
}

/* Two scripts, of which the second tells. */
static void write_twice(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct script script;

	for (int i = 0; i < 2; i++) {
		script_init(&script, cx, ROOM_testroom, &fixture->tenant, &fixture->tenant);
		SCRIPT_ADD(&script, counter_raise, .tenant_id = fixture->tenant, .id = fixture->tenant);
		script.tells = i == 1;
		assert_int_equal(db_write(&script), RC_OK);
	}
}

#define QUIET_MS 300

static bool rings_within(sem_t *bell, int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ms * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return sem_timedwait(bell, &until) == 0;
}

/* On PostgreSQL by another process, as it were; a pooler lets nobody hear of others. */
static void test_watch(void **state)
{
	struct fixture *fixture = *state;
	struct db *watched = fixture->db;
	sem_t bell;
	int more;

	sem_init(&bell, 0, 0);
	if (db_is_shared(fixture->db) && !fixture->options.pooled)
		assert_int_equal(db_open(fixture->set, &fixture->options, &watched), RC_OK);
	assert_int_equal(db_watch(watched, told, &bell), RC_OK);
	if (watched != fixture->db)
		sem_wait(&bell);      /* once it listens */
	if (watched != fixture->db) { /* nobody else needs to hear of these */
		db_watch_here(fixture->db, true);
		with_arena(fixture, write_twice);
		assert_false(rings_within(&bell, QUIET_MS));
		db_watch_here(fixture->db, false);
	}
	with_arena(fixture, write_twice);
	sem_wait(&bell);
	db_unwatch(watched);
	sem_getvalue(&bell, &more);
	assert_int_equal(more, 0);
	with_arena(fixture, write_twice);
	if (watched != fixture->db)
		db_close(watched);
	sem_getvalue(&bell, &more);
	assert_int_equal(more, 0);
	sem_destroy(&bell);
}

static void ping(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;

	(void)cx;
	assert_int_equal(db_ping(fixture->db), RC_OK);
}

static void test_ping(void **state)
{
	with_arena(*state, ping);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_values, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_nulls, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_large_text, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_many, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_none, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_struct_in, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_too_many_steps, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_whose_query, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_prepares, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_group, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_order_of_key, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_one_fails, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_many_fail, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_all_fail, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_one_fails_abreast, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_many_fail_abreast, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_read_own_writes, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_version_moves, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_reopen, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_watch, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_ping, set_up, fixture_end),
	};
	struct fixture *probe;

	kind = argc > 1 ? argv[1] : "sqlite";
	probe = fixture_of(kind);
	if (probe == NULL)
		return 77; /* meson's word for skipped */
	fixture_destroy(probe);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
