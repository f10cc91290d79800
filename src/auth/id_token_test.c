/* ID tokens: good ones by each algorithm, and the forgeries that RFC 8725 and OpenID Connect warn of. */
#include "auth/id_token.h"

#include "auth/base64url.h"
#include "json/arena_json.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
/* cmocka wants those before it. */
#include <cmocka.h>

#define NOW INT64_C(1764590400) /* seconds: 2025-12-01T12:00:00Z */

static struct arena arena;

static const struct id_expected expected = {
	.issuer = "https://idp.example.com",
	.client_id = "marca",
	.nonce = "n-0S6_WzA2Mj",
	.access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y",
	.now = NOW * UTIME_SECOND,
};

/* --- Keys --------------------------------------------------------------------------- */

enum signer { RS256, ES256, EDDSA, RSA_1024, RSA_OTHER, P384, SIGNERS };

static EVP_PKEY *keys[SIGNERS];
static const char *jwks; /* those a provider has */

static char *b64(const void *bytes, size_t size)
{
	char *text = base64url_text(&arena, bytes, size);

	assert_non_null(text);
	return text;
}

static char *number(const EVP_PKEY *key, const char *name, size_t size)
{
	unsigned char bytes[1024];
	BIGNUM *bn = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &bn), 1);
	if (size == 0)
		size = (size_t)BN_num_bytes(bn);
	assert_int_equal(BN_bn2binpad(bn, bytes, (int)size), size);
	BN_free(bn);
	return b64(bytes, size);
}

static char *jwk_rsa(EVP_PKEY *key, const char *more)
{
	return arena_printf(&arena, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}",
			    number(key, OSSL_PKEY_PARAM_RSA_N, 0), number(key, OSSL_PKEY_PARAM_RSA_E, 0),
			    more);
}

static char *jwk_ec(EVP_PKEY *key, const char *crv, const char *more)
{
	return arena_printf(&arena, "{\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"%s}", crv,
			    number(key, OSSL_PKEY_PARAM_EC_PUB_X, 32),
			    number(key, OSSL_PKEY_PARAM_EC_PUB_Y, 32), more);
}

static char *jwk_ed(EVP_PKEY *key, const char *more)
{
	unsigned char bytes[32];
	size_t size = sizeof(bytes);

	assert_int_equal(EVP_PKEY_get_raw_public_key(key, bytes, &size), 1);
	return arena_printf(&arena, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"%s}", b64(bytes, size),
			    more);
}

static int begin(void **state)
{
	(void)state;
	assert_true(sodium_init() >= 0);
	arena_json_init();
	arena_init(&arena, NULL);
	keys[RS256] = EVP_RSA_gen(2048);
	keys[RSA_1024] = EVP_RSA_gen(1024);
	keys[RSA_OTHER] = EVP_RSA_gen(2048);
	keys[ES256] = EVP_EC_gen("P-256");
	keys[P384] = EVP_EC_gen("P-384");
	keys[EDDSA] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	for (size_t i = 0; i < SIGNERS; i++)
		assert_non_null(keys[i]);
	jwks = arena_printf(&arena,
			    "{\"keys\":[%s,%s,%s,%s,{\"kty\":\"oct\",\"kid\":\"h\",\"k\":\"c2VjcmV0\"},7]}",
			    jwk_rsa(keys[RS256], ",\"kid\":\"r\",\"use\":\"sig\",\"alg\":\"RS256\""),
			    jwk_ec(keys[ES256], "P-256", ",\"kid\":\"e\",\"use\":\"sig\""),
			    jwk_ed(keys[EDDSA], ",\"kid\":\"d\",\"key_ops\":[\"verify\"]"),
			    jwk_rsa(keys[RSA_1024], ",\"kid\":\"short\""));
	return jwks != NULL ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIGNERS; i++)
		EVP_PKEY_free(keys[i]);
	arena_finish(&arena);
	return 0;
}

/* --- Tokens ----------------------------------------------------------------------------- */

/* As JWS wants it; an EC signature's two numbers out of their DER. */
static char *sign(EVP_PKEY *key, const char *text)
{
	unsigned char bytes[1024], raw[96];
	const unsigned char *at = bytes;
	size_t size = sizeof(bytes);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ed = EVP_PKEY_is_a(key, "ED25519");
	ECDSA_SIG *both;

	assert_int_equal(EVP_DigestSignInit(context, NULL, ed ? NULL : EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestSign(context, bytes, &size, (const unsigned char *)text, strlen(text)), 1);
	EVP_MD_CTX_free(context);
	if (!EVP_PKEY_is_a(key, "EC"))
		return b64(bytes, size);
	both = d2i_ECDSA_SIG(NULL, &at, (long)size);
	assert_non_null(both);
	size = EVP_PKEY_get_bits(key) == 256 ? 32 : 48;
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(both), raw, (int)size), size);
	assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(both), raw + size, (int)size), size);
	ECDSA_SIG_free(both);
	return b64(raw, 2 * size);
}

static char *signed_text(const char *header, const char *payload)
{
	return arena_printf(&arena, "%s.%s", b64(header, strlen(header)), b64(payload, strlen(payload)));
}

static char *token_of(const char *header, const char *payload, enum signer signer)
{
	char *text = signed_text(header, payload);

	return arena_printf(&arena, "%s.%s", text, sign(keys[signer], text));
}

/* The claims of a good token; `name` has another value, or is gone (NULL), or is one more. */
static char *payload_with(const char *name, const char *value)
{
	static const struct {
		const char *name, *value;
	} claims[] = {
		{"iss", "\"https://idp.example.com\""},
		{"aud", "\"marca\""},
		{"sub", "\"248289761001\""},
		{"exp", "1764590700"},
		{"iat", "1764590390"},
		{"nonce", "\"n-0S6_WzA2Mj\""},
		{"email", "\"ana@example.com\""},
		{"email_verified", "true"},
		{"name", "\"Ana\""},
	};
	char *text = arena_printf(&arena, "{\"x\":1");
	bool had = name == NULL;

	for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
		bool this = name != NULL && strcmp(claims[i].name, name) == 0;
		const char *now = this ? value : claims[i].value;

		had |= this;
		if (now != NULL)
			text = arena_printf(&arena, "%s,\"%s\":%s", text, claims[i].name, now);
	}
	if (!had)
		text = arena_printf(&arena, "%s,\"%s\":%s", text, name, value);
	return arena_printf(&arena, "%s}", text);
}

static enum id_verdict verdict(const char *keys_text, const char *token, struct id_claims *ret)
{
	const char *why;

	return id_token_verify(&arena, str_from(keys_text), str_from(token), &expected, ret, &why);
}

static void check(const char *what, const char *keys_text, const char *token, enum id_verdict wanted)
{
	struct id_claims claims;
	enum id_verdict found = verdict(keys_text, token, &claims);

	if (found != wanted)
		fail_msg("%s: %d, not %d", what, found, wanted);
}

#define R "{\"alg\":\"RS256\",\"kid\":\"r\"}"

/* --- The tests ----------------------------------------------------------------------------- */

static void good_ones(void **state)
{
	struct id_claims claims;

	(void)state;
	check("ES256", jwks,
	      token_of("{\"alg\":\"ES256\",\"kid\":\"e\",\"typ\":\"JWT\"}", payload_with(NULL, NULL), ES256),
	      ID_GOOD);
	check("EdDSA", jwks,
	      token_of("{\"alg\":\"EdDSA\",\"kid\":\"d\",\"typ\":\"jwt\"}", payload_with(NULL, NULL), EDDSA),
	      ID_GOOD);
	check("the only key of its algorithm", jwks,
	      token_of("{\"alg\":\"EdDSA\"}", payload_with(NULL, NULL), EDDSA), ID_GOOD);
	assert_int_equal(verdict(jwks, token_of(R, payload_with(NULL, NULL), RS256), &claims), ID_GOOD);
	assert_string_equal(claims.subject, "248289761001");
	assert_string_equal(claims.email, "ana@example.com");
	assert_string_equal(claims.name, "Ana");
	assert_true(claims.email_verified);
}

/* Signed well, and what it says. */
static void claims(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *value;
		enum id_verdict verdict;
	} rows[] = {
		{"iss", NULL, ID_BAD},
		{"iss", "\"https://idp.example.com/\"", ID_BAD},
		{"iss", "\"https://evil.example.com\"", ID_BAD},
		{"iss", "[\"https://idp.example.com\"]", ID_BAD},
		{"aud", NULL, ID_BAD},
		{"aud", "\"other\"", ID_BAD},
		{"aud", "\"marca2\"", ID_BAD},
		{"aud", "[]", ID_BAD},
		{"aud", "[\"other\"]", ID_BAD},
		{"aud", "[\"marca\"]", ID_GOOD},
		{"aud", "[\"marca\",\"other\"]", ID_BAD}, /* and no azp */
		{"aud", "{\"marca\":1}", ID_BAD},
		{"azp", "\"marca\"", ID_GOOD},
		{"azp", "\"other\"", ID_BAD},
		{"azp", "1", ID_BAD},
		{"sub", NULL, ID_BAD},
		{"sub", "\"\"", ID_BAD},
		{"sub", "1", ID_BAD},
		{"sub", "\"a\\nb\"", ID_BAD},
		{"sub", "\"\xc3\xa1\"", ID_BAD},
		{"exp", NULL, ID_BAD},
		{"exp", "1764590340", ID_BAD}, /* a minute ago: the clocks' difference is used up */
		{"exp", "1764590341", ID_GOOD},
		{"exp", "\"1764590700\"", ID_BAD},
		{"exp", "1764590700.5", ID_BAD},
		{"exp", "9223372036854775807", ID_BAD},
		{"exp", "-1", ID_BAD},
		{"exp", "null", ID_BAD},
		{"iat", NULL, ID_BAD},
		{"iat", "1764590460", ID_GOOD},
		{"iat", "1764590461", ID_BAD}, /* in the future */
		{"iat", "1764589741", ID_GOOD},
		{"iat", "1764589740", ID_BAD}, /* too old for this login */
		{"nbf", "1764590460", ID_GOOD},
		{"nbf", "1764590461", ID_BAD},
		{"nbf", "\"0\"", ID_BAD},
		{"nonce", NULL, ID_BAD},
		{"nonce", "\"n-0S6_WzA2Mk\"", ID_BAD},
		{"nonce", "\"n-0S6_WzA2M\"", ID_BAD},
		{"nonce", "\"\"", ID_BAD},
		{"at_hash", "\"77QmUPtjPfzWtF2AnpK9RQ\"", ID_GOOD}, /* OpenID Connect Core, A.3 */
		{"at_hash", "\"77QmUPtjPfzWtF2AnpK9RR\"", ID_BAD},
		{"at_hash", "1", ID_BAD},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(arena_printf(&arena, "%s %s", rows[i].name, rows[i].value), jwks,
		      token_of(R, payload_with(rows[i].name, rows[i].value), RS256), rows[i].verdict);
}

/* Another algorithm, another key, another kind of token. */
static void headers(void **state)
{
	static const struct {
		const char *header;
		enum signer signer;
		enum id_verdict verdict;
	} rows[] = {
		{"{\"alg\":\"RS256\"}", RS256, ID_NO_KEY}, /* which of two? */
		{"{\"alg\":\"RS256\",\"kid\":\"r\"}", RSA_OTHER, ID_BAD},
		{"{\"alg\":\"RS256\",\"kid\":\"r\"}", EDDSA, ID_BAD},
		{"{\"alg\":\"RS256\",\"kid\":\"new\"}", RSA_OTHER, ID_NO_KEY},
		{"{\"alg\":\"RS256\",\"kid\":\"e\"}", RS256, ID_NO_KEY},
		{"{\"alg\":\"RS256\",\"kid\":\"short\"}", RSA_1024, ID_BAD},
		{"{\"alg\":\"ES256\",\"kid\":\"r\"}", ES256, ID_NO_KEY},
		{"{\"alg\":\"ES256\",\"kid\":\"e\"}", P384, ID_BAD},
		{"{\"alg\":\"ES384\",\"kid\":\"e\"}", ES256, ID_NO_KEY},
		{"{\"alg\":\"PS256\",\"kid\":\"r\"}", RS256, ID_NO_KEY},
		{"{\"alg\":\"RS512\",\"kid\":\"r\"}", RS256, ID_NO_KEY},
		{"{\"alg\":\"rs256\",\"kid\":\"r\"}", RS256, ID_NO_KEY},
		{"{\"alg\":\"HS256\",\"kid\":\"h\"}", RS256, ID_NO_KEY},
		{"{\"alg\":\"none\",\"kid\":\"r\"}", RS256, ID_NO_KEY},
		{"{\"kid\":\"r\"}", RS256, ID_NO_KEY},
		{"{\"alg\":1,\"kid\":\"r\"}", RS256, ID_NO_KEY},
		{"{\"alg\":\"RS256\",\"alg\":\"RS256\",\"kid\":\"r\"}", RS256, ID_BAD},
		{"{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"at+jwt\"}", RS256, ID_BAD},
		{"{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":\"logout+jwt\"}", RS256, ID_BAD},
		{"{\"alg\":\"RS256\",\"kid\":\"r\",\"typ\":1}", RS256, ID_BAD},
		{"{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[\"exp\"],\"exp\":1}", RS256, ID_BAD},
		{"{\"alg\":\"RS256\",\"kid\":\"r\",\"crit\":[]}", RS256, ID_BAD},
		{"{\"alg\":\"RS256\",\"kid\":\"r\",\"x\":\"y\"}", RS256, ID_GOOD},
		{"[]", RS256, ID_BAD},
		{"", RS256, ID_BAD},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(rows[i].header, jwks,
		      token_of(rows[i].header, payload_with(NULL, NULL), rows[i].signer), rows[i].verdict);
}

/* A key that the token brings itself, by whatever member, is nobody's. */
static void own_key(void **state)
{
	static const char *const members[] = {"jwk", "x5c", "kid_key"};
	const char *jwk = jwk_rsa(keys[RSA_OTHER], "");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *header =
			arena_printf(&arena, "{\"alg\":\"RS256\",\"kid\":\"r\",\"%s\":%s}", members[i], jwk);

		check(header, jwks, token_of(header, payload_with(NULL, NULL), RSA_OTHER), ID_BAD);
	}
	check("jku", jwks,
	      token_of("{\"alg\":\"RS256\",\"kid\":\"r\",\"jku\":\"https://evil.example.com/\"}",
		       payload_with(NULL, NULL), RSA_OTHER),
	      ID_BAD);
}

/* The public key, which everybody has, as the secret of an HMAC. */
static void confused_algorithm(void **state)
{
	const char *text = signed_text("{\"alg\":\"HS256\",\"kid\":\"r\"}", payload_with(NULL, NULL));
	const char *n = number(keys[RS256], OSSL_PKEY_PARAM_RSA_N, 0);
	unsigned char mac[32];
	unsigned int size = sizeof(mac);

	(void)state;
	HMAC(EVP_sha256(), n, (int)strlen(n), (const unsigned char *)text, strlen(text), mac, &size);
	check("HS256", jwks, arena_printf(&arena, "%s.%s", text, b64(mac, size)), ID_NO_KEY);
}

static void forms(void **state)
{
	const char *good = token_of(R, payload_with(NULL, NULL), RS256);
	const char *dot = strrchr(good, '.');
	const char *text = arena_text(&arena, (struct str){good, (size_t)(dot - good)});
	char *other = arena_printf(&arena, "%s", good);

	(void)state;
	check("empty", jwks, "", ID_BAD);
	check("dots", jwks, "..", ID_BAD);
	check("no signature", jwks, arena_printf(&arena, "%s.", text), ID_BAD);
	check("two parts", jwks, text, ID_BAD);
	check("four parts", jwks, arena_printf(&arena, "%s.x", good), ID_BAD);
	check("five parts", jwks, arena_printf(&arena, "%s.x.y", good), ID_BAD);
	check("padding", jwks, arena_printf(&arena, "%s=", good), ID_BAD);
	check("a blank", jwks, arena_printf(&arena, " %s", good), ID_BAD);
	check("too long", jwks, arena_printf(&arena, "%s%*s", good, (int)ID_TOKEN_MAX, ""), ID_BAD);
	other[strlen(other) / 2] = other[strlen(other) / 2] == 'A' ? 'B' : 'A';
	check("another byte", jwks, other, ID_BAD);
	check("its signature is another's", jwks,
	      arena_printf(&arena, "%s%s", signed_text(R, payload_with("sub", "\"1\"")), dot), ID_BAD);
	check("repeated claim", jwks, token_of(R, "{\"sub\":\"a\",\"sub\":\"b\"}", RS256), ID_BAD);
	check("no object", jwks, token_of(R, "[]", RS256), ID_BAD);
	check("no JSON", jwks, token_of(R, "x", RS256), ID_BAD);
}

static void check_jwk(const char *what, const char *header, const char *jwk, enum signer signer,
		      enum id_verdict wanted)
{
	check(what, arena_printf(&arena, "{\"keys\":[%s]}", jwk),
	      token_of(header, payload_with(NULL, NULL), signer), wanted);
}

static void key_sets(void **state)
{
	static const char *const none[] =
		{"", "{", "[]", "{}", "{\"keys\":1}", "{\"keys\":[]}", "{\"keys\":[null,[],1]}"};
	const char *good = token_of(R, payload_with(NULL, NULL), RS256);
	const char *p384 =
		arena_printf(&arena, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}",
			     number(keys[P384], OSSL_PKEY_PARAM_EC_PUB_X, 48),
			     number(keys[P384], OSSL_PKEY_PARAM_EC_PUB_Y, 48));
	const char *off_curve =
		arena_printf(&arena, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}",
			     number(keys[ES256], OSSL_PKEY_PARAM_EC_PUB_X, 32),
			     number(keys[ES256], OSSL_PKEY_PARAM_EC_PUB_X, 32));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		check(none[i], none[i], good, ID_NO_KEY);
	check_jwk("to encrypt", "{\"alg\":\"RS256\"}", jwk_rsa(keys[RS256], ",\"use\":\"enc\""), RS256,
		  ID_NO_KEY);
	check_jwk("to sign", "{\"alg\":\"RS256\"}", jwk_rsa(keys[RS256], ",\"key_ops\":[\"sign\"]"), RS256,
		  ID_NO_KEY);
	check_jwk("key_ops", "{\"alg\":\"RS256\"}", jwk_rsa(keys[RS256], ",\"key_ops\":\"verify\""), RS256,
		  ID_NO_KEY);
	check_jwk("for PS256", "{\"alg\":\"RS256\"}", jwk_rsa(keys[RS256], ",\"alg\":\"PS256\""), RS256,
		  ID_NO_KEY);
	check_jwk("no n", "{\"alg\":\"RS256\"}", "{\"kty\":\"RSA\",\"e\":\"AQAB\"}", RS256, ID_BAD);
	check_jwk("e of 1", "{\"alg\":\"RS256\"}",
		  arena_printf(&arena, "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"AQ\"}",
			       number(keys[RS256], "n", 0)),
		  RS256, ID_BAD);
	check_jwk("off its curve", "{\"alg\":\"ES256\"}", off_curve, ES256, ID_BAD);
	check_jwk("another curve", "{\"alg\":\"ES256\"}", p384, P384, ID_BAD);
	check_jwk(
		"Ed25519 of small order", "{\"alg\":\"EdDSA\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		EDDSA, ID_BAD);
	check("two of one name",
	      arena_printf(&arena, "{\"keys\":[%s,%s]}", jwk_rsa(keys[RSA_OTHER], ",\"kid\":\"r\""),
			   jwk_rsa(keys[RS256], ",\"kid\":\"r\"")),
	      good, ID_NO_KEY);
}

static void emails(void **state)
{
	static const struct {
		const char *value;
		bool verified;
	} rows[] = {{"true", true}, {"\"true\"", true}, {"false", false}, {"\"false\"", false},
		    {"1", false},   {"null", false},	{NULL, false}};
	struct id_claims claims;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(verdict(jwks,
					 token_of(R, payload_with("email_verified", rows[i].value), RS256),
					 &claims),
				 ID_GOOD);
		assert_int_equal(claims.email_verified, rows[i].verified);
	}
	assert_int_equal(verdict(jwks, token_of(R, payload_with("email", NULL), RS256), &claims), ID_GOOD);
	assert_null(claims.email);
}

static void userinfo(void **state)
{
	struct id_claims claims;

	(void)state;
	assert_true(id_claims_read(&arena,
				   STR("{\"sub\":\"a\",\"email\":\"a@b.cd\",\"email_verified\":true}"), "a",
				   &claims));
	assert_string_equal(claims.email, "a@b.cd");
	assert_true(claims.email_verified);
	assert_false(id_claims_read(&arena, STR("{\"sub\":\"b\",\"email\":\"a@b.cd\"}"), "a", &claims));
	assert_false(id_claims_read(&arena, STR("{\"email\":\"a@b.cd\"}"), "a", &claims));
	assert_false(id_claims_read(&arena, STR("[]"), "a", &claims));
	assert_false(id_claims_read(&arena, STR("x"), "a", &claims));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),
		cmocka_unit_test(claims),
		cmocka_unit_test(headers),
		cmocka_unit_test(own_key),
		cmocka_unit_test(confused_algorithm),
		cmocka_unit_test(forms),
		cmocka_unit_test(key_sets),
		cmocka_unit_test(emails),
		cmocka_unit_test(userinfo),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
