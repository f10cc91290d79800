/* See jwk.h. RSA and ECDSA by OpenSSL, Ed25519 by libsodium. */
#include "auth/jwk.h"

#include "auth/base64url.h"
#include "json/tree.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <sodium.h>

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define RSA_BYTES    (RSA_BITS_MAX / 8)
#define EXPONENT_MAX 8 /* bytes */
#define EC_BYTES     32
#define DER_MAX	     80 /* of a P-256 signature: 72 */

/* --- What a key is for ---------------------------------------------------------- */

static bool says(const struct json_t *jwk, const char *name, const char *wanted)
{
	const struct json_t *member = tree_member(jwk, name);

	return member != NULL && tree_kind(member) == TREE_TEXT &&
	       str_equal(tree_text(member), str_from(wanted));
}

static bool absent_or_says(const struct json_t *jwk, const char *name, const char *wanted)
{
	return tree_member(jwk, name) == NULL || says(jwk, name, wanted);
}

static bool may_verify(const struct json_t *jwk)
{
	const struct json_t *operations = tree_member(jwk, "key_ops");

	if (operations == NULL)
		return true;
	for (size_t i = 0; tree_kind(operations) == TREE_LIST && i < tree_count(operations); i++) {
		const struct json_t *item = tree_item(operations, i);

		if (tree_kind(item) == TREE_TEXT && str_equal(tree_text(item), STR("verify")))
			return true;
	}
	return false;
}

static bool is_rsa(const struct json_t *jwk)
{
	return says(jwk, "kty", "RSA");
}

static bool is_p256(const struct json_t *jwk)
{
	return says(jwk, "kty", "EC") && says(jwk, "crv", "P-256");
}

static bool is_ed25519(const struct json_t *jwk)
{
	return says(jwk, "kty", "OKP") && says(jwk, "crv", "Ed25519");
}

static bool rsa_verify(const struct json_t *jwk, struct str text, struct str signature);
static bool p256_verify(const struct json_t *jwk, struct str text, struct str signature);
static bool ed25519_verify(const struct json_t *jwk, struct str text, struct str signature);

static const struct algorithm {
	const char *name;
	bool (*is)(const struct json_t *jwk);
	bool (*verify)(const struct json_t *jwk, struct str text, struct str signature);
} algorithms[] = {
	{"RS256", is_rsa, rsa_verify},
	{"ES256", is_p256, p256_verify},
	{"EdDSA", is_ed25519, ed25519_verify},
};

static const struct algorithm *algorithm_of(const struct json_t *jwk)
{
	if (tree_kind(jwk) != TREE_OBJECT || !absent_or_says(jwk, "use", "sig") || !may_verify(jwk))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if (algorithms[i].is(jwk))
			return absent_or_says(jwk, "alg", algorithms[i].name) ? &algorithms[i] : NULL;
	return NULL;
}

const char *jwk_algorithm(const struct json_t *jwk)
{
	const struct algorithm *algorithm = algorithm_of(jwk);

	return algorithm != NULL ? algorithm->name : NULL;
}

bool jwk_verify(const struct json_t *jwk, struct str text, struct str signature)
{
	const struct algorithm *algorithm = algorithm_of(jwk);

	return algorithm != NULL && algorithm->verify(jwk, text, signature);
}

/* --- Signatures ------------------------------------------------------------------- */

static bool bytes_of(const struct json_t *jwk, const char *name, uint8_t *to, size_t max, size_t *ret_size)
{
	const struct json_t *member = tree_member(jwk, name);

	return member != NULL && tree_kind(member) == TREE_TEXT &&
	       base64url_bytes(tree_text(member), to, max, ret_size);
}

static bool bytes_exact(const struct json_t *jwk, const char *name, uint8_t *to, size_t size)
{
	size_t found;

	return bytes_of(jwk, name, to, size, &found) && found == size;
}

static EVP_PKEY *key_from(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (context == NULL || EVP_PKEY_fromdata_init(context) <= 0 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	return key;
}

/* Takes the key. */
static bool sha256_verify(EVP_PKEY *key, struct str text, const uint8_t *signature, size_t size)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good = key != NULL && context != NULL &&
		    EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
		    EVP_DigestVerify(context, signature, size, (const uint8_t *)text.p, text.len) == 1;

	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	return good;
}

/* An odd exponent of at most 64 bits, and at least 3. */
static bool exponent_good(const uint8_t *bytes, size_t size)
{
	return size > 0 && (bytes[size - 1] & 1) != 0 && (size > 1 || bytes[0] >= 3);
}

static EVP_PKEY *rsa_key(const uint8_t *n, size_t n_size, const uint8_t *e, size_t e_size)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM *modulus = BN_bin2bn(n, (int)n_size, NULL), *exponent = BN_bin2bn(e, (int)e_size, NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *key = NULL;

	if (build != NULL && modulus != NULL && exponent != NULL && BN_num_bits(modulus) >= RSA_BITS_MIN &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params != NULL)
		key = key_from("RSA", params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(modulus);
	BN_free(exponent);
	return key;
}

static bool rsa_verify(const struct json_t *jwk, struct str text, struct str signature)
{
	uint8_t n[RSA_BYTES], e[EXPONENT_MAX];
	size_t n_size, e_size;

	return bytes_of(jwk, "n", n, sizeof(n), &n_size) && bytes_of(jwk, "e", e, sizeof(e), &e_size) &&
	       exponent_good(e, e_size) &&
	       sha256_verify(rsa_key(n, n_size, e, e_size), text, (const uint8_t *)signature.p,
			     signature.len);
}

/* OpenSSL takes no point that is not on the curve. */
static EVP_PKEY *p256_key(uint8_t point[1 + 2 * EC_BYTES])
{
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * EC_BYTES),
		OSSL_PARAM_construct_end(),
	};

	return key_from("EC", params);
}

/* r and s one after the other (RFC 7518, 3.4), as OpenSSL wants them. 0: memory. */
static size_t der_signature(struct str raw, uint8_t der[DER_MAX])
{
	BIGNUM *r = BN_bin2bn((const uint8_t *)raw.p, EC_BYTES, NULL);
	BIGNUM *s = BN_bin2bn((const uint8_t *)raw.p + EC_BYTES, EC_BYTES, NULL);
	ECDSA_SIG *both = ECDSA_SIG_new();
	uint8_t *end = der;
	int size = 0;

	if (r != NULL && s != NULL && both != NULL && ECDSA_SIG_set0(both, r, s) == 1) {
		r = s = NULL; /* its own now */
		size = i2d_ECDSA_SIG(both, &end);
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(both);
	return size > 0 ? (size_t)size : 0;
}

static bool p256_verify(const struct json_t *jwk, struct str text, struct str signature)
{
	uint8_t point[1 + 2 * EC_BYTES] = {POINT_CONVERSION_UNCOMPRESSED}, der[DER_MAX];
	size_t size;

	if (signature.len != 2 * EC_BYTES || !bytes_exact(jwk, "x", point + 1, EC_BYTES) ||
	    !bytes_exact(jwk, "y", point + 1 + EC_BYTES, EC_BYTES))
		return false;
	size = der_signature(signature, der);
	return size > 0 && sha256_verify(p256_key(point), text, der, size);
}

static bool ed25519_verify(const struct json_t *jwk, struct str text, struct str signature)
{
	uint8_t key[crypto_sign_PUBLICKEYBYTES];

	return signature.len == crypto_sign_BYTES && bytes_exact(jwk, "x", key, sizeof(key)) &&
	       crypto_sign_verify_detached((const uint8_t *)signature.p, (const uint8_t *)text.p, text.len,
					   key) == 0;
}
