/*
 * Bytes as a token: header, claims and signature by whoever likes to try. The key is known, so that the
 * fuzzer also gets behind the signature: the first byte says whether the rest is the token, or the claims of
 * one that is well signed. Whatever is taken must keep the promises of token.h.
 */
#include "auth/token.h"

#include "auth/base64url.h"
#include "auth/keyring.h"
#include "json/arena_json.h"

#include <stdio.h>
#include <stdlib.h>

#define NOW (INT64_C(1764590400) * UTIME_SECOND)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct keys keys;
static char header[160];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const unsigned char seed[KEY_SEED_BYTES] = {1};
	char json[128];
	int len;

	(void)argc;
	(void)argv;
	if (sodium_init() < 0)
		abort();
	arena_json_init();
	keys.issuer = "https://marca.example";
	key_from_seed(KEY_SIGN, 0, seed, &keys.sets[KEY_SIGN].keys[0]);
	keys.sets[KEY_SIGN].count = 1;
	crypto_auth_hmacsha512_init(&keys.hmac, seed, sizeof(seed));
	keys.has_hmac = true;
	len = snprintf(json, sizeof(json), "{\"alg\":\"EdDSA\",\"kid\":\"%s\",\"typ\":\"at+jwt\"}",
		       keys.sets[KEY_SIGN].keys[0].kid);
	base64url_write(header, json, (size_t)len);
	return 0;
}

static struct str signed_by_us(struct arena *arena, struct str claims)
{
	unsigned char signature[crypto_sign_BYTES];
	char *text = arena_printf(arena, "%s.%s", header, base64url_text(arena, claims.p, claims.len));

	if (text == NULL)
		abort();
	crypto_sign_detached(signature, NULL, (const unsigned char *)text, strlen(text),
			     keys.sets[KEY_SIGN].keys[0].secret.sign);
	return str_from(
		arena_printf(arena, "%s.%s", text, base64url_text(arena, signature, sizeof(signature))));
}

static void check(const struct token_claims *claims)
{
	bool nobody = uuid_is_none(&claims->tenant_id) && uuid_is_none(&claims->user_id) &&
		      uuid_is_none(&claims->session_id);
	bool somebody = !uuid_is_none(&claims->tenant_id) && !uuid_is_none(&claims->user_id) &&
			!uuid_is_none(&claims->session_id);

	if (claims->is_operator ? !nobody : !somebody)
		abort();
	if (uuid_is_none(&claims->id) || claims->expires_at <= NOW || claims->issued_at > NOW + TOKEN_SKEW ||
	    claims->expires_at - claims->issued_at > TOKEN_LIFE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data + 1, size - 1}, token;
	struct token_claims claims;
	struct arena arena;
	enum rc rc;

	if (size < 2)
		return 0;
	arena_init(&arena, NULL);
	token = data[0] % 2 == 0 ? rest : signed_by_us(&arena, rest);
	rc = token_verify(&keys, &arena, token, NOW, &claims);
	if (rc == RC_OK)
		check(&claims);
	else if (rc != RC_UNAUTHENTICATED)
		abort();
	arena_finish(&arena);
	return 0;
}
