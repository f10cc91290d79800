/*
 * What a credential proves, where the sessions are: from a token or an API key to a principal. A token says
 * who; what he may do is read from the store (principal.c), so that it ends when the store says so. A
 * signature is checked once for each thread and token: the check takes some 60 us, ten times what the rest of
 * a warm request does here.
 */
#include "auth/api_key.h"
#include "auth/identity.h"
#include "auth/local.h"
#include "auth/secret.h"
#include "auth/session.h"
#include "auth/token.h"
#include "user/local.h"

#include <sodium.h>
#include <stdlib.h>

/* How old a look at the folder of keys may be for a token that is known: of these none comes new. */
#define KEYS_GLANCE (UTIME_SECOND / 100)

/*
 * A token that was verified is found again by a hash of its signature, under a key of this thread alone; what
 * it signs must be the same byte for byte. Of the signature nothing else is kept: out of memory, nobody reads
 * a token that is good.
 */
struct verified {
	struct token_claims claims;
	size_t len;
	char signed_text[];
};

struct keys *auth_local_keys(struct auth_local *local)
{
	if (keys_refresh(local->keys))
		local->keys_version++;
	return local->keys;
}

struct credential_hash credential_hash(const struct auth_local *local, struct str credential)
{
	struct credential_hash hash;

	_Static_assert(sizeof(hash) == 32, "no gaps");
	crypto_generichash((unsigned char *)&hash, sizeof(hash), (const unsigned char *)credential.p,
			   credential.len, local->token_key, sizeof(local->token_key));
	return hash;
}

/* What stands before the last dot; *ret_hash is of what stands behind it. */
static struct str signed_text(const struct auth_local *auth, struct str token, struct uuid *ret_hash)
{
	const char *dot = memrchr(token.p, '.', token.len);
	size_t len = dot != NULL ? (size_t)(dot - token.p) : 0;

	_Static_assert(sizeof(*ret_hash) == crypto_shorthash_siphashx24_BYTES, "SipHash-2-4 of 128 bits");
	_Static_assert(sizeof(auth->token_key) >= crypto_shorthash_siphashx24_KEYBYTES, "room for its key");
	crypto_shorthash_siphashx24(ret_hash->b, (const unsigned char *)token.p + len, token.len - len,
				    auth->token_key);
	return (struct str){token.p, len};
}

static void keep(struct auth_local *auth, const struct uuid *hash, struct str text,
		 const struct token_claims *claims)
{
	struct verified *kept = malloc(sizeof(*kept) + text.len);

	if (kept == NULL)
		return;
	kept->claims = *claims;
	kept->len = text.len;
	memcpy(kept->signed_text, text.p, text.len);
	cache_put(auth->tokens, hash, 0, auth->keys_version, claims->expires_at, kept);
}

static void glance_at_keys(struct auth_local *auth, utime now)
{
	if (now >= auth->keys_seen && now < auth->keys_seen + KEYS_GLANCE)
		return;
	auth->keys_seen = now;
	(void)auth_local_keys(auth);
}

static enum rc verify(struct ctx *cx, struct auth_local *auth, struct str token, struct token_claims *ret)
{
	struct uuid hash;
	struct str text = signed_text(auth, token, &hash);
	const struct verified *kept;
	enum rc rc;

	glance_at_keys(auth, cx->now);
	kept = cache_get(auth->tokens, &hash, 0, auth->keys_version, cx->now);
	if (kept != NULL && str_equal((struct str){kept->signed_text, kept->len}, text)) {
		*ret = kept->claims;
		return RC_OK;
	}
	rc = token_verify(auth_local_keys(auth), cx->arena, token, cx->now, ret);
	if (rc == RC_OK)
		keep(auth, &hash, text, ret);
	return rc;
}

static enum rc by_token(struct ctx *cx, struct str token, struct principal *ret, utime *ret_until)
{
	struct auth_local *auth = ((const struct user_local *)cx->locals[ROOM_user])->auth;
	struct token_claims claims;
	enum rc rc = verify(cx, auth, token, &claims);

	if (rc != RC_OK)
		return rc;
	*ret_until = claims.expires_at;
	if (!claims.is_operator)
		return session_principal(cx, &claims.tenant_id, &claims.user_id, &claims.session_id, ret);
	*ret = (struct principal){.role = ROLE_OPERATOR, .rights = RIGHTS_ALL, .session_id = claims.id};
	return RC_OK;
}

static enum rc by_api_key(struct ctx *cx, struct str key, struct principal *ret, utime *ret_until)
{
	*ret_until = UTIME_MAX;
	return api_key_principal(cx, key, ret);
}

/* What a bearer may send, by its beginning. Another kind of credential is a row before the last. */
static const struct {
	const char *prefix;
	enum rc (*prove)(struct ctx *cx, struct str credential, struct principal *ret, utime *ret_until);
} credentials[] = {
	{SECRET_API_KEY "_", by_api_key},
	{"", by_token},
};

enum rc identity_prove(struct ctx *cx, struct str credential, struct principal *ret, utime *ret_until)
{
	size_t i = 0;

	while (!str_starts(credential, str_from(credentials[i].prefix))) /* the last row takes anything */
		i++;
	return credentials[i].prove(cx, credential, ret, ret_until);
}
