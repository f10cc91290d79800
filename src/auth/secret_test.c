/* Opaque secrets: what is made is recognized, and nothing else is. */
#include "auth/keys_test.h"
#include "auth/secret.h"

static const struct uuid id = {{1, 2, 3}}, tenant = {{9, 8, 7}};

static const char *made(struct bed *bed, const char *prefix, struct secret *ret)
{
	const char *text;

	assert_int_equal(secret_make(&bed->world, &bed->arena, prefix, &id, &tenant, &text, ret), RC_OK);
	return text;
}

static void what_is_made_is_recognized(void **state)
{
	struct secret kept, came;
	const char *text = made(*state, SECRET_REFRESH, &kept);

	assert_int_equal(strlen(text), 3 + 86);
	assert_memory_equal(text, "mr_", 3);
	assert_true(secret_is(SECRET_REFRESH, str_from(text)));
	assert_true(secret_parse(SECRET_REFRESH, str_from(text), &came));
	assert_true(uuid_equal(&came.id, &id));
	assert_true(uuid_equal(&came.tenant_id, &tenant));
	assert_int_equal(strlen(kept.hash), SECRET_HASH_LEN);
	assert_true(secret_matches(&came, kept.hash));
}

static void each_is_another(void **state)
{
	struct secret one, other;

	made(*state, SECRET_REFRESH, &one);
	made(*state, SECRET_REFRESH, &other);
	assert_false(secret_matches(&one, other.hash));
}

/* A refresh token that is renamed to an API key has another hash, even if a row had been copied. */
static void kinds_are_apart(void **state)
{
	struct bed *bed = *state;
	struct secret kept, came;
	const char *text = made(bed, SECRET_REFRESH, &kept);
	char *renamed = arena_printf(&bed->arena, "mk_%s", text + 3);

	assert_false(secret_parse(SECRET_API_KEY, str_from(text), &came));
	assert_false(secret_is(SECRET_API_KEY, str_from(text)));
	assert_true(secret_parse(SECRET_API_KEY, str_from(renamed), &came));
	assert_false(secret_matches(&came, kept.hash));
}

/* Every character counts: those of the ids too. */
static void one_character_off_is_another_secret(void **state)
{
	struct secret kept, came;
	char *text = arena_text(&((struct bed *)*state)->arena, str_from(made(*state, SECRET_LINK, &kept)));

	for (size_t i = 3; text[i] != '\0'; i++) {
		char right = text[i];

		text[i] = right == 'A' ? 'B' : 'A';
		if (secret_parse(SECRET_LINK, str_from(text), &came))
			assert_false(secret_matches(&came, kept.hash));
		text[i] = right;
	}
	assert_true(secret_parse(SECRET_LINK, str_from(text), &came));
	assert_true(secret_matches(&came, kept.hash));
}

static void other_forms_are_refused(void **state)
{
	struct bed *bed = *state;
	struct secret secret;
	const char *text = made(bed, SECRET_LINK, &secret);
	const char *const forms[] = {
		"",
		"ml",
		"ml_",
		"ml_A",
		arena_printf(&bed->arena, "%.88s", text), /* cut off */
		arena_printf(&bed->arena, "%sA", text),
		arena_printf(&bed->arena, "%s=", text),
		arena_printf(&bed->arena, "%s==", text),
		arena_printf(&bed->arena, "%s\n", text),
		arena_printf(&bed->arena, " %s", text),
		arena_printf(&bed->arena, "ML_%s", text + 3),
		arena_printf(&bed->arena, "ml-%s", text + 3),
	};

	assert_false(secret_parse(SECRET_LINK, (struct str){0}, &secret));
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (secret_parse(SECRET_LINK, str_from(forms[i]), &secret))
			fail_msg("taken: %s", forms[i]);
}

static void no_hash_matches_nothing(void **state)
{
	struct secret secret;

	made(*state, SECRET_LINK, &secret);
	assert_false(secret_matches(&secret, NULL));
	assert_false(secret_matches(&secret, ""));
	secret.hash[SECRET_HASH_LEN - 1] = '\0';
	assert_false(secret_matches(&secret, secret.hash));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_made_is_recognized, bed_open, bed_close),
		cmocka_unit_test_setup_teardown(each_is_another, bed_open, bed_close),
		cmocka_unit_test_setup_teardown(kinds_are_apart, bed_open, bed_close),
		cmocka_unit_test_setup_teardown(one_character_off_is_another_secret, bed_open, bed_close),
		cmocka_unit_test_setup_teardown(other_forms_are_refused, bed_open, bed_close),
		cmocka_unit_test_setup_teardown(no_hash_matches_nothing, bed_open, bed_close),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
