/* Which addresses are taken, and what is read of them. Those that a browser reads otherwise:
 * tests/auth/test_oidc.py. */
#include "auth/return_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
	const char *url, *origin, *host;
	bool secure, plain_port;
} good[] = {
	{"https://a.example.com", "https://a.example.com", "a.example.com", true, true},
	{"https://a.example.com/", "https://a.example.com", "a.example.com", true, true},
	{"https://a.example.com/b/c?d=e&f=%20:@", "https://a.example.com", "a.example.com", true, true},
	{"https://a.example.com?x", "https://a.example.com", "a.example.com", true, true},
	{"https://a.example.com:8443/x", "https://a.example.com:8443", "a.example.com", true, false},
	{"http://localhost:3000", "http://localhost:3000", "localhost", false, false},
	{"http://127.0.0.1/", "http://127.0.0.1", "127.0.0.1", false, true},
};

static const char *const bad[] = {
	"",
	"https",
	"https:",
	"https:/",
	"https://",
	"https:///",
	"https://?",
	"https://:1/",
	"https://.a/",
	"https://-a/",
	"https://A/",
	"HTTPS://a/",
	"https://a@b/",
	"https://a:b@c/",
	"https://a\\b",
	"https://a/\\",
	"https://a/#",
	"https://a#",
	"https://a:/",
	"https://a:x/",
	"https://a:123456/",
	"https://a:1x",
	"https://a;b",
	"https://a%2e/",
	"https://a_b/",
	"https://[::1]/",
	"https://a/ ",
	"https://a/\t",
	"https://a/\n",
	"https://a/\x7f",
	"https://a/\xc3\xa9",
	"https://a/<",
	"https://a/\"",
	" https://a/",
	"//a/",
	"/a",
	"ftp://a/",
	"javascript://a/%0aalert(1)",
	"https:a",
	"https:\\\\a",
};

static void taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct return_address found;

		if (!return_address_parse(good[i].url, &found))
			fail_msg("%s is refused", good[i].url);
		assert_true(str_equal(found.origin, str_from(good[i].origin)));
		assert_true(str_equal(found.host, str_from(good[i].host)));
		assert_int_equal(found.secure, good[i].secure);
		assert_int_equal(found.plain_port, good[i].plain_port);
	}
}

static void refused(void **state)
{
	struct return_address found;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (return_address_parse(bad[i], &found))
			fail_msg("%s is taken", bad[i]);
}

static void as_long_as_it_may_be(void **state)
{
	char url[RETURN_ADDRESS_MAX + 2] = "https://a/";
	struct return_address found;

	(void)state;
	memset(url + 10, 'x', RETURN_ADDRESS_MAX - 10);
	assert_true(return_address_parse(url, &found));
	url[RETURN_ADDRESS_MAX] = 'x';
	assert_false(return_address_parse(url, &found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken),
		cmocka_unit_test(refused),
		cmocka_unit_test(as_long_as_it_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
