/* base64url: RFC 4648's own examples, and one text for one value. */
#include "auth/base64url.h"
#include "auth/keys_test.h"

/* RFC 4648, section 10, without padding; and what tells this alphabet from the other. */
static void the_rfcs_examples_go_both_ways(void **state)
{
	static const struct {
		const char *bytes, *text;
	} examples[] = {
		{"f", "Zg"},	      {"fo", "Zm8"},	      {"foo", "Zm9v"},		{"foob", "Zm9vYg"},
		{"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"},
	};
	struct bed *bed = *state;
	char bytes[16];
	size_t size;

	for (size_t i = 0; i < ARRAY_LEN(examples); i++) {
		size_t len = strlen(examples[i].bytes);

		assert_string_equal(base64url_text(&bed->arena, examples[i].bytes, len), examples[i].text);
		assert_int_equal(BASE64URL_LEN(len), strlen(examples[i].text));
		assert_true(base64url_bytes(str_from(examples[i].text), bytes, sizeof(bytes), &size));
		assert_int_equal(size, len);
		assert_memory_equal(bytes, examples[i].bytes, len);
	}
}

/* Every text of two characters, any bytes at all: it decodes if and only if it is how its byte is written. */
static void one_text_for_one_value(void **state)
{
	char text[2], again[3];
	unsigned char byte;
	size_t size, taken = 0;

	(void)state;
	for (int both = 0; both < 0x10000; both++) {
		text[0] = (char)(both >> 8);
		text[1] = (char)both;
		if (!base64url_bytes((struct str){text, 2}, &byte, 1, &size))
			continue;
		taken++;
		base64url_write(again, &byte, 1);
		assert_memory_equal(again, text, 2);
	}
	assert_int_equal(taken, 256);
}

static void what_is_too_long_or_short_is_refused(void **state)
{
	unsigned char bytes[3];
	size_t size;

	(void)state;
	assert_false(base64url_bytes((struct str){0}, bytes, 3, &size));
	assert_false(base64url_bytes(STR("Z"), bytes, 3, &size));
	assert_false(base64url_bytes(STR("Zm9vZ"), bytes, 3, &size));
	assert_false(base64url_bytes(STR("Zm9vYg"), bytes, 3, &size));
	assert_false(base64url_exact(STR("Zm8"), bytes, 3));
	assert_true(base64url_exact(STR("Zm9v"), bytes, 3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_rfcs_examples_go_both_ways, bed_open, bed_close),
		cmocka_unit_test_setup_teardown(one_text_for_one_value, bed_open, bed_close),
		cmocka_unit_test_setup_teardown(what_is_too_long_or_short_is_refused, bed_open, bed_close),
	};

	return cmocka_run_group_tests_name("base64url", tests, NULL, NULL);
}
