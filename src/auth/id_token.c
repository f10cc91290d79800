/* See id_token.h. */
#include "auth/id_token.h"

#include "auth/base64url.h"
#include "auth/jwk.h"
#include "json/arena_json.h"
#include "json/tree.h"

#include <sodium.h>

/* By how much clocks may differ. */
#define SKEW UTIME_MINUTE
/* One that was made long ago was not made for this login. */
#define AGE_MAX (10 * UTIME_MINUTE)

#define SUBJECT_MAX   255
#define SIGNATURE_MAX 1024

/* --- Members ------------------------------------------------------------------------ */

/* {NULL, 0}: absent, or no text. */
static struct str text_of(const struct json_t *object, const char *name)
{
	const struct json_t *member = tree_member(object, name);

	return member != NULL && tree_kind(member) == TREE_TEXT ? tree_text(member) : (struct str){0};
}

static bool says(const struct json_t *object, const char *name, const char *wanted)
{
	struct str text = text_of(object, name);

	return text.p != NULL && str_equal(text, str_from(wanted));
}

/* Seconds since 1970. */
static bool time_of(const struct json_t *object, const char *name, utime *ret)
{
	const struct json_t *member = tree_member(object, name);
	int64_t seconds;

	if (member == NULL || tree_kind(member) != TREE_INT)
		return false;
	seconds = tree_int(member);
	if (seconds < 0 || seconds > UTIME_MAX / UTIME_SECOND)
		return false;
	*ret = seconds * UTIME_SECOND;
	return true;
}

/* NULL with ID_NO_MEMORY or ID_BAD in *ret. */
static const struct json_t *part_load(struct arena *arena, struct str part, enum id_verdict *ret)
{
	const struct json_t *object;
	const char *why;
	char *json = arena_alloc(arena, part.len + 1);
	size_t size;

	*ret = json == NULL ? ID_NO_MEMORY : ID_BAD;
	if (json == NULL || !base64url_bytes(part, json, part.len, &size))
		return NULL;
	object = arena_json_load(arena, (struct str){json, size}, &why);
	return object != NULL && tree_kind(object) == TREE_OBJECT ? object : NULL;
}

/* --- Signature ------------------------------------------------------------------------ */

struct jws {
	struct str text; /* that is signed */
	struct str signature;
	const struct json_t *header, *payload;
};

static enum id_verdict jws_load(struct arena *arena, struct str token, struct jws *ret)
{
	struct str rest = token, header = str_cut(&rest, '.'), payload = str_cut(&rest, '.');
	char *signature = arena_alloc(arena, SIGNATURE_MAX);
	enum id_verdict verdict = ID_BAD;
	size_t size;

	if (signature == NULL)
		return ID_NO_MEMORY;
	if (token.len > ID_TOKEN_MAX || !base64url_bytes(rest, signature, SIGNATURE_MAX, &size))
		return ID_BAD;
	*ret = (struct jws){.text = {token.p, header.len + 1 + payload.len}, .signature = {signature, size}};
	ret->header = part_load(arena, header, &verdict);
	if (ret->header == NULL)
		return verdict;
	ret->payload = part_load(arena, payload, &verdict);
	return ret->payload != NULL ? ID_GOOD : verdict;
}

/* The key that the header names; without a name the only one of its algorithm. NULL: none. */
static const struct json_t *find_key(const struct json_t *jwks, const struct json_t *header)
{
	const struct json_t *keys = tree_kind(jwks) == TREE_OBJECT ? tree_member(jwks, "keys") : NULL;
	const struct json_t *found = NULL;
	struct str kid = text_of(header, "kid");
	size_t matches = 0;

	if (keys == NULL || tree_kind(keys) != TREE_LIST)
		return NULL;
	for (size_t i = 0; i < tree_count(keys); i++) {
		const struct json_t *key = tree_item(keys, i);
		const char *algorithm = jwk_algorithm(key);

		if (algorithm == NULL || !says(header, "alg", algorithm) ||
		    (kid.p != NULL && !str_equal(text_of(key, "kid"), kid)))
			continue;
		found = key;
		matches++;
	}
	return matches == 1 ? found : NULL;
}

/* "JWT", or untold: never a token of another kind (RFC 8725, 3.11). */
static bool type_good(const struct json_t *header)
{
	return tree_member(header, "typ") == NULL || str_equal_nocase(text_of(header, "typ"), STR("JWT"));
}

static enum id_verdict signature_verify(struct arena *arena, struct str jwks_text, const struct jws *jws,
					const char **ret_why)
{
	const struct json_t *jwks, *key;

	*ret_why = "header";
	if (!type_good(jws->header) || tree_member(jws->header, "crit") != NULL)
		return ID_BAD;
	jwks = arena_json_load(arena, jwks_text, ret_why);
	key = jwks != NULL ? find_key(jwks, jws->header) : NULL;
	if (key == NULL)
		return ID_NO_KEY;
	*ret_why = "signature";
	return jwk_verify(key, jws->text, jws->signature) ? ID_GOOD : ID_BAD;
}

/* --- Claims ----------------------------------------------------------------------------- */

static bool has_audience(const struct json_t *aud, const char *client_id)
{
	for (size_t i = 0; i < tree_count(aud); i++) {
		const struct json_t *item = tree_item(aud, i);

		if (tree_kind(item) == TREE_TEXT && str_equal(tree_text(item), str_from(client_id)))
			return true;
	}
	return false;
}

/* For us; and where it is for others too, given to us. */
static bool audience_good(const struct json_t *payload, const char *client_id)
{
	const struct json_t *aud = tree_member(payload, "aud"), *azp = tree_member(payload, "azp");

	if (azp != NULL && !says(payload, "azp", client_id))
		return false;
	if (aud != NULL && tree_kind(aud) == TREE_LIST)
		return has_audience(aud, client_id) && (tree_count(aud) == 1 || azp != NULL);
	return says(payload, "aud", client_id);
}

static bool times_good(const struct json_t *payload, utime now)
{
	utime exp, iat, nbf = 0;

	if (!time_of(payload, "exp", &exp) || !time_of(payload, "iat", &iat))
		return false;
	if (tree_member(payload, "nbf") != NULL && !time_of(payload, "nbf", &nbf))
		return false;
	return now < exp + SKEW && iat <= now + SKEW && nbf <= now + SKEW && now < iat + AGE_MAX + SKEW;
}

static bool nonce_good(const struct json_t *payload, const char *nonce)
{
	struct str text = text_of(payload, "nonce");

	return text.len == strlen(nonce) && text.len > 0 && sodium_memcmp(text.p, nonce, text.len) == 0;
}

/* The left half of the hash of the access token, if it is told (3.1.3.6): SHA-256; of Ed25519 SHA-512. */
static bool at_hash_good(const struct jws *jws, const char *access_token)
{
	unsigned char hash[crypto_hash_sha512_BYTES];
	char text[BASE64URL_LEN(crypto_hash_sha512_BYTES / 2) + 1];
	size_t half = crypto_hash_sha256_BYTES / 2;

	if (tree_member(jws->payload, "at_hash") == NULL)
		return true;
	if (access_token == NULL)
		return false;
	if (says(jws->header, "alg", "EdDSA")) {
		half = crypto_hash_sha512_BYTES / 2;
		crypto_hash_sha512(hash, (const unsigned char *)access_token, strlen(access_token));
	} else {
		crypto_hash_sha256(hash, (const unsigned char *)access_token, strlen(access_token));
	}
	base64url_write(text, hash, half);
	return says(jws->payload, "at_hash", text);
}

static bool subject_good(struct str subject)
{
	if (subject.len == 0 || subject.len > SUBJECT_MAX)
		return false;
	for (size_t i = 0; i < subject.len; i++)
		if (subject.p[i] < ' ' || subject.p[i] > '~')
			return false;
	return true;
}

/* NULL: all of them are as they must be. */
static const char *claims_fault(const struct jws *jws, const struct id_expected *expected)
{
	const struct json_t *payload = jws->payload;

	if (!says(payload, "iss", expected->issuer))
		return "iss";
	if (!audience_good(payload, expected->client_id))
		return "aud";
	if (!times_good(payload, expected->now))
		return "exp";
	if (!nonce_good(payload, expected->nonce))
		return "nonce";
	if (!at_hash_good(jws, expected->access_token))
		return "at_hash";
	return subject_good(text_of(payload, "sub")) ? NULL : "sub";
}

static bool keep(struct arena *arena, struct str text, const char **ret)
{
	*ret = text.p != NULL ? arena_text(arena, text) : NULL;
	return text.p == NULL || *ret != NULL;
}

/* Some providers write true as a text. */
static bool is_true(const struct json_t *value)
{
	if (value == NULL)
		return false;
	if (tree_kind(value) == TREE_TEXT)
		return str_equal(tree_text(value), STR("true"));
	return tree_kind(value) == TREE_BOOL && tree_bool(value);
}

static bool claims_keep(struct arena *arena, const struct json_t *object, struct id_claims *ret)
{
	struct id_claims claims = {.email_verified = is_true(tree_member(object, "email_verified"))};

	if (!keep(arena, text_of(object, "sub"), &claims.subject) ||
	    !keep(arena, text_of(object, "email"), &claims.email) ||
	    !keep(arena, text_of(object, "name"), &claims.name))
		return false;
	*ret = claims;
	return true;
}

/* --- The whole ---------------------------------------------------------------------------- */

enum id_verdict id_token_verify(struct arena *arena, struct str jwks, struct str token,
				const struct id_expected *expected, struct id_claims *ret,
				const char **ret_why)
{
	enum id_verdict verdict;
	struct jws jws;

	*ret_why = "form";
	verdict = jws_load(arena, token, &jws);
	if (verdict == ID_GOOD)
		verdict = signature_verify(arena, jwks, &jws, ret_why);
	if (verdict != ID_GOOD)
		return verdict;
	*ret_why = claims_fault(&jws, expected);
	if (*ret_why != NULL)
		return ID_BAD;
	return claims_keep(arena, jws.payload, ret) ? ID_GOOD : ID_NO_MEMORY;
}

bool id_claims_read(struct arena *arena, struct str json, const char *subject, struct id_claims *ret)
{
	const char *why;
	const struct json_t *object = arena_json_load(arena, json, &why);

	return object != NULL && tree_kind(object) == TREE_OBJECT && says(object, "sub", subject) &&
	       claims_keep(arena, object, ret);
}
