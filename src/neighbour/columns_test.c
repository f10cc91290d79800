/* What is written is what is read, of every kind; and nothing else is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "neighbour/columns.h"
#include "json/arena_json.h"

enum colour { colour_red, colour_green };
static const char *const colour_texts[] = {"red", "green"};
static const struct names colour_names = {"colour", colour_texts, 2};

struct sample {
	struct uuid id, other;
	utime at, never;
	int64_t number, none;
	bool flag;
	const char *text, *absent, *json;
	enum colour colour;
};

#define COLUMN(member, kind_, ...)                                                                         \
	{                                                                                                  \
		.name = #member, .kind = (kind_), .offset = offsetof(struct sample, member), ##__VA_ARGS__ \
	}
static const struct column columns[] = {
	COLUMN(id, DB_UUID),
	COLUMN(other, DB_UUID, .nullable = true),
	COLUMN(at, DB_TIME),
	COLUMN(never, DB_TIME, .nullable = true),
	COLUMN(number, DB_INT),
	COLUMN(none, DB_INT, .nullable = true),
	COLUMN(flag, DB_BOOL),
	COLUMN(text, DB_TEXT),
	COLUMN(absent, DB_TEXT, .nullable = true),
	COLUMN(json, DB_JSON),
	COLUMN(colour, DB_ENUM, .names = &colour_names),
};

static const struct sample whole = {
	.id = {{1, 2, 3}},
	.at = INT64_C(1764590400123456),
	.never = UTIME_NONE,
	.number = INT64_MIN + 1,
	.none = INT_NONE,
	.flag = true,
	.text = "a \"quoted\" \n text, ação",
	.json = "{\"a\":[1,2,{\"b\":null}]}",
	.colour = colour_green,
};

static struct arena arena;

static enum rc read_text(struct str text, struct sample *ret)
{
	const char *why;
	const struct json_t *tree = arena_json_load(&arena, text, &why);

	assert_non_null(tree);
	return columns_read(columns, ARRAY_LEN(columns), tree, &arena, ret);
}

static struct str written(const struct sample *sample)
{
	struct writer writer;
	struct str text;

	writer_init(&writer, &arena, 64);
	columns_write(&writer, columns, ARRAY_LEN(columns), sample);
	assert_true(writer_take(&writer, &text));
	return text;
}

static void what_is_written_is_read(void **state)
{
	struct sample got = {0};

	(void)state;
	assert_int_equal(read_text(written(&whole), &got), RC_OK);
	assert_memory_equal(&got.id, &whole.id, sizeof(got.id));
	assert_true(uuid_is_none(&got.other));
	assert_int_equal(got.at, whole.at);
	assert_int_equal(got.never, UTIME_NONE);
	assert_int_equal(got.number, whole.number);
	assert_int_equal(got.none, INT_NONE);
	assert_true(got.flag);
	assert_string_equal(got.text, whole.text);
	assert_null(got.absent);
	assert_string_equal(got.json, whole.json);
	assert_int_equal(got.colour, colour_green);
}

static void versions_may_differ(void **state)
{
	struct sample got = {.absent = "of before"};
	const char *text = arena_printf(&arena, "{\"new\":1,%s", written(&whole).p + 1);
	char *absent = strstr(text, ",\"absent\":null");

	(void)state;
	assert_non_null(absent);
	memmove(absent, absent + strlen(",\"absent\":null"), strlen(absent) - strlen(",\"absent\":null") + 1);
	assert_int_equal(read_text(str_from(text), &got), RC_OK);
	assert_null(got.absent);
}

static void of_another_kind_is_refused(void **state)
{
	static const char *const swaps[][2] = {
		{"\"flag\":true", "\"flag\":1"},
		{"\"colour\":\"green\"", "\"colour\":\"blue\""},
		{"\"at\":1764590400123456", "\"at\":\"x\""},
		{"\"at\":1764590400123456", "\"at\":1.5"},
		{"\"at\":1764590400123456", "\"at\":null"},
		{"\"at\":1764590400123456", "\"a\":1"},
		{"\"id\":\"01", "\"id\":\"x1"},
		{"\"text\":\"a", "\"text\":null,\"b\":\""},
	};
	struct str good = written(&whole);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(swaps); i++) {
		const char *at = strstr(good.p, swaps[i][0]);
		struct sample got;
		const char *bad;

		assert_non_null(at);
		bad = arena_printf(&arena, "%.*s%s%s", (int)(at - good.p), good.p, swaps[i][1],
				   at + strlen(swaps[i][0]));
		assert_int_equal(read_text(str_from(bad), &got), RC_INVALID);
	}
	struct sample got;
	assert_int_equal(read_text(STR("[]"), &got), RC_INVALID);
}

static int begin(void **state)
{
	(void)state;
	arena_json_init();
	arena_init(&arena, NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_finish(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(versions_may_differ),
		cmocka_unit_test(of_another_kind_is_refused),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
