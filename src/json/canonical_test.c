/* Texts of one value are made one text; what is none is refused; and a deep one costs no more than its
 * length. */
#include "json/canonical.h"

#include "base/arena_fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* NULL: refused. */
static const char *canonical(const char *text)
{
	struct writer w;
	struct str said;

	writer_init(&w, &arena, 16);
	if (!write_canonical(&w, str_from(text)))
		return NULL;
	write_char(&w, '\0');
	assert_true(writer_take(&w, &said));
	return said.p;
}

/* On the left as some store writes it. */
static const char *const pairs[][2] = {
	{"{\"b\": 1, \"a\": [true, null, false], \"ab\": {}}", "{\"a\":[true,null,false],\"ab\":{},\"b\":1}"},
	{" { } ", "{}"},
	{"[ ]", "[]"},
	{"\"\\u00e1\\/\\ud83d\\ude00\\u0001\"", "\"\xc3\xa1/\xf0\x9f\x98\x80\\u0001\""},
	{"{\"x}]\\\"\": \"{[,\", \"a\": {\"d\": {\"z\": 1, \"y\": 2}, \"c\": []}}",
	 "{\"a\":{\"c\":[],\"d\":{\"y\":2,\"z\":1}},\"x}]\\\"\":\"{[,\"}"},
	{"9223372036854775807", "9223372036854775807"},
	{"-9223372036854775808", "-9223372036854775808"},
	{"5.0", "5.0"},
	{"5", "5"},
	{"0.1", "0.1"},
	{"1e+20", "100000000000000000000"},
	{"1.5e-07", "0.00000015"},
	{"1.50E1", "15.0"},
	{"-1.5e3", "-1500"},
	{"0.0015e5", "150"},
	{"0.0015e1", "0.015"},
	{"0e5", "0"},
	{"0.0e5", "0"},
	{"0e-2", "0.00"},
	{"10.5e-1", "1.05"},
	{"null", "null"},
};

static void one_text_a_value(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		assert_string_equal(canonical(pairs[i][0]), pairs[i][1]);
		assert_string_equal(canonical(pairs[i][1]), pairs[i][1]);
	}
}

static void what_is_none_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",	     "{",      "[",	   "[1",	  "{\"a\"}",  "{\"a\":}", "{\"a\":1,}x",
		"nul",	     "\"open", "\"\\x\"",  "\"\\ud83d\"", "1e999999", "1 2",	  "{\"a\":1 2}",
		"\"\\u12\"", "e5",     "{\"a\":1", "{\"a\" 1}",	  "]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_null(canonical(wrong[i]));
}

static void depth_costs_length(void **state)
{
	enum { DEEP = 150, TOO_DEEP = 250 };
	char text[DEEP * 6 + 2], *to = text;

	(void)state;
	for (int i = 0; i < DEEP; i++, to += 5)
		memcpy(to, "{\"a\":", 5);
	*to++ = '1';
	memset(to, '}', DEEP);
	to[DEEP] = '\0';
	assert_string_equal(canonical(text), text);
	memset(text, '[', TOO_DEEP);
	text[TOO_DEEP] = '\0';
	assert_null(canonical(text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_text_a_value, begin, end),
		cmocka_unit_test_setup_teardown(what_is_none_is_refused, begin, end),
		cmocka_unit_test_setup_teardown(depth_costs_length, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
