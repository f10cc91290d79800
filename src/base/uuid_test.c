/* UUIDs: what is read, what is written, and that new ones are of version 7 and in order of time. */
#include "base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void either_case_is_read(void **state)
{
	(void)state;
	static const char lower[] = "0193a3f2-7c00-7abc-8def-0123456789ab";
	struct uuid a, b;
	char buf[UUID_TEXT_LEN + 1];

	assert_true(uuid_parse(str_from(lower), &a));
	assert_true(uuid_parse(STR("0193A3F2-7C00-7aBC-8DEF-0123456789AB"), &b));
	assert_true(uuid_equal(&a, &b));
	assert_int_equal(a.b[0], 0x01);
	assert_int_equal(a.b[15], 0xab);
	assert_string_equal(uuid_text(buf, &b), lower);
	/* Any version, and the nil and max ones. */
	assert_true(uuid_parse(STR("00000000-0000-0000-0000-000000000000"), &a));
	assert_true(uuid_is_none(&a));
	assert_true(uuid_parse(STR("ffffffff-ffff-ffff-ffff-ffffffffffff"), &a));
	assert_false(uuid_is_none(&a));
}

static void other_forms_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"0193a3f2",
		"0193a3f27c007abc8def0123456789ab",
		"{0193a3f2-7c00-7abc-8def-0123456789ab}",
		"urn:uuid:0193a3f2-7c00-7abc-8def-0123456789ab",
		"0193a3f2-7c00-7abc-8def-0123456789a",
		"0193a3f2-7c00-7abc-8def-0123456789abc",
		"0193a3f2-7c00-7abc-8def-0123456789ag",
		"0193a3f2-7c00-7abc-8def-0123456789a ",
		"0193a3f2+7c00-7abc-8def-0123456789ab",
		"0193a3f-27c00-7abc-8def-0123456789ab",
		"0193a3f2-7c00-7abc-8def--123456789ab",
		"0193a3f2-7c00-7abc-8def-012345678\xc3\xa1",
	};
	struct uuid id = {{7}};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (uuid_parse(str_from(bad[i]), &id))
			fail_msg("\"%s\" is taken", bad[i]);
	assert_int_equal(id.b[0], 7); /* written only on success */
}

static void all_ones(const struct world *world, void *ret, size_t size)
{
	(void)world;
	memset(ret, 0xff, size);
}

static void new_ones_tell_their_time(void **state)
{
	(void)state;
	const struct world world = {.random = all_ones};
	utime now = INT64_C(0x0193a3f27c00) * 1000;
	struct uuid first = uuid_v7(&world, now), middle = uuid_v7(&world, now + 500),
		    last = uuid_v7(&world, now + 999);
	char buf[UUID_TEXT_LEN + 1];

	/* The twelve bits after the version are the millisecond's fraction. */
	assert_string_equal(uuid_text(buf, &first), "0193a3f2-7c00-7000-bfff-ffffffffffff");
	assert_string_equal(uuid_text(buf, &middle), "0193a3f2-7c00-7800-bfff-ffffffffffff");
	assert_string_equal(uuid_text(buf, &last), "0193a3f2-7c00-7ffb-bfff-ffffffffffff");
}

static void new_ones_differ_and_grow(void **state)
{
	(void)state;
	struct world world;
	struct uuid before, id;

	world_init(&world, UTIME_NONE);
	before = uuid_v7(&world, 0);
	for (int i = 1; i <= 1000; i++) {
		struct uuid same = uuid_v7(&world, i * UTIME_SECOND);

		id = uuid_v7(&world, i * UTIME_SECOND);
		assert_false(uuid_equal(&same, &id));
		assert_true(memcmp(&before, &id, sizeof(id)) < 0);
		before = id;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(either_case_is_read),
		cmocka_unit_test(other_forms_are_refused),
		cmocka_unit_test(new_ones_tell_their_time),
		cmocka_unit_test(new_ones_differ_and_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
