/* One query for many inputs at once, on every store: `db_together_test sqlite|postgres|pooler`. */
#include "db/db_fixture.h"

#include <stdio.h>

static const char *kind; /* of the store */

static int set_up(void **state)
{
	return fixture_begin(state, fixture_of(kind));
}

/* Every kind of value, and none of it where there may be none. Two tenants have one id. */
static void fill_things(const struct fixture *fixture, const struct uuid *other,
			struct q_thing_insert_in in[4])
{
	in[0] = (struct q_thing_insert_in){.tenant_id = fixture->tenant,
					   .id = new_id(fixture),
					   .name = "full {\"quoted\", 'twice', \\, NULL}",
					   .colour = COLOUR_GREEN,
					   .flag = true,
					   .number = INT64_MIN,
					   .at = UTIME_MAX,
					   .document = "[1, \"\xc3\xa9\", null]",
					   .other_id = new_id(fixture),
					   .note = "",
					   .maybe = -1,
					   .maybe_at = 1,
					   .extra = "{}"};
	in[1] = (struct q_thing_insert_in){.tenant_id = fixture->tenant,
					   .id = new_id(fixture),
					   .name = "bare",
					   .document = "null",
					   .maybe = INT_NONE,
					   .maybe_at = UTIME_NONE};
	in[2] = in[0];
	in[2].tenant_id = *other;
	in[2].name = "of the other";
	in[3] = in[1];
	in[3].id = new_id(fixture);
	in[3].tenant_id = *other;
}

static enum rc insert_things(struct ctx *cx, const struct q_thing_insert_in *in, size_t count)
{
	struct script script;

	script_init(&script, cx, ROOM_testroom, &in->tenant_id, &in->id);
	for (size_t i = 0; i < count; i++)
		script_add(&script, &q_thing_insert_query, &in[i]);
	return db_write(&script);
}

static void write_many(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct uuid other = new_id(fixture), absent = new_id(fixture);
	struct q_thing_by_id_in ids[6];
	struct q_thing_insert_in in[4];
	const void *ins[6];
	struct rows rows[6];

	fill_things(fixture, &other, in);
	assert_int_equal(insert_things(cx, in, 4), RC_OK);
	for (size_t i = 0; i < 4; i++)
		ids[i] = (struct q_thing_by_id_in){in[i].tenant_id, in[i].id};
	ids[4] = (struct q_thing_by_id_in){other, absent};
	ids[5] = ids[0]; /* alike */
	for (size_t i = 0; i < 6; i++)
		ins[i] = &ids[i];
	assert_int_equal(db_read_each(cx, &q_thing_by_id_query, ins, 6, rows), RC_OK);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(rows[i].count, 1);
		check_thing(rows[i].items, &in[i]);
	}
	assert_int_equal(rows[4].count, 0);
	assert_int_equal(rows[5].count, 1);
	check_thing(rows[5].items, &in[0]);
}

static void test_together(void **state)
{
	with_arena(*state, write_many);
}

/* The last one's name is taken: nothing of it is kept. */
static void write_too_many(struct ctx *cx, void *arg)
{
	struct fixture *fixture = arg;
	struct q_thing_insert_in in[4];

	fill_things(fixture, &fixture->tenant, in);
	in[2].id = new_id(fixture);
	in[3].name = in[1].name;
	assert_int_equal(insert_things(cx, in, 4), RC_STORE_CONSTRAINT);
	in[3].name = "another";
	assert_int_equal(insert_things(cx, in, 4), RC_OK);
}

static void test_together_and_one_fails(void **state)
{
	with_arena(*state, write_too_many);
	assert_int_equal(things_in(*state), 4);
}

/* Each is held to who asks, as alone. */
static void read_anothers(struct ctx *cx, void *arg)
{
	const struct fixture *fixture = arg;
	struct q_thing_by_id_in ids[2] = {{fixture->tenant, new_id(fixture)},
					  {new_id(fixture), new_id(fixture)}};
	const void *ins[2] = {&ids[0], &ids[1]};
	struct rows rows[2];

	cx->principal = (struct principal){.role = ROLE_USER, .tenant_id = fixture->tenant};
	assert_int_equal(db_read_each(cx, &q_thing_by_id_query, ins, 2, rows), RC_INTERNAL);
	assert_int_equal(db_read_each(cx, &q_thing_by_id_query, ins, 1, rows), RC_OK);
}

static void test_together_whose(void **state)
{
	with_arena(*state, read_anothers);
}

/* --- Scripts abreast, some of which the store refuses ------------------------ */

#define CROWD	120
#define TENANTS 3

/* A counter and a thing, of a few tenants that have the same ids and keys. */
struct member {
	struct fixture *fixture;
	struct arena arena;
	struct ctx cx;
	struct errand errand;
	struct script script;
	struct q_thing_insert_in thing;
	struct uuid key;
	int64_t version;
	enum rc rc;
};

/* What a jsonb, and a text, cannot hold on PostgreSQL, and what it can. */
static const struct {
	const char *name, *document, *note;
	bool refused;
} values[] = {
	{"plain", "{}", NULL, false},
	{"nul", "{\"a\": \"\\u0000\"}", NULL, true},
	{"brackets", "[\"{\\\\,NULL}\"]", "{NULL,\"\\\\", false},
	{"empty", "\"\"", "", false},
	{"null", "null", "NULL", false},
	{"half", "\"\\ud800\"", NULL, true},
	{"large", "{\"n\": 123456789012345678901234567890.5}", "\\x00", false},
	{"not json", "{", NULL, true},
	{"not utf-8", "{}", "\xc3(", true},
};

static void run_member(void *arg)
{
	struct member *member = arg;
	const struct q_thing_insert_in *thing = &member->thing;
	const struct step *step;

	script_init(&member->script, &member->cx, ROOM_testroom, &thing->tenant_id, &member->key);
	member->script.abreast = true;
	step = SCRIPT_ADD(&member->script, counter_raise, .tenant_id = thing->tenant_id, .id = member->key);
	script_add(&member->script, &q_thing_insert_query, thing);
	member->rc = db_write(&member->script);
	if (member->rc == RC_OK)
		member->version = q_counter_raise_rows(step)->version;
}

static void check_member(struct ctx *cx, void *arg)
{
	const struct member *member = arg;
	const struct q_thing_by_id_in in = {member->thing.tenant_id, member->thing.id};
	struct thing *found = NULL;

	assert_int_equal(q_thing_by_id(cx, &in, &found), RC_OK);
	assert_int_equal(found != NULL, member->rc == RC_OK);
	if (found == NULL)
		return;
	assert_string_equal(found->label.name, member->thing.name);
	assert_true(uuid_equal(&found->other_id, &member->key));
	assert_int_equal(found->number, member->thing.number);
}

/* Each of a key's scripts has seen another version, from 1 on: none was lost, doubled, or given another's. */
static void check_versions(const struct member *members, size_t index)
{
	const struct member *one = &members[index];
	int64_t kept = 0, sum = 0;

	for (size_t i = 0; i < CROWD; i++) {
		if (members[i].rc != RC_OK || !uuid_equal(&members[i].key, &one->key) ||
		    !uuid_equal(&members[i].thing.tenant_id, &one->thing.tenant_id))
			continue;
		kept++;
		sum += members[i].version;
	}
	assert_int_equal(sum, kept * (kept + 1) / 2);
}

static void test_crowd(void **state)
{
	static struct member members[CROWD];
	struct fixture *fixture = *state;
	bool strict = strcmp(kind, "sqlite") != 0;
	struct uuid tenants[TENANTS], keys[5], id = UUID_NONE;

	for (size_t i = 0; i < ARRAY_LEN(tenants); i++)
		tenants[i] = new_id(fixture);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		keys[i] = new_id(fixture);
	for (size_t i = 0; i < CROWD; i++) {
		struct member *member = &members[i];
		size_t value = i % 29 < ARRAY_LEN(values) ? i % 29 : 0;
		char name[32];

		*member = (struct member){.fixture = fixture, .key = keys[i / TENANTS % ARRAY_LEN(keys)]};
		arena_init(&member->arena, &fixture->pool);
		member->cx = (struct ctx){.arena = &member->arena,
					  .world = &fixture->world,
					  .now = world_now(&fixture->world),
					  .ports = fixture->ports};
		if (i % TENANTS == 0)
			id = new_id(fixture);
		snprintf(name, sizeof(name), "%s %zu", values[value].name, i);
		member->thing = (struct q_thing_insert_in){.tenant_id = tenants[i % TENANTS],
							   .id = id,
							   .name = arena_text(&member->arena, str_from(name)),
							   .number = (int64_t)i,
							   .document = values[value].document,
							   .note = values[value].note,
							   .other_id = member->key,
							   .maybe = INT_NONE,
							   .maybe_at = UTIME_NONE};
		assert_int_equal(harness_go(&fixture->harness, &member->errand, run_member, member), RC_OK);
	}
	harness_wait(&fixture->harness);
	for (size_t i = 0; i < CROWD; i++) {
		size_t value = i % 29 < ARRAY_LEN(values) ? i % 29 : 0;
		struct arena arena;

		if (strict)
			assert_int_equal(members[i].rc, values[value].refused ? RC_INTERNAL : RC_OK);
		arena_init(&arena, &fixture->pool);
		if (strict || !values[value].refused)
			on_fiber(fixture, &arena, check_member, &members[i]);
		arena_finish(&arena);
		check_versions(members, i);
	}
	for (size_t i = 0; i < CROWD; i++)
		arena_finish(&members[i].arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_together, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_together_and_one_fails, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_together_whose, set_up, fixture_end),
		cmocka_unit_test_setup_teardown(test_crowd, set_up, fixture_end),
	};

	struct fixture *probe;

	kind = argc > 1 ? argv[1] : "sqlite";
	probe = fixture_of(kind);
	if (probe == NULL)
		return 77; /* meson's word for skipped */
	fixture_destroy(probe);
	return cmocka_run_group_tests_name(kind, tests, NULL, NULL);
}
