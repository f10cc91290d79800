/* What the helpers of base.h promise. */
#include "base/base.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define LEN_MAX 70

static bool is_control(int byte)
{
	return byte < 0x20 || byte == 0x7f;
}

/* Each byte at each place of texts of each length. */
static void printable(void **state)
{
	(void)state;
	char text[LEN_MAX];

	for (size_t len = 0; len <= LEN_MAX; len++) {
		for (size_t at = 0; at < len; at++) {
			for (int byte = 0; byte < 256; byte++) {
				memset(text, byte % 2 == 0 ? 0x20 : 0xff, len);
				text[at] = (char)byte;
				assert_int_equal(str_printable((struct str){text, len}),
						 is_control(byte) ? at : len);
			}
		}
		assert_int_equal(str_printable((struct str){"                                                "
							    "                      ",
							    len}),
				 len);
	}
	assert_int_equal(str_printable((struct str){NULL, 0}), 0);
}

/* Of several the first is meant. */
static void first_of_several(void **state)
{
	(void)state;
	char text[LEN_MAX];

	for (size_t first = 0; first < LEN_MAX; first++) {
		memset(text, 'x', sizeof(text));
		memset(text + first, '\n', sizeof(text) - first);
		assert_int_equal(str_printable((struct str){text, sizeof(text)}), first);
	}
}

static void digits(void **state)
{
	(void)state;
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";

	for (int byte = 0; byte < 256; byte++) {
		const char *in_lower = byte != 0 ? strchr(lower, byte) : NULL;
		const char *in_upper = byte != 0 ? strchr(upper, byte) : NULL;
		int value = in_lower != NULL   ? (int)(in_lower - lower)
			    : in_upper != NULL ? (int)(in_upper - upper)
					       : -1;

		assert_int_equal(hex_value((char)byte), value);
	}
}

static void case_of_letters(void **state)
{
	(void)state;
	assert_true(str_equal_nocase(STR("X-Request-ID"), STR("x-request-id")));
	assert_false(str_equal_nocase(STR("X-Request-ID"), STR("x-request-i")));
	assert_false(str_equal_nocase(STR("["), STR("{"))); /* 0x20 apart, and no letters */
	assert_false(str_equal_nocase(STR("@"), STR("`")));
	assert_true(str_equal_nocase((struct str){NULL, 0}, STR("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(printable),
		cmocka_unit_test(first_of_several),
		cmocka_unit_test(digits),
		cmocka_unit_test(case_of_letters),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
