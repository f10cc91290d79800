/* What only the remote store can get wrong: connections that die, deadlocks, two processes; long because
 * there are so many ways. The rest is in db_test.c. */
#include "db/db_fixture.h"

#include <stdio.h>
#include <unistd.h>

static const char *kind; /* of the way there */

static int set_up(void **state)
{
	return fixture_begin(state, fixture_of(kind));
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

	with_arena(fixture, lose_in_script);
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

	with_arena(fixture, lose_in_read);
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

/* One that holds its connection up for long, and one that comes after it. */
struct turn {
	struct fixture *fixture;
	struct arena arena;
	struct ctx cx;
	struct errand errand;
	int ms;
	atomic_int *ended;
	int place; /* in which it ended */
	enum rc rc;
};

static void take_turn(void *arg)
{
	struct turn *turn = arg;
	struct uuid key = new_id(turn->fixture);
	struct script script;

	script_init(&script, &turn->cx, ROOM_testroom, &turn->fixture->tenant, &key);
	SCRIPT_ADD(&script, nap, .ms = turn->ms);
	turn->rc = db_write(&script);
	turn->place = atomic_fetch_add(turn->ended, 1);
}

/* A connection that could wait for a larger batch does not wait for one that is held up. */
static void test_held_up(void **state)
{
	struct fixture *fixture = *state;
	struct turn turns[2] = {{.ms = 1000}, {.ms = 0}};
	atomic_int ended = 0;

	for (int i = 0; i < 2; i++) {
		struct turn *turn = &turns[i];

		turn->fixture = fixture;
		turn->ended = &ended;
		arena_init(&turn->arena, &fixture->pool);
		turn->cx = (struct ctx){.arena = &turn->arena,
					.world = &fixture->world,
					.ports = fixture->ports};
		assert_int_equal(harness_go(&fixture->harness, &turn->errand, take_turn, turn), RC_OK);
		usleep(100000);
	}
	harness_wait(&fixture->harness);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(turns[i].rc, RC_OK);
		arena_finish(&turns[i].arena);
	}
	assert_int_equal(turns[1].place, 0);
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

	fixture_sql(fixture,
		    "DROP TABLE things, counters, testroom_relay, marca_schema; DROP FUNCTION hang_up()");
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, migrate, fixture), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		pthread_join(threads[i], &fine);
		assert_non_null(fine);
	}
	assert_int_equal(things_in(fixture), 0);
}

/* --- Tenants --------------------------------------------------------------- */

#define TENANTS 6

/* One of many that are under way at once, of several tenants. */
struct visitor {
	struct fixture *fixture;
	struct arena arena;
	struct ctx cx;
	struct errand errand;
	struct uuid tenant;
	bool doomed;
	int64_t count;
	enum rc rc;
};

static void visit_all(struct fixture *fixture, struct visitor *visitors, size_t count, void (*fn)(void *arg))
{
	for (size_t i = 0; i < count; i++) {
		struct visitor *visitor = &visitors[i];

		visitor->fixture = fixture;
		arena_init(&visitor->arena, &fixture->pool);
		visitor->cx = (struct ctx){.arena = &visitor->arena,
					   .world = &fixture->world,
					   .ports = fixture->ports};
		assert_int_equal(harness_go(&fixture->harness, &visitor->errand, fn, visitor), RC_OK);
	}
	harness_wait(&fixture->harness);
	for (size_t i = 0; i < count; i++)
		arena_finish(&visitors[i].arena);
}

static void add_thing(void *arg)
{
	struct visitor *visitor = arg;
	char name[UUID_TEXT_LEN + 1];
	struct q_thing_insert_in thing = {.tenant_id = visitor->tenant,
					  .id = new_id(visitor->fixture),
					  .document = "{}"};

	thing.name = visitor->doomed ? "taken" : uuid_text(name, &thing.id);
	visitor->rc = insert_thing(&visitor->cx, &thing);
}

static void count_things(void *arg)
{
	struct visitor *visitor = arg;
	const struct q_things_count_in in = {visitor->tenant};
	struct q_things_count_out *row = NULL;

	if (visitor->doomed) {
		read_impossible(&visitor->cx, visitor->fixture);
		return;
	}
	visitor->rc = q_things_count(&visitor->cx, &in, &row);
	visitor->count = row != NULL ? row->count : -1;
}

/* Many tenants in one group and in one flight of reads, with failures among them: each has his own, and his
 * alone. */
static void test_many_tenants(void **state)
{
	static struct visitor visitors[300];
	struct fixture *fixture = *state;
	struct uuid tenants[TENANTS];
	int64_t kept[TENANTS] = {0};

	memset(visitors, 0, sizeof(visitors));
	for (size_t i = 0; i < TENANTS; i++)
		tenants[i] = new_id(fixture);
	for (size_t i = 0; i < ARRAY_LEN(visitors); i++) {
		visitors[i].tenant = tenants[i % TENANTS];
		visitors[i].doomed = i % 7 == 3;
	}
	visit_all(fixture, visitors, ARRAY_LEN(visitors), add_thing);
	for (size_t i = 0; i < ARRAY_LEN(visitors); i++) {
		/* The first of that name is no failure. */
		assert_true(visitors[i].rc == RC_OK ||
			    (visitors[i].doomed && visitors[i].rc == RC_STORE_CONSTRAINT));
		kept[i % TENANTS] += visitors[i].rc == RC_OK;
	}
	visit_all(fixture, visitors, ARRAY_LEN(visitors), count_things);
	for (size_t i = 0; i < ARRAY_LEN(visitors); i++)
		assert_true(visitors[i].doomed || visitors[i].count == kept[i % TENANTS]);
}

/* A migration changes the rows of all tenants, though it runs as the owner, whom the wall holds too. */
static void test_migration_of_rows(void **state)
{
	static const char *const statements[] = {"UPDATE counters SET version = version + 10", NULL};
	struct fixture *fixture = *state;
	struct raise raise = {.key = new_id(fixture)};
	static struct migration migrations[3]; /* as long as the fixture */
	static struct query_set set;

	raise_all(fixture, &raise, 1);
	harness_wait(&fixture->harness);
	raise_finish(&raise, 1);
	fixture_close(fixture);
	set = testroom_queries;
	memcpy(migrations, set.migrations, 2 * sizeof(migrations[0]));
	migrations[2] = (struct migration){3, "more", {statements, statements}};
	set.migrations = migrations;
	set.migration_count = ARRAY_LEN(migrations);
	fixture->set = &set;
	fixture_open(fixture);
	assert_int_equal(counter_of(fixture, &raise.key), 11);
}

/* --- Roles ----------------------------------------------------------------- */

static enum rc open_as(struct fixture *fixture, const char *role, bool guest)
{
	struct db_options options = fixture->options;
	struct db *db;
	enum rc rc;

	options.role = role;
	options.guest = guest;
	rc = db_open(&testroom_queries, &options, &db);
	if (rc != RC_OK)
		return rc;
	rc = guest ? RC_OK : db_migrate(db, -1, NULL);
	db_close(db);
	return rc;
}

/* A role that no wall would hold, or that there is not, is refused at once, and not waited for. */
static void test_refused_roles(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(open_as(fixture, "marca", false), RC_INTERNAL); /* owns the tables */
	assert_int_equal(open_as(fixture, "postgres", false), RC_INTERNAL);
	assert_int_equal(open_as(fixture, "pg_read_all_data\" x", false), RC_INTERNAL);
	assert_int_equal(open_as(fixture, "", false), RC_INTERNAL);
	assert_int_equal(open_as(fixture, "marca_nobody", true), RC_INTERNAL); /* a guest makes none */
	assert_int_equal(open_as(fixture, "marca_app", true), RC_OK);
}

/* Another's policy that lets rows through, or a table that has lost its wall. */
static void test_holes(void **state)
{
	struct fixture *fixture = *state;

	fixture_sql(fixture, "CREATE POLICY hole ON things USING (TRUE)");
	assert_int_equal(open_as(fixture, NULL, false), RC_INTERNAL);
	fixture_sql(fixture, "DROP POLICY hole ON things");
	fixture_sql(fixture, "ALTER TABLE things NO FORCE ROW LEVEL SECURITY");
	fixture_sql(fixture, "DROP POLICY tenants_wall ON counters");
	/* of an older marca */
	fixture_sql(
		fixture,
		"CREATE POLICY tenant_wall ON counters USING (tenant_id::text = current_setting('app.tenant', TRUE))");
	fixture_sql(fixture, "CREATE TABLE late (tenant_id uuid)");
	assert_int_equal(open_as(fixture, NULL, false), RC_OK);
	fixture_sql(fixture,
		    "SELECT 1 / (SELECT COUNT(*) = 3 FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid "
		    "WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relforcerowsecurity "
		    "AND c.relrowsecurity)::integer");
}

struct opening {
	struct fixture *fixture;
	const char *role;
	pthread_t thread;
	enum rc rc;
};

static void *open_with(void *arg)
{
	struct opening *opening = arg;

	opening->rc = open_as(opening->fixture, opening->role, false);
	return NULL;
}

/* Processes that start together make the cluster's role together. */
static void test_role_is_made(void **state)
{
	struct fixture *fixture = *state;
	struct opening openings[4];
	char role[32], sql[128];

	snprintf(role, sizeof(role), "marca_test_%d", getpid());
	for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
		openings[i] = (struct opening){.fixture = fixture, .role = role};
		assert_int_equal(pthread_create(&openings[i].thread, NULL, open_with, &openings[i]), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(openings); i++) {
		pthread_join(openings[i].thread, NULL);
		assert_int_equal(openings[i].rc, RC_OK);
	}
	snprintf(sql, sizeof(sql), "DROP OWNED BY %s", role);
	fixture_sql(fixture, sql);
	snprintf(sql, sizeof(sql), "DROP ROLE %s", role);
	fixture_sql(fixture, sql);
}

/* What the owner has migrated, a login serves that owns nothing, and may make nothing. */
static void test_login_that_owns_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct raise raise = {.key = new_id(fixture)};
	char login[32], sql[128], own_url[sizeof(fixture->url)], *user;

	if (fixture->options.pooled) /* a pooler has its own list of logins */
		skip();
	snprintf(login, sizeof(login), "marca_web_%d", getpid());
	snprintf(sql, sizeof(sql), "CREATE ROLE %s LOGIN IN ROLE marca_app", login);
	fixture_sql(fixture, sql);
	fixture_close(fixture);
	memcpy(own_url, fixture->url, sizeof(own_url));
	user = strstr(fixture->url, "//marca@");
	assert_non_null(user);
	memmove(user + 2 + strlen(login), user + 2 + strlen("marca"), strlen(user + 2 + strlen("marca")) + 1);
	memcpy(user + 2, login, strlen(login));
	fixture_open(fixture);
	raise_all(fixture, &raise, 1);
	harness_wait(&fixture->harness);
	assert_int_equal(raise.rc, RC_OK);
	raise_finish(&raise, 1);
	assert_int_equal(counter_of(fixture, &raise.key), 1);
	fixture_close(fixture);
	memcpy(fixture->url, own_url, sizeof(own_url));
	snprintf(sql, sizeof(sql), "DROP ROLE %s", login);
	fixture_sql(fixture, sql);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lost_in_script, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_lost_in_read, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_lost_when_idle, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_lost_under_load, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_held_up, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_deadlock, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_column_changes, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_many_reads, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_unreachable, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_migrate_together, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_many_tenants, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_migration_of_rows, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_refused_roles, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_holes, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_role_is_made, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_login_that_owns_nothing, set_up, fixture_end),
	};
	struct fixture *probe;

	kind = argc > 1 ? argv[1] : "postgres";
	probe = fixture_of(kind);
	if (probe == NULL)
		return 77; /* meson's word for skipped */
	fixture_destroy(probe);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
