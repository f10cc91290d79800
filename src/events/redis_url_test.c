/* The table of URLs of Redis that are taken, and of those that are not, with the reason. */
#include "events/redis_url.h"
#include "json/arena_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct good {
	const char *text;
	struct redis_url url;
};

/* clang-format off */
static const struct good goods[] = {
	{"redis://localhost", {false, "localhost", true, 6379, NULL, NULL, 0}},
	{"redis://localhost/", {false, "localhost", true, 6379, NULL, NULL, 0}},
	{"REDIS://a-b.c_d.example:1/15", {false, "a-b.c_d.example", true, 1, NULL, NULL, 15}},
	{"rediss://10.0.0.1:65535", {true, "10.0.0.1", false, 65535, NULL, NULL, 0}},
	{"rediss://[::1]", {true, "::1", false, 6379, NULL, NULL, 0}},
	{"redis://[2001:db8::7]:7000/3", {false, "2001:db8::7", false, 7000, NULL, NULL, 3}},
	{"redis://:secret@h", {false, "h", true, 6379, NULL, "secret", 0}},
	{"redis://ana:se%63ret%2F%40%3a%23@h:1/2", {false, "h", true, 1, "ana", "secret/@:#", 2}},
	{"redis://ana:p@ss:word@h", {false, "h", true, 6379, "ana", "p@ss:word", 0}},
	{"redis://jo%C3%A3o:a+b@h", {false, "h", true, 6379, "jo\xc3\xa3o", "a+b", 0}},
};

static const struct good bads[] = {
	{"", {.host = "must begin"}},
	{"redis://", {.host = "must begin"}},
	{"redis:/localhost", {.host = "must begin"}},
	{"http://localhost", {.host = "must begin"}},
	{"localhost:6379", {.host = "must begin"}},
	{"redis://local host", {.host = "blanks"}},
	{"redis://h\n", {.host = "blanks"}},
	{"redis:///1", {.host = "host is no name"}},
	{"redis://:6379", {.host = "host is no name"}},
	{"redis://h\xc3\xa9", {.host = "host is no name"}},
	{"redis://h:", {.host = "port"}},
	{"redis://h:0", {.host = "port"}},
	{"redis://h:65536", {.host = "port"}},
	{"redis://h:63x9", {.host = "port"}},
	{"redis://h:99999999999999999999", {.host = "port"}},
	{"redis://::1", {.host = "port"}},
	{"redis://[::1", {.host = "not closed"}},
	{"redis://[::1]6379", {.host = "after the ]"}},
	{"redis://[::g]", {.host = "no IPv6"}},
	{"redis://[10.0.0.1]", {.host = "no IPv6"}},
	{"redis://h/x", {.host = "/db"}},
	{"redis://h/1/2", {.host = "/db"}},
	{"redis://h/-1", {.host = "/db"}},
	{"redis://h?db=1", {.host = "no ?"}},
	{"redis://secret@h", {.host = ":password"}},
	{"redis://ana:@h", {.host = "empty"}},
	{"redis://a:secret%4@h", {.host = "percent"}},
	{"redis://a:secret%zz@h", {.host = "percent"}},
	{"redis://a:secret%00@h", {.host = "percent"}},
	{"redis://a:secret%ff@h", {.host = "percent"}},
	{"redis://a:secret/x@h", {.host = "port"}},
	{"redis://a:secret#x@h", {.host = "no #"}},
};
/* clang-format on */

static void same(const char *text, const char *is, const char *should)
{
	if ((is == NULL) != (should == NULL) || (is != NULL && strcmp(is, should) != 0))
		fail_msg("%s: \"%s\" instead of \"%s\"", text, is, should);
}

static void good_ones_are_taken_apart(void **state)
{
	(void)state;
	struct arena arena;

	arena_init(&arena, NULL);
	for (size_t i = 0; i < ARRAY_LEN(goods); i++) {
		const struct redis_url *should = &goods[i].url;
		const char *text = goods[i].text, *why;
		struct redis_url url;

		if (!redis_url_parse(&arena, str_from(text), &url, &why))
			fail_msg("%s: %s", text, why);
		same(text, url.host, should->host);
		same(text, url.user, should->user);
		same(text, url.password, should->password);
		assert_int_equal(url.tls, should->tls);
		assert_int_equal(url.host_is_name, should->host_is_name);
		assert_int_equal(url.port, should->port);
		assert_int_equal(url.db, should->db);
	}
	arena_finish(&arena);
}

static void bad_ones_are_told_without_what_they_hold(void **state)
{
	(void)state;
	struct arena arena;

	arena_init(&arena, NULL);
	for (size_t i = 0; i < ARRAY_LEN(bads); i++) {
		const char *text = bads[i].text, *should = bads[i].url.host, *why;
		struct redis_url url = {.port = -7};

		if (redis_url_parse(&arena, str_from(text), &url, &why))
			fail_msg("%s is taken", text);
		if (strstr(why, should) == NULL)
			fail_msg("%s: told \"%s\", not of \"%s\"", text, why, should);
		assert_null(strstr(why, "secret"));
		assert_int_equal(url.port, -7); /* written only on success */
	}
	arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_are_taken_apart),
		cmocka_unit_test(bad_ones_are_told_without_what_they_hold),
	};

	arena_json_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
