/*
 * Events become a chain in a store, `record_test sqlite|postgres`: as they were delivered, once each, also
 * where several processes add to one chain; and verifying the store finds what was done to it there.
 */
#include "audit/queries.h"
#include "audit/verify.h"
#include "db/db_fixture.h"
#include "events/consumer.h"

#include <stdio.h>
#include <stdlib.h>

#define EVENTS_MAX 256
#define RACERS	   16
#define RACER_ROWS 10
#define TRIES_MAX  1000

static struct fixture *(*fixture_create)(void);

static int set_up(void **state)
{
	struct fixture *fixture = fixture_create();

	fixture->set = &audit_queries;
	fixture_open(fixture);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	fixture_destroy(*state);
	return 0;
}

/* A test's body, on a fiber. */
static void in_arena(struct fixture *fixture, void (*fn)(struct ctx *cx, void *arg))
{
	struct arena arena;

	arena_init(&arena, &fixture->pool);
	on_fiber(fixture, &arena, fn, fixture);
	arena_finish(&arena);
}

/* --- Events --------------------------------------------------------------------------- */

/* Bytes that a store of JSON would not give back. */
#define PAYLOAD "{\"b\": 1,  \"a\":\"\xc3\xa9\\u00e9\", \"b\": 2.50}"

static struct event an_event(struct ctx *cx, const struct uuid *tenant)
{
	return (struct event){
		.id = uuid_v7(cx->world, cx->now),
		.tenant_id = *tenant,
		.subject_id = uuid_v7(cx->world, cx->now),
		.type = "booking.created",
		.payload = PAYLOAD,
		.trace_id = "0af7651916cd43dd8448eb211c80319c",
		.occurred_at = cx->now,
		.version = 1,
		.sequence = 1,
		.stream = STREAM_BOOKINGS,
	};
}

/* As the consumers' framework does, without the ids that it notes itself. Events lie tenant by tenant. */
static void begin_script(struct ctx *cx, struct script *script, struct delivery *delivery,
			 const struct event *events, size_t count)
{
	const struct event *each[EVENTS_MAX];

	for (size_t i = 0; i < count; i++)
		each[i] = &events[i];
	*delivery = (struct delivery){.cx = cx, .script = script};
	script_init(script, cx, ROOM_audit, &events[0].tenant_id, &events[0].tenant_id);
	script_reserve(script, count * AUDIT_STEPS);
	assert_int_equal(audit_begin(delivery, each, count), RC_OK);
}

static void add_all(struct delivery *delivery, const struct event *events, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_int_equal(audit_record(delivery, &events[i]), RC_OK);
	assert_int_equal(audit_finish(delivery), RC_OK);
}

static enum rc record(struct ctx *cx, const struct event *events, size_t count)
{
	struct delivery delivery;
	struct script script;

	begin_script(cx, &script, &delivery, events, count);
	add_all(&delivery, events, count);
	return script.count > 0 ? db_write(&script) : RC_OK;
}

static struct chain chain_in_store(struct ctx *cx, const struct uuid *tenant)
{
	struct chain chain;

	chain_begin(&chain, tenant, NULL, 0);
	assert_int_equal(verify_chain(cx, &chain, NULL, NULL), RC_OK);
	return chain;
}

static void check_intact(struct ctx *cx, const struct uuid *tenant, int64_t rows)
{
	struct chain chain = chain_in_store(cx, tenant);

	assert_string_equal(chain.fault, "");
	assert_int_equal(chain.number, rows);
}

/* --- Recording ------------------------------------------------------------------------- */

static void check_row(const struct audit_event *row, const struct event *event, int64_t number)
{
	assert_int_equal(row->number, number);
	assert_true(uuid_equal(&row->tenant_id, &event->tenant_id));
	assert_true(uuid_equal(&row->event_id, &event->id));
	assert_true(uuid_equal(&row->subject_id, &event->subject_id));
	assert_string_equal(row->stream, event->stream);
	assert_int_equal(row->sequence, event->sequence);
	assert_string_equal(row->type, event->type);
	assert_int_equal(row->version, event->version);
	assert_int_equal(row->ordinal, event->ordinal);
	assert_int_equal(row->occurred_at, event->occurred_at);
	assert_string_equal(row->trace_id, event->trace_id);
	assert_string_equal(row->payload, event->payload);
}

static void keeps_all_of_it(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	const struct q_audit_chain_in in = {.tenant_id = fixture->tenant, .from = 0, .limit = 10};
	struct event events[3];
	struct audit_event *rows = NULL;
	size_t count = 0;

	for (size_t i = 0; i < 3; i++) {
		events[i] = an_event(cx, &fixture->tenant);
		events[i].sequence = 40 + (int64_t)i;
		events[i].ordinal = (int64_t)i;
	}
	events[1].type = "booking.cancelled";
	assert_int_equal(record(cx, events, 2), RC_OK);
	cx->now += UTIME_SECOND;
	assert_int_equal(record(cx, events + 2, 1), RC_OK);
	assert_int_equal(q_audit_chain(cx, &in, &rows, &count), RC_OK);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++)
		check_row(&rows[i], &events[i], (int64_t)i + 1);
	assert_int_equal(rows[2].recorded_at - rows[1].recorded_at, UTIME_SECOND);
	check_intact(cx, &fixture->tenant, 3);
}

static void test_keeps_all_of_it(void **state)
{
	in_arena(*state, keeps_all_of_it);
}

/* As many events and tenants as a script may have. */
static void many_tenants(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct event events[EVENTS_MAX];
	struct uuid tenants[64];

	for (size_t i = 0; i < ARRAY_LEN(tenants); i++)
		tenants[i] = new_id(fixture);
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		events[i] = an_event(cx, &tenants[i / 4]);
	assert_int_equal(record(cx, events, ARRAY_LEN(events)), RC_OK);
	for (size_t i = 0; i < ARRAY_LEN(tenants); i++)
		check_intact(cx, &tenants[i], 4);
}

static void test_many_tenants(void **state)
{
	in_arena(*state, many_tenants);
}

/* Several pages of verify_chain(). */
static void many_rows(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct event events[250];

	for (size_t round = 0; round < 6; round++) {
		for (size_t i = 0; i < ARRAY_LEN(events); i++)
			events[i] = an_event(cx, &fixture->tenant);
		assert_int_equal(record(cx, events, ARRAY_LEN(events)), RC_OK);
	}
	check_intact(cx, &fixture->tenant, 1500);
}

static void test_many_rows(void **state)
{
	in_arena(*state, many_rows);
}

/* Both scripts were made when the chain ended at the same row: the second is refused as a whole. */
static void two_at_once(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct event first = an_event(cx, &fixture->tenant), second[2];
	struct delivery deliveries[2];
	struct script scripts[2];
	struct uuid other = new_id(fixture);

	second[0] = an_event(cx, &other);
	second[1] = an_event(cx, &fixture->tenant);
	begin_script(cx, &scripts[0], &deliveries[0], &first, 1);
	begin_script(cx, &scripts[1], &deliveries[1], second, 2);
	add_all(&deliveries[0], &first, 1);
	add_all(&deliveries[1], second, 2);
	assert_int_equal(db_write(&scripts[0]), RC_OK);
	assert_int_equal(db_write(&scripts[1]), RC_STORE_CONSTRAINT);
	check_intact(cx, &other, 0);
	assert_int_equal(record(cx, second, 2), RC_OK);
	check_intact(cx, &other, 1);
	check_intact(cx, &fixture->tenant, 2);
}

static void test_two_at_once(void **state)
{
	in_arena(*state, two_at_once);
}

/* What the framework may have forgotten is known to the trail itself; what it has not is its own matter. */
static void an_old_one_again(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct event old = an_event(cx, &fixture->tenant), new = an_event(cx, &fixture->tenant);

	old.occurred_at -= 2 * UTIME_DAY;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(record(cx, &old, 1), RC_OK);
	check_intact(cx, &fixture->tenant, 1);
	assert_int_equal(record(cx, &new, 1), RC_OK);
	assert_int_equal(record(cx, &new, 1), RC_STORE_CONSTRAINT);
	check_intact(cx, &fixture->tenant, 2);
}

static void test_an_old_one_again(void **state)
{
	in_arena(*state, an_old_one_again);
}

/* --- A race ----------------------------------------------------------------------------- */

struct racer {
	struct fixture *fixture;
	struct errand errand;
	size_t refused;
};

static void race(void *arg)
{
	struct racer *racer = arg;
	struct fixture *fixture = racer->fixture;

	for (size_t i = 0; i < RACER_ROWS; i++) {
		struct arena arena;
		struct ctx cx = {.arena = &arena,
				 .world = &fixture->world,
				 .now = world_now(&fixture->world),
				 .ports = fixture->ports};
		struct event event;
		enum rc rc;

		arena_init(&arena, &fixture->pool);
		event = an_event(&cx, &fixture->tenant);
		while ((rc = record(&cx, &event, 1)) == RC_STORE_CONSTRAINT && racer->refused < TRIES_MAX)
			racer->refused++;
		assert_int_equal(rc, RC_OK);
		arena_finish(&arena);
	}
}

static void race_is_intact(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;

	check_intact(cx, &fixture->tenant, RACERS * RACER_ROWS);
}

static void test_a_race(void **state)
{
	struct fixture *fixture = *state;
	struct racer racers[RACERS];
	size_t refused = 0;

	for (size_t i = 0; i < RACERS; i++) {
		racers[i] = (struct racer){.fixture = fixture};
		assert_int_equal(harness_go(&fixture->harness, &racers[i].errand, race, &racers[i]), RC_OK);
	}
	harness_wait(&fixture->harness);
	for (size_t i = 0; i < RACERS; i++)
		refused += racers[i].refused;
	assert_true(refused > 0); /* else it was none */
	in_arena(fixture, race_is_intact);
}

/* --- Verifying --------------------------------------------------------------------------- */

static void record_ten(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct event events[10];

	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		events[i] = an_event(cx, &fixture->tenant);
	assert_int_equal(record(cx, events, ARRAY_LEN(events)), RC_OK);
}

struct wanted {
	struct fixture *fixture;
	const char *fault;
};

static void check_fault(struct ctx *cx, void *arg)
{
	const struct wanted *wanted = arg;
	struct chain chain = chain_in_store(cx, &wanted->fixture->tenant);

	assert_string_equal(chain.fault, wanted->fault);
}

/* Ten rows in a store of its own, and what somebody does to them there. */
static void tamper(void **state, const char *sql, const char *fault)
{
	struct wanted wanted = {*state, fault};
	struct arena arena;

	in_arena(*state, record_ten);
	fixture_sql(*state, sql);
	arena_init(&arena, NULL);
	on_fiber(*state, &arena, check_fault, &wanted);
	arena_finish(&arena);
	tear_down(state);
	set_up(state);
}

static void test_tampering(void **state)
{
	static const char *const edits[][2] = {
		{"UPDATE audit_events SET type = 'x' WHERE number = 5",
		 "row 5 was changed, or row 4 with its hash"},
		{"UPDATE audit_events SET payload = '{}' WHERE number = 10",
		 "the payload of row 10 was changed"},
		{"DELETE FROM audit_events WHERE number = 5", "row 5 is missing"},
		{"DELETE FROM audit_events WHERE number > 7", "the chain ends at 7, its head says 10"},
		{"DELETE FROM audit_events", "the chain ends at 0, its head says 10"},
		{"DELETE FROM audit_heads", "the chain ends at 10, and has no head"},
		{"UPDATE audit_events SET number = -number WHERE number = 3", "row -3 does not belong there"},
		{"UPDATE audit_heads SET number = 4", "the chain ends at 10, its head says 4"},
	};

	for (size_t i = 0; i < ARRAY_LEN(edits); i++)
		tamper(state, edits[i][0], edits[i][1]);
}

/* SQLite keeps an id of one byte, and what stands behind the end of a text; PostgreSQL refuses both. */
static void test_what_cannot_be_read(void **state)
{
	static const char *const edits[] = {
		"UPDATE audit_events SET event_id = x'00' WHERE number = 6",
		"UPDATE audit_events SET payload = payload || char(0) || 'x' WHERE number = 6",
	};

	if (((struct fixture *)*state)->folder[0] == '\0')
		return;
	for (size_t i = 0; i < ARRAY_LEN(edits); i++)
		tamper(state, edits[i], "what comes after row 5 cannot be read");
}

static size_t tenants_found(struct ctx *cx)
{
	struct uuid from = UUID_NONE, tenant;
	size_t count = 0;
	bool found;

	cx->principal.role = ROLE_OPERATOR;
	for (;;) {
		assert_int_equal(verify_next_tenant(cx, &from, &tenant, &found), RC_OK);
		if (!found)
			return count;
		count++;
		from = tenant;
		from.b[15]++;
	}
}

static void walk_tenants(struct ctx *cx, void *arg)
{
	struct event event;

	(void)arg;
	assert_int_equal(tenants_found(cx), 0);
	for (uint8_t i = 1; i <= 3; i++) {
		struct uuid tenant = {{i}};

		event = an_event(cx, &tenant);
		assert_int_equal(record(cx, &event, 1), RC_OK);
	}
	assert_int_equal(tenants_found(cx), 3);
}

static void three_still(struct ctx *cx, void *arg)
{
	(void)arg;
	assert_int_equal(tenants_found(cx), 3);
}

/* One is known by its rows alone, another by its head alone. */
static void test_tenants(void **state)
{
	in_arena(*state, walk_tenants);
	fixture_sql(*state, "DELETE FROM audit_heads WHERE tenant_id = (SELECT h.tenant_id FROM audit_heads "
			    "h ORDER BY h.tenant_id LIMIT 1)");
	in_arena(*state, three_still);
	fixture_sql(*state, "DELETE FROM audit_events WHERE tenant_id = (SELECT h.tenant_id FROM audit_heads "
			    "h ORDER BY h.tenant_id DESC LIMIT 1)");
	in_arena(*state, three_still);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keeps_all_of_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_tenants, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_many_rows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_an_old_one_again, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_race, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tampering, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tenants, set_up, tear_down),
	};
	struct fixture *probe;

	fixture_create = argc > 1 && strcmp(argv[1], "postgres") == 0 ? fixture_postgres : fixture_sqlite;
	probe = fixture_create();
	if (probe == NULL)
		return 77; /* meson's word for skipped */
	fixture_destroy(probe);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
