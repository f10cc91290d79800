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

struct bad {
	const char *text, *why;
};

/* clang-format off */
static const struct good goods[] = {
	{"redis://localhost", {.hosts = {{"localhost", true, 6379}}}},
	{"redis://localhost/", {.hosts = {{"localhost", true, 6379}}}},
	{"REDIS://a-b.c_d.example:1/15", {.hosts = {{"a-b.c_d.example", true, 1}}, .db = 15}},
	{"rediss://10.0.0.1:65535", {.tls = true, .hosts = {{"10.0.0.1", false, 65535}}}},
	{"rediss://[::1]", {.tls = true, .hosts = {{"::1", false, 6379}}}},
	{"redis://[2001:db8::7]:7000/3", {.hosts = {{"2001:db8::7", false, 7000}}, .db = 3}},
	{"redis://:secret@h", {.hosts = {{"h", true, 6379}}, .password = "secret"}},
	{"redis://ana:se%63ret%2F%40%3a%23@h:1/2", {.hosts = {{"h", true, 1}}, .user = "ana", .password = "secret/@:#", .db = 2}},
	{"redis://ana:p@ss:word@h", {.hosts = {{"h", true, 6379}}, .user = "ana", .password = "p@ss:word"}},
	{"redis://jo%C3%A3o:a+b@h", {.hosts = {{"h", true, 6379}}, .user = "jo\xc3\xa3o", .password = "a+b"}},
	{"redis+sentinel://a,b:7/m", {.kind = REDIS_SENTINELS, .hosts = {{"a", true, 26379}, {"b", true, 7}}, .master = "m"}},
	{"rediss+sentinel://:secret@[::1]:1,10.0.0.1/my-master/3", {.kind = REDIS_SENTINELS, .tls = true,
		.hosts = {{"::1", false, 1}, {"10.0.0.1", false, 26379}}, .password = "secret", .master = "my-master", .db = 3}},
	{"redis+cluster://a", {.kind = REDIS_CLUSTER, .hosts = {{"a", true, 6379}}}},
	{"rediss+cluster://u:p@a:1,b:2,c:3/", {.kind = REDIS_CLUSTER, .tls = true,
		.hosts = {{"a", true, 1}, {"b", true, 2}, {"c", true, 3}}, .user = "u", .password = "p"}},
};

static const struct bad bads[] = {
	{"", "must begin"},
	{"redis://", "must begin"},
	{"redis:/localhost", "must begin"},
	{"http://localhost", "must begin"},
	{"localhost:6379", "must begin"},
	{"redis://local host", "blanks"},
	{"redis://h\n", "blanks"},
	{"redis:///1", "host is no name"},
	{"redis://:6379", "host is no name"},
	{"redis://h\xc3\xa9", "host is no name"},
	{"redis://h:", "port"},
	{"redis://h:0", "port"},
	{"redis://h:65536", "port"},
	{"redis://h:63x9", "port"},
	{"redis://h:99999999999999999999", "port"},
	{"redis://::1", "port"},
	{"redis://[::1", "not closed"},
	{"redis://[::1]6379", "after the ]"},
	{"redis://[::g]", "no IPv6"},
	{"redis://[10.0.0.1]", "no IPv6"},
	{"redis://h/x", "/db"},
	{"redis://h/1/2", "/db"},
	{"redis://h/-1", "/db"},
	{"redis://h?db=1", "no ?"},
	{"redis://secret@h", ":password"},
	{"redis://ana:@h", "empty"},
	{"redis://a:secret%4@h", "percent"},
	{"redis://a:secret%zz@h", "percent"},
	{"redis://a:secret%00@h", "percent"},
	{"redis://a:secret%ff@h", "percent"},
	{"redis://a:secret/x@h", "port"},
	{"redis://a:secret#x@h", "no #"},
	{"redis://a,b", "host is no name"},
	{"redis+sentinel://a", "/name"},
	{"redis+sentinel://a/", "/name"},
	{"redis+sentinel://a,/m", "host is no name"},
	{"redis+sentinel://a,,b/m", "host is no name"},
	{"redis+sentinel://a:0,b/m", "port"},
	{"redis+sentinel://a/m/x", "/db"},
	{"redis+sentinel://a/m m", "blanks"},
	{"redis+sentinel://a/m%20m", "/name"},
	{"redis+cluster://a/1", "numbered"},
	{"redis+cluster://", "must begin"},
	{"redis+none://a", "must begin"},
	{"redis+cluster://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "16 hosts"},
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
		for (size_t j = 0; j < REDIS_HOSTS_MAX && should->hosts[j].name != NULL; j++) {
			assert_true(j < url.host_count);
			same(text, url.hosts[j].name, should->hosts[j].name);
			assert_int_equal(url.hosts[j].is_name, should->hosts[j].is_name);
			assert_int_equal(url.hosts[j].port, should->hosts[j].port);
		}
		assert_null(should->hosts[url.host_count].name);
		same(text, url.master, should->master);
		same(text, url.user, should->user);
		same(text, url.password, should->password);
		assert_int_equal(url.tls, should->tls);
		assert_int_equal(url.kind, should->kind);
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
		const char *text = bads[i].text, *should = bads[i].why, *why;
		struct redis_url url = {.db = -7};

		if (redis_url_parse(&arena, str_from(text), &url, &why))
			fail_msg("%s is taken", text);
		if (strstr(why, should) == NULL)
			fail_msg("%s: told \"%s\", not of \"%s\"", text, why, should);
		assert_null(strstr(why, "secret"));
		assert_int_equal(url.db, -7); /* written only on success */
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
