/* One query for many inputs at once, on every store: `db_together_test sqlite|postgres|pooler`. */
#include "db/db_fixture.h"

static const char *kind; /* of the store */

static int set_up(void **state)
{
	struct fixture *fixture = fixture_of(kind);

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
	struct q_thing_by_id_in ids[5];
	struct q_thing_insert_in in[4];
	const void *ins[5];
	struct rows rows[5];

	fill_things(fixture, &other, in);
	assert_int_equal(insert_things(cx, in, 4), RC_OK);
	for (size_t i = 0; i < 4; i++)
		ids[i] = (struct q_thing_by_id_in){in[i].tenant_id, in[i].id};
	ids[4] = (struct q_thing_by_id_in){other, absent};
	for (size_t i = 0; i < 5; i++)
		ins[i] = &ids[i];
	assert_int_equal(db_read_each(cx, &q_thing_by_id_query, ins, 5, rows), RC_OK);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(rows[i].count, 1);
		check_thing(rows[i].items, &in[i]);
	}
	assert_int_equal(rows[4].count, 0);
}

static void test_together(void **state)
{
	in_arena(*state, write_many);
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
	in_arena(*state, write_too_many);
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
	in_arena(*state, read_anothers);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_together, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_together_and_one_fails, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_together_whose, set_up, tear_down),
	};

	struct fixture *probe;

	kind = argc > 1 ? argv[1] : "sqlite";
	probe = fixture_of(kind);
	if (probe == NULL)
		return 77; /* meson's word for skipped */
	fixture_destroy(probe);
	return cmocka_run_group_tests_name(kind, tests, NULL, NULL);
}
