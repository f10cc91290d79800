/* Who may call without a token, and who counts as exposed. */
#include "base/config.h"

#include "base/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void test_modes(void **state)
{
	static const struct {
		const char *environment, *listen, *auth;
		bool exposed, optional;
	} cases[] = {
		{"development", "127.0.0.1:8000", NULL, false, true},
		{"development", "127.0.0.2:0", NULL, false, true},
		{"development", "[::1]:8000", NULL, false, true},
		{"development", "[::1]:8000", "required", false, false},
		{"development", "0.0.0.0:8000", NULL, true, false},
		{"development", "[::]:8000", NULL, true, false},
		{"development", "[::127.0.0.1]:8000", NULL, true, false},
		{"development", "10.127.0.1:8000", NULL, true, false},
		{"production", "127.0.0.1:8000", NULL, true, false},
		{"production", "0.0.0.0:8000", NULL, true, false},
		{"producton", "127.0.0.1:8000", NULL, true, false},
		{"development", "127.0.0.1:8000", "none", false, false},
		/* Where this is configured marca does not start: app/posture.c. */
		{"production", "127.0.0.1:8000", "optional", true, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct config config = {.environment = cases[i].environment,
					      .listen = cases[i].listen,
					      .auth = cases[i].auth};

		if (config_exposed(&config) != cases[i].exposed ||
		    config_auth_optional(&config) != cases[i].optional)
			fail_msg("%s on %s", cases[i].environment, cases[i].listen);
	}
}

static void test_loopback(void **state)
{
	static const char *const here[] = {"localhost", "LocalHost", "127.0.0.1", "127.1.2.3", "::1"};
	static const char *const elsewhere[] =
		{"",   "127.", "127.example.com", "128.0.0.1", "localhost.example.com",
		 "::", "::2",  "0.0.0.0",	  "1127.0.0.1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(here); i++)
		assert_true(host_is_loopback(str_from(here[i])));
	for (size_t i = 0; i < ARRAY_LEN(elsewhere); i++)
		assert_false(host_is_loopback(str_from(elsewhere[i])));
}

/* X_FILE is the file of the secret X: no setting may be called so by itself. */
static void test_names_do_not_clash(void **state)
{
	char file[128];

	(void)state;
	for (const struct config_info *row = config_table; row->variable != NULL; row++) {
		size_t len = strlen(row->variable);

		/* Or a confined marca could not read it. */
		if (len > 5 && strcmp(row->variable + len - 5, "_FILE") == 0)
			assert_int_equal(row->kind, CONFIG_IS_FILE);
		snprintf(file, sizeof(file), "%s_FILE", row->variable);
		for (const struct config_info *other = config_table; other->variable != NULL; other++) {
			assert_false(row->kind == CONFIG_IS_SECRET && strcmp(file, other->variable) == 0);
			assert_false(row != other && strcmp(row->variable, other->variable) == 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_loopback),
		cmocka_unit_test(test_names_do_not_clash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
