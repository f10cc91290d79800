/* Every password of the list is refused, in any case, and no other. */
#include "user/password_rules.h"

#include "user/common_passwords.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants those before it. */
#include <cmocka.h>

static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* The list has more than the table; and lines that differ in case alone are one. So no line past the first
 * hundred thousand that were long enough can have come before the table was full. */
static void test_the_whole_list(void **state)
{
	FILE *list = fopen(COMMON_PASSWORDS_LIST, "r");
	size_t refused = 0, read = 0;
	char line[1024];

	(void)state;
	assert_non_null(list);
	while (read < COMMON_PASSWORDS_COUNT && fgets(line, sizeof(line), list) != NULL) {
		line[strcspn(line, "\r\n")] = '\0';
		if (characters(line) < COMMON_PASSWORDS_MIN)
			continue;
		read++;
		for (char *c = line; *c != '\0'; c++)
			*c = (char)((unsigned char)*c < 0x80 ? toupper((unsigned char)*c) : *c);
		refused += !format_password.valid(str_from(line));
	}
	fclose(list);
	assert_int_equal(refused, COMMON_PASSWORDS_COUNT);
}

static void test_none_but_those(void **state)
{
	char text[64];

	(void)state;
	assert_true(format_password.valid(STR("correct horse battery")));
	assert_true(format_password.valid(STR("")));
	assert_true(format_password.valid(STR("password\0x")));
	for (int i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "not-in-the-list-%d", i);
		assert_true(format_password.valid(str_from(text)));
	}
}

static void test_what_is_known_of_him(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, NULL);
	assert_true(password_is_personal(&arena, "JOAO DA SILVA", "João da Silva", NULL));
	assert_true(password_is_personal(&arena, "Joao.Silva", "x", "joao.silva@example.com"));
	assert_true(password_is_personal(&arena, "joao.silva@EXAMPLE.com", "x", "joao.silva@example.com"));
	assert_false(password_is_personal(&arena, "joao.silva@example", "x", "joao.silva@example.com"));
	assert_false(password_is_personal(&arena, "something else", "x", NULL));
	assert_false(password_is_personal(&arena, "", "", ""));
	arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_whole_list),
		cmocka_unit_test(test_none_but_those),
		cmocka_unit_test(test_what_is_known_of_him),
	};

	return cmocka_run_group_tests_name("user_password_rules", tests, NULL, NULL);
}
