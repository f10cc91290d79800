/* Only what was signed, with that key, at about that time, is good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "neighbour/signature.h"

#include <sodium.h>

#define NOW	(INT64_C(1764590400) * UTIME_SECOND)
#define SECRET	"0123456789abcdef0123456789abcdef"
#define PATH	STR("/internal/reads")
#define MESSAGE STR("{\"reads\":[]}")

static struct str header(char text[SIGNATURE_MAX])
{
	struct signature_key key = signature_key(SECRET);

	signature_make(text, &key, NOW, PATH, MESSAGE);
	return str_from(text);
}

static bool good(const char *secret, utime now, struct str path, struct str body, struct str header)
{
	struct signature_key key = signature_key(secret);

	return signature_good(&key, now, path, body, header);
}

static void what_was_signed_is_good(void **state)
{
	char text[SIGNATURE_MAX];

	(void)state;
	assert_true(good(SECRET, NOW, PATH, MESSAGE, header(text)));
	assert_true(good(SECRET, NOW + SIGNATURE_SKEW, PATH, MESSAGE, header(text)));
	assert_true(good(SECRET, NOW - SIGNATURE_SKEW, PATH, MESSAGE, header(text)));
}

static void anything_else_is_not(void **state)
{
	char text[SIGNATURE_MAX];
	struct str sent = header(text);

	(void)state;
	assert_false(good("another key, of more than 32 bytes", NOW, PATH, MESSAGE, sent));
	assert_false(good(SECRET, NOW, STR("/internal/principal"), MESSAGE, sent));
	assert_false(good(SECRET, NOW, PATH, STR("{\"reads\":[1]}"), sent));
	assert_false(good(SECRET, NOW + SIGNATURE_SKEW + UTIME_SECOND, PATH, MESSAGE, sent));
	assert_false(good(SECRET, NOW - SIGNATURE_SKEW - UTIME_SECOND, PATH, MESSAGE, sent));
	/* What ends the path must not be taken from what begins the body. */
	assert_false(good(SECRET, NOW, STR("/internal/reads\n{"), STR("\"reads\":[]}"), sent));
}

static void every_character_counts(void **state)
{
	char text[SIGNATURE_MAX];
	struct str sent = header(text);

	(void)state;
	for (size_t i = 0; i < sent.len; i++) {
		char kept = text[i];

		text[i] = kept == '1' ? '2' : '1';
		assert_false(good(SECRET, NOW, PATH, MESSAGE, sent));
		text[i] = kept;
	}
	for (size_t len = 0; len < sent.len; len++)
		assert_false(good(SECRET, NOW, PATH, MESSAGE, (struct str){text, len}));
	assert_false(good(SECRET, NOW, PATH, MESSAGE, (struct str){NULL, 0}));
	assert_false(good(SECRET, NOW, PATH, MESSAGE, STR("99999999999999999999 00")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_signed_is_good),
		cmocka_unit_test(anything_else_is_not),
		cmocka_unit_test(every_character_counts),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
