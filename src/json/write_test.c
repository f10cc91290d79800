/* What the writer writes: escapes, numbers, none as null; and that it reads back as the same. */
#include "base/arena_fixture.h"
#include "json/arena_json.h"
#include "json/shape_sample.h"
#include "json/write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *taken(struct writer *w)
{
	struct str text;

	write_char(w, '\0');
	assert_true(writer_take(w, &text));
	return text.p;
}

static const char *quoted(struct str text)
{
	struct writer w;

	writer_init(&w, &arena, 1);
	write_text(&w, text);
	return taken(&w);
}

static void texts_are_escaped(void **state)
{
	(void)state;
	assert_string_equal(quoted(STR("")), "\"\"");
	assert_string_equal(quoted((struct str){NULL, 0}), "\"\"");
	assert_string_equal(quoted(STR("a\"b\\c/d")), "\"a\\\"b\\\\c/d\"");
	assert_string_equal(quoted(STR("\b\f\n\r\t")), "\"\\b\\f\\n\\r\\t\"");
	assert_string_equal(quoted(STR("\x01\x1f\x7f")), "\"\\u0001\\u001f\x7f\"");
	assert_string_equal(quoted(STR("a\0b")), "\"a\\u0000b\"");
	assert_string_equal(quoted(STR("\xc3\xa1\xf0\x9f\x98\x80")), "\"\xc3\xa1\xf0\x9f\x98\x80\"");
}

/* Each character that a text can have survives the way out and in again. */
static void texts_read_back(void **state)
{
	(void)state;
	char bytes[127];
	struct issues issues = {.arena = &arena};
	const char *json;
	void *object;

	for (int i = 0; i < 127; i++)
		bytes[i] = (char)(i + 1);
	json = arena_printf(&arena, "{\"text\":\"a\",\"meta\":{\"k\":%s}}",
			    quoted((struct str){bytes, sizeof(bytes)}));
	assert_int_equal(shape_parse(&sample_shape, PARSE_WHOLE, str_from(json), &issues, &object), RC_OK);
	json = arena_printf(&arena, "{\"k\":%s}", quoted((struct str){bytes, sizeof(bytes)}));
	assert_string_equal(((struct sample *)object)->meta, json);
}

static const char *number(int64_t value)
{
	struct writer w;

	writer_init(&w, &arena, 4);
	write_int(&w, value);
	return taken(&w);
}

static void numbers_are_whole(void **state)
{
	(void)state;
	assert_string_equal(number(0), "0");
	assert_string_equal(number(-1), "-1");
	assert_string_equal(number(1000), "1000");
	assert_string_equal(number(INT64_MAX), "9223372036854775807");
	assert_string_equal(number(INT64_MIN), "-9223372036854775808");
}

static const char *filled(const char *text, const char *arg)
{
	struct writer w;

	writer_init(&w, &arena, 4);
	write_filled(&w, text, arg);
	return taken(&w);
}

static void texts_are_filled(void **state)
{
	(void)state;
	assert_string_equal(filled("at most {0} days", "30"), "\"at most 30 days\"");
	assert_string_equal(filled("{0}", "\"x\"\n"), "\"\\\"x\\\"\\n\"");
	assert_string_equal(filled("{0}", "{0}"), "\"{0}\"");
	assert_string_equal(filled("none", "30"), "\"none\"");
	assert_string_equal(filled("{0} days", NULL), "\"{0} days\"");
}

static struct sample *sample_of(const char *json)
{
	struct issues issues = {.arena = &arena};
	void *object;

	assert_int_equal(shape_parse(&sample_shape, PARSE_WHOLE, str_from(json), &issues, &object), RC_OK);
	return object;
}

static const char *written(const struct sample *sample)
{
	struct writer w;

	writer_init(&w, &arena, 16);
	write_shape(&w, &sample_shape, sample);
	return taken(&w);
}

static void none_is_null(void **state)
{
	(void)state;
	assert_string_equal(
		written(sample_of("{\"text\":\"a\"}")),
		"{\"text\":\"a\",\"id\":null,\"when\":null,\"date\":null,\"clock\":null,\"bounded\":30,"
		"\"free\":null,\"flag\":true,\"colour\":\"green\",\"zone\":\"UTC\",\"email\":null,"
		"\"object\":null,\"list\":[],\"days\":null,\"colours\":[],\"meta\":null,\"kept\":null,"
		"\"origin\":null}");
}

static const char whole[] =
	"{\"text\":\"a\",\"id\":\"0193a3f2-7c00-7000-8000-0000000000ff\",\"when\":\"2025-12-05T14:00:00."
	"500000Z\","
	"\"date\":\"2025-12-05\",\"clock\":\"24:00:00\",\"bounded\":480,\"free\":-7,\"flag\":false,"
	"\"colour\":\"red\","
	"\"zone\":\"America/Sao_Paulo\",\"email\":\"a@b.cd\",\"object\":{\"label\":\"x\",\"n\":9},"
	"\"list\":[{\"label\":\"a\",\"n\":3},{\"label\":\"b\",\"n\":1}],\"days\":[0,6],\"colours\":[\"red\","
	"\"green\"],"
	"\"meta\":{\"z\":[1,2.5,0.1,-0.0,1e-07,\"x\",true,false,null],\"e\":{},\"l\":[]},"
	"\"kept\":{\"label\":\"k\",\"n\":3},\"origin\":\"web\"}";

static void what_is_written_reads_back(void **state)
{
	(void)state;
	const char *text = written(sample_of(whole));

	assert_string_equal(text, whole);
	assert_string_equal(written(sample_of(text)), whole);
}

static void a_local_time_stays_local(void **state)
{
	(void)state;
	const char *text = written(sample_of("{\"text\":\"a\",\"when\":\"2025-12-05 14:00\"}"));

	assert_non_null(strstr(text, "\"when\":\"2025-12-05T14:00:00\""));
}

static void lists_and_empty_shapes(void **state)
{
	(void)state;
	const struct shape empty = {.name = "empty"};
	struct inner items[] = {{.label = "a", .n = 1}, {.label = "b", .n = 2}};
	struct writer w;

	writer_init(&w, &arena, 1);
	write_list(&w, &inner_shape, items, 2);
	write_list(&w, &inner_shape, NULL, 0);
	write_shape(&w, &empty, items);
	assert_string_equal(taken(&w), "[{\"label\":\"a\",\"n\":1},{\"label\":\"b\",\"n\":2}][]{}");
}

#define STAMPS(F, T)                             \
	F(T, INSTANT, at, REQUIRED, "Then.")     \
	F(T, INSTANT, never, OPTIONAL, "Maybe.") \
	F(T, LOCAL, here, REQUIRED, "Local.")    \
	F(T, LOCAL, nowhere, OPTIONAL, "Maybe.")
SHAPE_DECLARE(stamps, STAMPS);
SHAPE_DEFINE(stamps, STAMPS);

static void instants_and_offsets(void **state)
{
	(void)state;
	struct stamps stamps = {.at = 0,
				.never = UTIME_NONE,
				.here = {.at = 0, .offset = -3 * 3600},
				.nowhere = {.at = UTIME_NONE}};
	struct writer w;

	writer_init(&w, &arena, 64);
	write_shape(&w, &stamps_shape, &stamps);
	assert_string_equal(taken(&w), "{\"at\":\"1970-01-01T00:00:00Z\",\"never\":null,"
				       "\"here\":\"1969-12-31T21:00:00-03:00\",\"nowhere\":null}");
}

static void utf8_is_told(void **state)
{
	(void)state;
	assert_true(arena_json_utf8(&arena, STR("\xc3\xa1")));
	assert_true(arena_json_utf8(&arena, (struct str){NULL, 0}));
	assert_false(arena_json_utf8(&arena, STR("\xc3")));
	assert_false(arena_json_utf8(&arena, STR("\xff")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(texts_are_escaped, begin, end),
		cmocka_unit_test_setup_teardown(texts_read_back, begin, end),
		cmocka_unit_test_setup_teardown(numbers_are_whole, begin, end),
		cmocka_unit_test_setup_teardown(texts_are_filled, begin, end),
		cmocka_unit_test_setup_teardown(none_is_null, begin, end),
		cmocka_unit_test_setup_teardown(what_is_written_reads_back, begin, end),
		cmocka_unit_test_setup_teardown(a_local_time_stays_local, begin, end),
		cmocka_unit_test_setup_teardown(lists_and_empty_shapes, begin, end),
		cmocka_unit_test_setup_teardown(instants_and_offsets, begin, end),
		cmocka_unit_test_setup_teardown(utf8_is_told, begin, end),
	};

	arena_json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
