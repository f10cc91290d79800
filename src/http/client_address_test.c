/* Whose address counts, by what came, from whom, and which proxies are trusted. */
#include "http/client_address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void lists_of_proxies(void **state)
{
	(void)state;
	static const char *const good[] = {"", "10.0.0.1", "10.0.0.0/8, ::1", " fd00::/8 ,192.168.0.0/16",
					   "0.0.0.0/0"};
	static const char *const bad[][2] = {
		{"10.0.0", "10.0.0"},		{"10.0.0.1/33", "10.0.0.1/33"}, {"10.0.0.1, nginx", "nginx"},
		{"::1/129", "::1/129"},		{"10.0.0.1/", "10.0.0.1/"},	{"10.0.0.1,,::1", ""},
		{"10.0.0.1/+8", "10.0.0.1/+8"}, {"10.0.0.1:80", "10.0.0.1:80"},
	};
	struct proxies proxies;
	struct str what;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(proxies_parse(str_from(good[i]), &proxies, &what));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(proxies_parse(str_from(bad[i][0]), &proxies, &what));
		assert_true(str_equal(what, str_from(bad[i][1])));
	}
}

static void too_many_proxies(void **state)
{
	(void)state;
	char list[1024] = "";
	struct proxies proxies;
	struct str what;

	for (int i = 0; i < PROXIES_MAX; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s10.0.0.%d", i > 0 ? "," : "",
			 i);
	assert_true(proxies_parse(str_from(list), &proxies, &what));
	snprintf(list + strlen(list), sizeof(list) - strlen(list), ",10.0.1.1");
	assert_false(proxies_parse(str_from(list), &proxies, &what));
}

static const struct {
	const char *proxies, *peer, *lines[2], *client;
} cases[] = {
	/* Nobody is trusted: what a client says of himself counts nothing. */
	{"", "203.0.113.9", {"198.51.100.1"}, "203.0.113.9"},
	{"10.0.0.0/8", "203.0.113.9", {"198.51.100.1"}, "203.0.113.9"},
	/* One proxy, and two. */
	{"10.0.0.0/8", "10.0.0.1", {"198.51.100.1"}, "198.51.100.1"},
	{"10.0.0.0/8", "10.0.0.1", {"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
	{"10.0.0.0/8", "10.0.0.1", {"198.51.100.1", "10.0.0.2"}, "198.51.100.1"},
	/* Made up by the client, left of what the proxy wrote. */
	{"10.0.0.0/8", "10.0.0.1", {"192.0.2.66, 198.51.100.1"}, "198.51.100.1"},
	{"10.0.0.0/8", "10.0.0.1", {"192.0.2.66", "198.51.100.1"}, "198.51.100.1"},
	{"10.0.0.0/8", "10.0.0.1", {"10.0.0.9, 198.51.100.1"}, "198.51.100.1"},
	/* Nothing, or nothing that leads further: the nearest that is known. */
	{"10.0.0.0/8", "10.0.0.1", {NULL}, "10.0.0.1"},
	{"10.0.0.0/8", "10.0.0.1", {"unknown"}, "10.0.0.1"},
	{"10.0.0.0/8", "10.0.0.1", {"198.51.100.1, unknown"}, "10.0.0.1"},
	{"10.0.0.0/8", "10.0.0.1", {"198.51.100.1, , 10.0.0.3"}, "10.0.0.3"},
	{"10.0.0.0/8", "10.0.0.1", {"10.0.0.2, 10.0.0.3"}, "10.0.0.2"},
	{"10.0.0.0/8", "10.0.0.1", {","}, "10.0.0.1"},
	/* IPv6, and IPv4 within it. */
	{"::1", "::1", {"2001:db8::5"}, "2001:db8::5"},
	{"127.0.0.1", "::ffff:127.0.0.1", {"2001:db8::5"}, "2001:db8::5"},
	{"fd00::/8", "fd12::1", {"::ffff:198.51.100.1"}, "198.51.100.1"},
	{"fd00::/7", "fe12::1", {"198.51.100.1"}, "fe12::1"},
	{"::1", "::1", {"[2001:db8::5]:443"}, "::1"},
};

static void the_client_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct http_header headers[3] = {{STR("Host"), STR("a")}};
		struct http_exchange exchange = {.headers = headers, .header_count = 1};
		struct proxies proxies;
		struct address got, wanted;
		struct str what;

		for (size_t j = 0; j < 2 && cases[i].lines[j] != NULL; j++)
			headers[exchange.header_count++] =
				(struct http_header){STR("x-forwarded-for"), str_from(cases[i].lines[j])};
		snprintf(exchange.peer, sizeof(exchange.peer), "%s", cases[i].peer);
		assert_true(proxies_parse(str_from(cases[i].proxies), &proxies, &what));
		assert_true(address_parse(str_from(cases[i].client), &wanted));
		got = client_address(&proxies, &exchange);
		if (memcmp(&got, &wanted, sizeof(got)) != 0)
			fail_msg("case %zu: %s", i, exchange.peer);
		assert_true(address_parse(str_from(exchange.peer), &got));
		assert_memory_equal(&got, &wanted, sizeof(got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_of_proxies),
		cmocka_unit_test(too_many_proxies),
		cmocka_unit_test(the_client_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
