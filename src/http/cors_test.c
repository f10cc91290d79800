/* Which settings are origins, and which origins are those of the setting. */
#include "http/cors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct config config_of(const char *origins, const char *environment, int credentials)
{
	return (struct config){
		.cors_origins = origins,
		.environment = environment,
		.cors_credentials = credentials,
		.cors_max_age = 600,
	};
}

static void good_settings(void **state)
{
	(void)state;
	static const char *const lists[][2] = {
		{"https://app.example.com", "https://app.example.com"},
		{"HTTPS://App.Example.COM", "https://app.example.com"},
		{"https://app.example.com:443", "https://app.example.com"},
		{"http://app.example.com:443", "http://app.example.com:443"},
		{"http://localhost:80", "http://localhost"},
		{"http://localhost:5173 , https://b.example", "http://localhost:5173"},
		{"http://[::1]:8080", "http://[::1]:8080"},
		{"https://192.0.2.1:8443", "https://192.0.2.1:8443"},
	};
	struct arena arena;

	arena_init(&arena, NULL);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct config config = config_of(lists[i][0], "production", 1);
		struct cors cors;
		struct str bad;
		const char *why;

		assert_true(cors_parse(&config, &arena, &cors, &bad, &why));
		assert_true(cors.on && !cors.any && cors.count >= 1);
		if (!str_equal(cors.origins[0].name, str_from(lists[i][1])))
			fail_msg("%s", lists[i][0]);
	}
	arena_finish(&arena);
}

static void bad_settings(void **state)
{
	(void)state;
	static const char *const lists[] = {
		"app.example.com",
		"https://",
		"https:///",
		"https://app.example.com/",
		"https://app.example.com/path",
		"https://*.example.com",
		"https://user@app.example.com",
		"https://user:pw@app.example.com",
		"https://app.example.com:",
		"https://app.example.com:0",
		"https://app.example.com:65536",
		"https://app.example.com:80a",
		"https://app.example.com?x",
		"https://app example.com",
		"https://.example.com",
		"https://[::1",
		"ftp://app.example.com",
		"null",
		"*, https://app.example.com",
		"https://app.example.com, *",
		"https://app.example.com,,https://b.example",
		"https://app.example.com\r\nX: y",
	};
	struct arena arena;

	arena_init(&arena, NULL);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		const struct config config = config_of(lists[i], "development", 0);
		struct cors cors;
		struct str bad = {NULL, 0};
		const char *why = NULL;

		if (cors_parse(&config, &arena, &cors, &bad, &why))
			fail_msg("%s", lists[i]);
		assert_non_null(bad.p);
		assert_non_null(why);
	}
	arena_finish(&arena);
}

/* Any origin: in development only, and never with credentials. */
static void modes(void **state)
{
	(void)state;
	static const struct {
		const char *origins, *environment;
		int credentials;
		bool good, on, any;
	} rows[] = {
		{NULL, "development", 0, true, true, true},
		{"", "development", 0, true, true, true},
		{"*", "development", 0, true, true, true},
		{NULL, "development", 1, false, false, false},
		{"*", "development", 1, false, false, false},
		{NULL, "production", 0, true, false, false},
		{NULL, "production", 1, true, false, false},
		{"*", "production", 0, false, false, false},
		{"https://a.example", "development", 1, true, true, false},
		{"https://a.example", "production", 0, true, true, false},
	};
	struct arena arena;

	arena_init(&arena, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config config =
			config_of(rows[i].origins, rows[i].environment, rows[i].credentials);
		struct cors cors = {.on = false};
		struct str bad;
		const char *why;

		assert_int_equal(cors_parse(&config, &arena, &cors, &bad, &why), rows[i].good);
		assert_int_equal(cors.on, rows[i].on);
		assert_int_equal(cors.any, rows[i].any);
	}
	arena_finish(&arena);
}

static void too_many_origins(void **state)
{
	(void)state;
	char list[4096] = "";
	struct config config = config_of(list, "production", 0);
	struct arena arena;
	struct cors cors;
	struct str bad;
	const char *why;

	arena_init(&arena, NULL);
	for (int i = 0; i < CORS_ORIGINS_MAX; i++)
		snprintf(list + strlen(list), sizeof(list) - strlen(list), "https://a%d.example,", i);
	assert_true(cors_parse(&config, &arena, &cors, &bad, &why));
	assert_int_equal(cors.count, CORS_ORIGINS_MAX);
	snprintf(list + strlen(list), sizeof(list) - strlen(list), "https://b.example");
	assert_false(cors_parse(&config, &arena, &cors, &bad, &why));
	arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_settings),
		cmocka_unit_test(bad_settings),
		cmocka_unit_test(modes),
		cmocka_unit_test(too_many_origins),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
