/* Query strings: how they are taken apart and decoded. */
#include "base/arena_fixture.h"
#include "json/arena_json.h"
#include "json/shape_sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sample *parse(const char *query, const char **ret_issues)
{
	struct issues issues = {.arena = &arena};
	void *object = NULL;
	enum rc rc = shape_parse_query(&sample_shape, str_from(query), &issues, &object);

	*ret_issues = sample_issues(&issues);
	assert_int_equal(rc, (*ret_issues)[0] == '\0' ? RC_OK : RC_INVALID);
	return object;
}

static const char *text_of(const char *query)
{
	const char *issues;
	struct sample *sample = parse(query, &issues);

	assert_string_equal(issues, "");
	return sample->text;
}

static void texts_are_decoded(void **state)
{
	(void)state;
	assert_string_equal(text_of("text=a"), "a");
	assert_string_equal(text_of("&&text=a&"), "a");
	assert_string_equal(text_of("text=a+b"), "a b");
	assert_string_equal(text_of("text=a%20%2B"), "a +");
	assert_string_equal(text_of("text=%C3%A1%c3%a9"), "\xc3\xa1\xc3\xa9");
	assert_string_equal(text_of("text=a%26b%3D"), "a&b=");
	assert_string_equal(text_of("text=a=b"), "a=b");
	assert_string_equal(text_of("te%78t=a"), "a");
	assert_string_equal(text_of("other=%&text=a"), "a");
	assert_string_equal(text_of("%zz=1&=2&text=a"), "a");
	/* The last one counts. */
	assert_string_equal(text_of("text=a&text=b"), "b");
	assert_string_equal(text_of("text=a&text="), "a");
}

struct row {
	const char *query, *issues;
};

static const struct row rows[] = {
	{"", "query.text:missing"},
	{"text", "query.text:missing"},
	{"text=", "query.text:missing"},
	{"text=%", "query.text:string_unicode"},
	{"text=%4", "query.text:string_unicode"},
	{"text=%4g", "query.text:string_unicode"},
	{"text=%00", "query.text:string_unicode"},
	{"text=%ff", "query.text:string_unicode"},
	{"text=%c3", "query.text:string_unicode"},
	{"text=%ed%a0%80", "query.text:string_unicode"},
	{"text=123456", "query.text:string_too_long"},
	{"text=a&bounded=5&bounded=480", ""},
	{"text=a&bounded=481", "query.bounded:less_than_equal"},
	{"text=a&bounded=-1", "query.bounded:greater_than_equal"},
	{"text=a&bounded=30.0", "query.bounded:int_type"},
	{"text=a&bounded=+30", "query.bounded:int_type"},
	{"text=a&bounded=-", "query.bounded:int_type"},
	{"text=a&bounded=0x10", "query.bounded:int_type"},
	{"text=a&free=9223372036854775807", ""},
	{"text=a&free=9223372036854775808", "query.free:int_type"},
	{"text=a&free=-9223372036854775809", "query.free:int_type"},
	{"text=a&flag=yes", "query.flag:bool_type"},
	{"text=a&flag=TRUE", ""},
	{"text=a&colour=blue", "query.colour:enum"},
	{"text=a&id=x", "query.id:uuid_parsing"},
	{"text=a&when=2025-12-05T14:00:00%2B03:00", ""},
	{"text=a&when=2025-12-05", "query.when:datetime_parsing"},
	{"text=a&date=2025-12-32", "query.date:date_parsing"},
	{"text=a&clock=25:00", "query.clock:time_parsing"},
	{"text=a&id=x&bounded=x&when=x",
	 "query.id:uuid_parsing query.bounded:int_type query.when:datetime_parsing"},
	{"text=a&unknown=%zz", ""},
	{"text=a&inside=x", ""},
};

static void what_is_wrong_is_told(void **state)
{
	(void)state;
	const char *issues;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		parse(rows[i].query, &issues);
		if (strcmp(issues, rows[i].issues) != 0)
			fail_msg("%s\n  gives    \"%s\"\n  and not  \"%s\"", rows[i].query, issues,
				 rows[i].issues);
	}
}

static void values_become_what_they_mean(void **state)
{
	(void)state;
	const char *issues;
	struct sample *sample =
		parse("text=a&free=-12&flag=0&colour=red&clock=08:30&inside=5&bounded=", &issues);

	assert_string_equal(issues, "");
	assert_int_equal(sample->free, -12);
	assert_false(sample->flag);
	assert_int_equal(sample->colour, colour_red);
	assert_int_equal(sample->clock, 30600);
	assert_int_equal(sample->bounded, 30);
	assert_true(sample->inside == INT64_MIN);
	assert_true(HAS(sample, sample, flag));
	assert_false(HAS(sample, sample, bounded));
	assert_false(HAS(sample, sample, inside));
}

static void a_plus_in_a_path_is_a_plus(void **state)
{
	(void)state;
	bool good;
	char *text = percent_decode(&arena, STR("a+b%2fc"), false, &good);

	assert_true(good);
	assert_string_equal(text, "a+b/c");
	text = percent_decode(&arena, (struct str){NULL, 0}, false, &good);
	assert_true(good);
	assert_string_equal(text, "");
}

static void a_form_is_a_body(void **state)
{
	struct issues issues = {.arena = &arena};
	void *object = NULL;

	(void)state;
	assert_int_equal(shape_parse_form(&sample_shape, STR("text=a+b%26&unknown=1&unknown=2"), &issues,
					  &object),
			 RC_OK);
	assert_string_equal(((struct sample *)object)->text, "a b&");
	assert_int_equal(shape_parse_form(&sample_shape, STR("text=a&text=a"), &issues, &object), RC_INVALID);
	assert_string_equal(sample_issues(&issues), "body.text:value_error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(texts_are_decoded, begin, end),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_told, begin, end),
		cmocka_unit_test_setup_teardown(values_become_what_they_mean, begin, end),
		cmocka_unit_test_setup_teardown(a_form_is_a_body, begin, end),
		cmocka_unit_test_setup_teardown(a_plus_in_a_path_is_a_plus, begin, end),
	};

	arena_json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
