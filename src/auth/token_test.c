/*
 * Tokens: what marca signs it takes, and nothing else. Forged ones that a server gets are in
 * tests/auth/test_jwt_forgeries.py; here are the edges: of time, of every single character, of what only a
 * holder of the key could forge.
 */
#include "auth/keys_test.h"
#include "auth/token.h"

#include <inttypes.h>

#define NOW (INT64_C(1764590400) * UTIME_SECOND)

static const struct token_claims person = {
	.tenant_id = {{1}},
	.user_id = {{2}},
	.session_id = {{3}},
	.id = {{4}},
	.issued_at = NOW,
	.expires_at = NOW + 10 * UTIME_MINUTE,
};

static const struct token_claims the_operator = {
	.is_operator = true,
	.id = {{5}},
	.issued_at = NOW,
	.expires_at = NOW + UTIME_HOUR,
};

static const char *token_of(struct bed *bed, const struct keys *keys, const struct token_claims *claims)
{
	const char *token;

	assert_int_equal(token_sign(keys, &bed->arena, claims, &token), RC_OK);
	return token;
}

static enum rc verify_at(struct bed *bed, const struct keys *keys, const char *token, utime now)
{
	struct token_claims claims;

	return token_verify(keys, &bed->arena, str_from(token), now, &claims);
}

static bool good(struct bed *bed, const struct keys *keys, const char *token)
{
	enum rc rc = verify_at(bed, keys, token, NOW);

	assert_true(rc == RC_OK || rc == RC_UNAUTHENTICATED);
	return rc == RC_OK;
}

/* The header or payload of a token, as JSON. */
static const char *part(struct bed *bed, const char *token, int index)
{
	struct str rest = str_from(token), text = str_cut(&rest, '.');
	char *json = arena_alloc(&bed->arena, TOKEN_MAX);
	size_t size;

	while (index-- > 0)
		text = str_cut(&rest, '.');
	assert_non_null(json);
	assert_true(base64url_bytes(text, json, TOKEN_MAX - 1, &size));
	return json;
}

static void assert_same(const struct token_claims *a, const struct token_claims *b)
{
	assert_int_equal(a->is_operator, b->is_operator);
	assert_memory_equal(&a->tenant_id, &b->tenant_id, sizeof(struct uuid));
	assert_memory_equal(&a->user_id, &b->user_id, sizeof(struct uuid));
	assert_memory_equal(&a->session_id, &b->session_id, sizeof(struct uuid));
	assert_memory_equal(&a->id, &b->id, sizeof(struct uuid));
	assert_int_equal(a->issued_at, b->issued_at);
	assert_int_equal(a->expires_at, b->expires_at);
}

/* --- What is signed is taken ------------------------------------------------------------ */

static void a_token_says_who(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	const char *token = token_of(bed, keys, &person);
	struct token_claims claims;

	assert_int_equal(token_verify(keys, &bed->arena, str_from(token), NOW, &claims), RC_OK);
	assert_same(&claims, &person);
	assert_string_equal(part(bed, token, 0),
			    arena_printf(&bed->arena, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
					 keys_newest(keys, KEY_SIGN)->kid));
	assert_string_equal(
		part(bed, token, 1),
		"{\"iss\":\"https://marca.example\",\"aud\":\"marca\",\"client_id\":\"marca\","
		"\"sub\":\"02000000-0000-0000-0000-000000000000\",\"iat\":1764590400,\"nbf\":1764590400,"
		"\"exp\":1764591000,\"jti\":\"04000000-0000-0000-0000-000000000000\","
		"\"tid\":\"01000000-0000-0000-0000-000000000000\","
		"\"sid\":\"03000000-0000-0000-0000-000000000000\"}");
	keys_destroy(keys);
}

static void so_does_the_operators(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	const char *token = token_of(bed, keys, &the_operator);
	struct token_claims claims;

	assert_int_equal(token_verify(keys, &bed->arena, str_from(token), NOW, &claims), RC_OK);
	assert_same(&claims, &the_operator);
	keys_destroy(keys);
}

/* RFC 8037, A.4: the signature over that text by that key, byte for byte. */
static void ed25519_is_the_rfcs(void **state)
{
	static const char text[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
	static const char wanted[] =
		"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
	unsigned char seed[KEY_SEED_BYTES], signature[crypto_sign_BYTES];
	struct bed *bed = *state;
	struct key key;

	assert_true(base64url_exact(STR("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"), seed, sizeof(seed)));
	key_from_seed(KEY_SIGN, 0, seed, &key);
	crypto_sign_detached(signature, NULL, (const unsigned char *)text, strlen(text), key.secret.sign);
	assert_string_equal(base64url_text(&bed->arena, signature, sizeof(signature)), wanted);
}

/* The last part is the HMAC of what stands before it, whoever computes it. */
static bool is_hs512(const char *token, const char *secret)
{
	unsigned char wanted[crypto_auth_hmacsha512_BYTES], came[crypto_auth_hmacsha512_BYTES];
	size_t dot = strlen(token) - BASE64URL_LEN(sizeof(came)) - 1;
	crypto_auth_hmacsha512_state hmac;

	crypto_auth_hmacsha512_init(&hmac, (const unsigned char *)secret, strlen(secret));
	crypto_auth_hmacsha512_update(&hmac, (const unsigned char *)token, dot);
	crypto_auth_hmacsha512_final(&hmac, wanted);
	return base64url_exact(str_from(token + dot + 1), came, sizeof(came)) &&
	       memcmp(wanted, came, sizeof(came)) == 0;
}

static void with_a_secret_key_people_get_hs512(void **state)
{
	struct bed *bed = *state;
	struct keys *plain = bed_keys(bed), *keys;
	const char *eddsa = token_of(bed, plain, &person), *hs512;

	bed->config.secret_key = SECRET_64;
	keys = bed_keys(bed);
	hs512 = token_of(bed, keys, &person);
	assert_string_equal(part(bed, hs512, 0),
			    "{\"alg\":\"HS512\",\"kid\":\"SECRET_KEY\",\"typ\":\"at+jwt\"}");
	assert_true(is_hs512(hs512, SECRET_64));
	assert_true(good(bed, keys, hs512));
	assert_true(good(bed, keys, eddsa));
	assert_false(good(bed, plain, hs512)); /* without SECRET_KEY there is no such key */
	keys_destroy(keys);
	keys_destroy(plain);
}

/* Whoever shares SECRET_KEY cannot make an operator of himself. */
static void the_operators_token_is_never_hs512(void **state)
{
	struct bed *bed = *state;
	struct keys *keys;
	const char *text, *header = "{\"alg\":\"HS512\",\"kid\":\"SECRET_KEY\",\"typ\":\"at+jwt\"}";
	unsigned char hash[crypto_auth_hmacsha512_BYTES];
	crypto_auth_hmacsha512_state hmac;

	bed->config.secret_key = SECRET_64;
	keys = bed_keys(bed);
	text = part(bed, token_of(bed, keys, &the_operator), 1);
	assert_non_null(strstr(part(bed, token_of(bed, keys, &the_operator), 0), "EdDSA"));
	text = arena_printf(&bed->arena, "%s.%s", base64url_text(&bed->arena, header, strlen(header)),
			    base64url_text(&bed->arena, text, strlen(text)));
	hmac = keys->hmac;
	crypto_auth_hmacsha512_update(&hmac, (const unsigned char *)text, strlen(text));
	crypto_auth_hmacsha512_final(&hmac, hash);
	text = arena_printf(&bed->arena, "%s.%s", text, base64url_text(&bed->arena, hash, sizeof(hash)));
	assert_true(is_hs512(text, SECRET_64));
	assert_false(good(bed, keys, text));
	keys_destroy(keys);
}

static void old_keys_verify_until_they_go(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	const char *before = token_of(bed, keys, &person), *after;
	struct key_name name = key_name(keys_newest(keys, KEY_SIGN));

	bed_rotate(bed, KEY_SIGN);
	bed_refresh(keys);
	after = token_of(bed, keys, &person);
	assert_true(good(bed, keys, before));
	assert_true(good(bed, keys, after));
	assert_int_equal(unlinkat(keys->folder.fd, name.text, 0), 0);
	bed_refresh(keys);
	assert_false(good(bed, keys, before));
	assert_true(good(bed, keys, after));
	keys_destroy(keys);
}

/* --- Nothing else is ----------------------------------------------------------------------- */

static void assert_every_character_counts(struct bed *bed, const struct keys *keys)
{
	static const char others[] = "ABab09.=-_+/ \n\x80"; /* and NUL */
	char *token = arena_text(&bed->arena, str_from(token_of(bed, keys, &person)));
	size_t len = strlen(token);
	struct token_claims claims;

	for (size_t i = 0; i < len; i++) {
		char right = token[i];

		for (size_t j = 0; j < sizeof(others); j++) {
			token[i] = others[j];
			if (others[j] != right && token_verify(keys, &bed->arena, (struct str){token, len},
							       NOW, &claims) != RC_UNAUTHENTICATED)
				fail_msg("taken with %#x for %c at %zu of %zu: %s", others[j], right, i, len,
					 token);
		}
		token[i] = right;
	}
	assert_true(good(bed, keys, token));
}

static void every_character_counts(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);

	assert_every_character_counts(bed, keys);
	keys_destroy(keys);
	bed->config.secret_key = SECRET_64;
	keys = bed_keys(bed);
	assert_every_character_counts(bed, keys);
	keys_destroy(keys);
}

static void every_length_but_its_own_is_refused(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	const char *token = token_of(bed, keys, &person);
	struct token_claims claims;

	for (size_t len = 0; len < strlen(token); len++) {
		char *copy = malloc(len + 1); /* of that size, so that a read beyond it is seen */

		memcpy(copy, token, len);
		assert_int_equal(token_verify(keys, &bed->arena, (struct str){copy, len}, NOW, &claims),
				 RC_UNAUTHENTICATED);
		free(copy);
	}
	assert_int_equal(token_verify(keys, &bed->arena, (struct str){0}, NOW, &claims), RC_UNAUTHENTICATED);
	assert_false(good(bed, keys, arena_printf(&bed->arena, "%s.", token)));
	assert_false(good(bed, keys, arena_printf(&bed->arena, "%sA", token)));
	keys_destroy(keys);
}

static void times_are_exact(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	const char *token = token_of(bed, keys, &person);

	assert_int_equal(verify_at(bed, keys, token, person.expires_at - 1), RC_OK);
	assert_int_equal(verify_at(bed, keys, token, person.expires_at), RC_UNAUTHENTICATED);
	assert_int_equal(verify_at(bed, keys, token, person.expires_at + UTIME_HOUR), RC_UNAUTHENTICATED);
	assert_int_equal(verify_at(bed, keys, token, NOW - TOKEN_SKEW), RC_OK);
	assert_int_equal(verify_at(bed, keys, token, NOW - TOKEN_SKEW - 1), RC_UNAUTHENTICATED);
	keys_destroy(keys);
}

/* --- Not even with the right key ------------------------------------------------------------- */

/* What marca signs, put together by hand. */
static const char *signed_text(struct bed *bed, const struct key *key, const char *payload)
{
	char *header =
		arena_printf(&bed->arena, "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}", key->kid);
	char *text = arena_printf(&bed->arena, "%s.%s", base64url_text(&bed->arena, header, strlen(header)),
				  base64url_text(&bed->arena, payload, strlen(payload)));
	unsigned char signature[crypto_sign_BYTES];

	crypto_sign_detached(signature, NULL, (const unsigned char *)text, strlen(text), key->secret.sign);
	return arena_printf(&bed->arena, "%s.%s", text,
			    base64url_text(&bed->arena, signature, sizeof(signature)));
}

/* `text` with the first `old` replaced. */
static const char *replaced(struct bed *bed, const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);

	if (at == NULL)
		fail_msg("%s has no %s", text, old);
	return arena_printf(&bed->arena, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

static void claims_are_held_to_their_rules(void **state)
{
	/* clang-format off */
	static const struct {
		const char *old, *new;
		bool good;
	} changes[] = {
		{"\"iss\"", "\"iss\"", true},
		{"{\"iss\"", "{ \"more\":[{\"a\":null}],\n\"iss\"", true}, /* a claim that says nothing to us */
		{"https://marca.example", "https://marca.example/", false},
		{"https://marca.example", "HTTPS://marca.example", false},
		{"\"https://marca.example\"", "[\"https://marca.example\"]", false},
		{"\"aud\":\"marca\"", "\"aud\":\"marcas\"", false},
		{"\"aud\":\"marca\"", "\"aud\":[\"marca\"]", false},
		{"\"aud\":\"marca\",", "", false},
		{"\"client_id\":\"marca\"", "\"client_id\":\"other\"", false},
		{"\"exp\":1764591000", "\"exp\":\"1764591000\"", false},
		{"\"exp\":1764591000", "\"exp\":1764591000.5", false},
		{"\"exp\":1764591000", "\"exp\":1.764591e9", false},
		{"\"exp\":1764591000", "\"exp\":null", false},
		{"\"exp\":1764591000", "\"exp\":true", false},
		{"\"exp\":1764591000", "\"exp\":-1", false},
		{"\"exp\":1764591000", "\"exp\":99999999999999999999", false},
		{"\"exp\":1764591000", "\"exp\":9223372036854775807", false},
		{"\"exp\":1764591000", "\"exp\":253402300799", false}, /* longer than any token is good */
		{"\"exp\":1764591000", "\"exp\":1764676800", true},    /* a day */
		{"\"exp\":1764591000", "\"exp\":1764676801", false},
		{"\"exp\":1764591000,", "", false},
		{"\"nbf\":1764590400", "\"nbf\":1764590406", false},
		{"\"nbf\":1764590400", "\"nbf\":1764590405", true},
		{"\"nbf\":1764590400,", "", false},
		{"\"iat\":1764590400", "\"iat\":1764590406", false},
		{"\"iat\":1764590400,", "", false},
		{"\"jti\":\"04", "\"jti\":\"", false},
		{"\"jti\":\"04", "\"jti\":\"00", false}, /* the nil UUID */
		{"\"tid\":\"01", "\"tid\":\"00", false},
		{"\"sid\":\"03", "\"sid\":\"00", false},
		{"\"sub\":\"02", "\"sub\":\"00", false},
		{"\"sub\":\"02000000-", "\"sub\":\"operator", false},
		{"\"tid\"", "\"Tid\"", false},
		{"\"sid\"", "\"sid2\"", false},
		{"}", ",\"role\":\"operator\"}", false},
		{"}", ",\"role\":\"admin\"}", false},
		{"}", ",\"role\":null}", false},
		{"}", ",\"sub\":\"02000000-0000-0000-0000-000000000000\"}", false}, /* twice */
		{"}", "", false},
		{"}", "}{}", false},
		{"}", "}\t\r\n ", true}, /* blanks are JSON */
		{"{", "[{", false},
		{"marca.example", "marca.example\\u0000", false},
		{"marca.example", "marca.example\xff", false},
	};
	/* clang-format on */
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	const char *payload = part(bed, token_of(bed, keys, &person), 1);

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const char *text = replaced(bed, payload, changes[i].old, changes[i].new);

		if (good(bed, keys, signed_text(bed, keys_newest(keys, KEY_SIGN), text)) != changes[i].good)
			fail_msg("%s: %s", text, changes[i].good ? "refused" : "taken");
	}
	keys_destroy(keys);
}

static void the_operators_token_names_no_one_else(void **state)
{
	static const char *const changes[][2] = {
		{"\"role\":\"operator\"", "\"role\":\"Operator\""},
		{"\"role\":\"operator\"", "\"role\":[\"operator\"]"},
		{",\"role\":\"operator\"", ""},
		{"\"sub\":\"operator\"", "\"sub\":\"02000000-0000-0000-0000-000000000000\""},
		{"}", ",\"tid\":\"01000000-0000-0000-0000-000000000000\"}"},
		{"}", ",\"sid\":\"01000000-0000-0000-0000-000000000000\"}"},
		{"}", ",\"tid\":null}"},
	};
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	const struct key *key = keys_newest(keys, KEY_SIGN);
	const char *payload = part(bed, token_of(bed, keys, &the_operator), 1);

	assert_true(good(bed, keys, signed_text(bed, key, payload)));
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		assert_false(
			good(bed, keys,
			     signed_text(bed, key, replaced(bed, payload, changes[i][0], changes[i][1]))));
	keys_destroy(keys);
}

static void a_token_of_another_house_is_refused(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	unsigned char seed[KEY_SEED_BYTES] = {1};
	const char *payload = part(bed, token_of(bed, keys, &person), 1);
	struct key other;

	key_from_seed(KEY_SIGN, 0, seed, &other);
	assert_false(good(bed, keys, signed_text(bed, &other, payload)));
	memcpy(other.kid, keys_newest(keys, KEY_SIGN)->kid, sizeof(other.kid)); /* by our name */
	assert_false(good(bed, keys, signed_text(bed, &other, payload)));
	keys_destroy(keys);
}

static void too_long_is_not_even_looked_at(void **state)
{
	struct bed *bed = *state;
	struct keys *keys = bed_keys(bed);
	const char *payload = part(bed, token_of(bed, keys, &person), 1);
	char *blanks = arena_alloc(&bed->arena, TOKEN_MAX);

	memset(blanks, ' ', 2000);
	assert_true(good(bed, keys,
			 signed_text(bed, keys_newest(keys, KEY_SIGN),
				     arena_printf(&bed->arena, "%s%s", payload, blanks))));
	memset(blanks, ' ', TOKEN_MAX - 1);
	assert_false(good(bed, keys,
			  signed_text(bed, keys_newest(keys, KEY_SIGN),
				      arena_printf(&bed->arena, "%s%s", payload, blanks))));
	keys_destroy(keys);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_open, bed_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_says_who),
		TEST(so_does_the_operators),
		TEST(ed25519_is_the_rfcs),
		TEST(with_a_secret_key_people_get_hs512),
		TEST(the_operators_token_is_never_hs512),
		TEST(old_keys_verify_until_they_go),
		TEST(every_character_counts),
		TEST(every_length_but_its_own_is_refused),
		TEST(times_are_exact),
		TEST(claims_are_held_to_their_rules),
		TEST(the_operators_token_names_no_one_else),
		TEST(a_token_of_another_house_is_refused),
		TEST(too_long_is_not_even_looked_at),
	};

	return cmocka_run_group_tests_name("token", tests, NULL, NULL);
}
