/* See token.h. */
#include "auth/token.h"

#include "auth/base64url.h"
#include "auth/keyring.h"
#include "json/write.h"

#include <inttypes.h>
#include <stdio.h>

#define AUDIENCE   "marca"
#define OPERATOR   "operator"
#define HMAC_KID   "SECRET_KEY"
#define SIGNATURE  64 /* bytes, of both algorithms */
#define HEADER_MAX 128

_Static_assert(crypto_sign_BYTES == SIGNATURE && crypto_auth_hmacsha512_BYTES == SIGNATURE, "both");

/* clang-format off */
#define TOKEN_PAYLOAD(F, T)                                                                       \
	F(T, TEXT, iss,       REQUIRED, "PUBLIC_URL.")                                            \
	F(T, TEXT, aud,       REQUIRED, "marca; not a list, since there is but one.")             \
	F(T, TEXT, client_id, REQUIRED, "marca: RFC 9068 wants one.")                             \
	F(T, TEXT, sub,       REQUIRED, "The user's id, or `operator`.")                          \
	F(T, INT,  iat,       REQUIRED, "Issued at.", .min = 0, .max = UTIME_MAX / UTIME_SECOND)  \
	F(T, INT,  nbf,       REQUIRED, "Not before.", .min = 0, .max = UTIME_MAX / UTIME_SECOND) \
	F(T, INT,  exp,       REQUIRED, "Expires.", .min = 0, .max = UTIME_MAX / UTIME_SECOND)    \
	F(T, UUID, jti,       REQUIRED, "The token's own id.")                                    \
	F(T, UUID, tid,       OPTIONAL, "The tenant's id.")                                       \
	F(T, UUID, sid,       OPTIONAL, "The session's id.")                                      \
	F(T, TEXT, role,      OPTIONAL, "`operator`: then without tid and sid.")
SHAPE_DECLARE(token_payload, TOKEN_PAYLOAD);
SHAPE_DEFINE(token_payload, TOKEN_PAYLOAD);
/* clang-format on */

/* --- Header and signature --------------------------------------------------------- */

struct header {
	char text[HEADER_MAX]; /* base64url */
};

/* The one header of that algorithm and key. */
static struct header header_of(const char *algorithm, const char *kid)
{
	struct header header;
	char json[BASE64URL_LEN(KEY_KID_LEN) + 64];
	int len = snprintf(json, sizeof(json), "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
			   algorithm, kid);

	base64url_write(header.text, json, (size_t)len);
	return header;
}

/* NULL: HS512. */
static struct header header_for(const struct key *key)
{
	return key != NULL ? header_of("EdDSA", key->kid) : header_of("HS512", HMAC_KID);
}

static void hmac(const struct keys *keys, struct str text, unsigned char ret[SIGNATURE])
{
	crypto_auth_hmacsha512_state state = keys->hmac;

	crypto_auth_hmacsha512_update(&state, (const unsigned char *)text.p, text.len);
	crypto_auth_hmacsha512_final(&state, ret);
	sodium_memzero(&state, sizeof(state));
}

static void sign(const struct keys *keys, const struct key *key, struct str text,
		 unsigned char ret[SIGNATURE])
{
	if (key != NULL)
		crypto_sign_detached(ret, NULL, (const unsigned char *)text.p, text.len, key->secret.sign);
	else
		hmac(keys, text, ret);
}

/* libsodium refuses an S that is not reduced, and points of small order. */
static bool signature_good(const struct keys *keys, const struct key *key, struct str text,
			   const unsigned char signature[SIGNATURE])
{
	unsigned char wanted[SIGNATURE];
	bool good;

	if (key != NULL)
		return crypto_sign_verify_detached(signature, (const unsigned char *)text.p, text.len,
						   key->public_key) == 0;
	hmac(keys, text, wanted);
	good = sodium_memcmp(wanted, signature, SIGNATURE) == 0;
	sodium_memzero(wanted, sizeof(wanted));
	return good;
}

/* Whose header is it? True with NULL: HS512's. */
static bool find_key(const struct keys *keys, struct str header, const struct key **ret)
{
	const struct key_set *set = &keys->sets[KEY_SIGN];

	for (size_t i = 0; i < set->count; i++) {
		if (str_equal(str_from(header_for(&set->keys[i]).text), header)) {
			*ret = &set->keys[i];
			return true;
		}
	}
	*ret = NULL;
	return keys->has_hmac && str_equal(str_from(header_for(NULL).text), header);
}

/* --- Signing ---------------------------------------------------------------------- */

static void write_payload(struct writer *w, const char *issuer, const struct token_claims *claims)
{
	char sub[UUID_TEXT_LEN + 1], id[UUID_TEXT_LEN + 1];

	write_raw(w, STR("{\"iss\":"));
	write_text(w, str_from(issuer));
	write_format(w, ",\"aud\":\"" AUDIENCE "\",\"client_id\":\"" AUDIENCE "\",\"sub\":\"%s\"",
		     claims->is_operator ? OPERATOR : uuid_text(sub, &claims->user_id));
	write_format(w, ",\"iat\":%" PRId64 ",\"nbf\":%" PRId64 ",\"exp\":%" PRId64 ",\"jti\":\"%s\"",
		     claims->issued_at / UTIME_SECOND, claims->issued_at / UTIME_SECOND,
		     claims->expires_at / UTIME_SECOND, uuid_text(id, &claims->id));
	if (claims->is_operator) {
		write_raw(w, STR(",\"role\":\"" OPERATOR "\"}"));
		return;
	}
	write_format(w, ",\"tid\":\"%s\"", uuid_text(id, &claims->tenant_id));
	write_format(w, ",\"sid\":\"%s\"}", uuid_text(id, &claims->session_id));
}

enum rc token_sign(const struct keys *keys, struct arena *arena, const struct token_claims *claims,
		   const char **ret)
{
	const struct key *key = keys->has_hmac && !claims->is_operator ? NULL : keys_newest(keys, KEY_SIGN);
	unsigned char signature[SIGNATURE];
	struct writer w;
	struct str json;
	char *text, *token;

	writer_init(&w, arena, 512);
	write_payload(&w, keys->issuer, claims);
	text = writer_take(&w, &json) ? base64url_text(arena, json.p, json.len) : NULL;
	if (text != NULL)
		text = arena_printf(arena, "%s.%s", header_for(key).text, text);
	if (text == NULL)
		return RC_NO_MEMORY;
	sign(keys, key, str_from(text), signature);
	token = base64url_text(arena, signature, sizeof(signature));
	if (token != NULL)
		token = arena_printf(arena, "%s.%s", text, token);
	if (token == NULL)
		return RC_NO_MEMORY;
	*ret = token;
	return RC_OK;
}

/* --- Verifying -------------------------------------------------------------------- */

static bool is(const char *text, const char *wanted)
{
	return text != NULL && strcmp(text, wanted) == 0;
}

static bool times_good(const struct token_payload *payload, utime now)
{
	utime iat = payload->iat * UTIME_SECOND, nbf = payload->nbf * UTIME_SECOND;
	utime exp = payload->exp * UTIME_SECOND;

	return iat <= now + TOKEN_SKEW && nbf <= now + TOKEN_SKEW && now < exp && iat < exp &&
	       exp - iat <= TOKEN_LIFE;
}

/* A person's, of a tenant and a session; or the operator's, who has neither. Never something between. */
static bool subject_good(const struct token_payload *payload, bool by_secret_key, struct token_claims *claims)
{
	bool has_tenant = HAS(payload, token_payload, tid), has_session = HAS(payload, token_payload, sid);

	claims->is_operator = HAS(payload, token_payload, role);
	if (claims->is_operator)
		return !by_secret_key && is(payload->role, OPERATOR) && is(payload->sub, OPERATOR) &&
		       !has_tenant && !has_session;
	claims->tenant_id = payload->tid;
	claims->session_id = payload->sid;
	return has_tenant && has_session && uuid_parse(str_from(payload->sub), &claims->user_id) &&
	       !uuid_is_none(&claims->user_id) && !uuid_is_none(&claims->tenant_id) &&
	       !uuid_is_none(&claims->session_id);
}

/* Of a payload that bears a good signature. */
static enum rc read_claims(const struct keys *keys, bool by_secret_key, struct arena *arena, struct str json,
			   utime now, struct token_claims *ret)
{
	struct issues issues = {.arena = arena};
	struct token_claims claims = {0};
	struct token_payload *payload;
	void *object;
	enum rc rc = shape_parse(&token_payload_shape, PARSE_WHOLE, json, &issues, &object);

	if (rc != RC_OK)
		return rc == RC_NO_MEMORY ? rc : RC_UNAUTHENTICATED;
	payload = object;
	if (!is(payload->iss, keys->issuer) || !is(payload->aud, AUDIENCE) ||
	    !is(payload->client_id, AUDIENCE) || uuid_is_none(&payload->jti) || !times_good(payload, now) ||
	    !subject_good(payload, by_secret_key, &claims))
		return RC_UNAUTHENTICATED;
	claims.id = payload->jti;
	claims.issued_at = payload->iat * UTIME_SECOND;
	claims.expires_at = payload->exp * UTIME_SECOND;
	*ret = claims;
	return RC_OK;
}

enum rc token_verify(const struct keys *keys, struct arena *arena, struct str token, utime now,
		     struct token_claims *ret)
{
	struct str rest = token, header = str_cut(&rest, '.'), payload = str_cut(&rest, '.');
	unsigned char signature[SIGNATURE];
	struct str text = {token.p, header.len + 1 + payload.len};
	const struct key *key;
	char *json;
	size_t size;

	if (token.len > TOKEN_MAX || !find_key(keys, header, &key) ||
	    !base64url_exact(rest, signature, sizeof(signature)) ||
	    !signature_good(keys, key, text, signature))
		return RC_UNAUTHENTICATED;
	json = arena_alloc(arena, payload.len + 1);
	if (json == NULL)
		return RC_NO_MEMORY;
	if (!base64url_bytes(payload, json, payload.len, &size))
		return RC_UNAUTHENTICATED;
	return read_claims(keys, key == NULL, arena, (struct str){json, size}, now, ret);
}
