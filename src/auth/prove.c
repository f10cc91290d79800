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

struct verified {
	unsigned char rest[16];
	struct token_claims claims;
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

static void keep(struct auth_local *auth, const struct credential_hash *hash,
		 const struct token_claims *claims)
{
	struct verified *kept = malloc(sizeof(*kept));

	if (kept == NULL)
		return;
	memcpy(kept->rest, hash->rest, sizeof(kept->rest));
	kept->claims = *claims;
	cache_put(auth->tokens, &hash->key, 0, auth->keys_version, claims->expires_at, kept);
}

static enum rc verify(struct ctx *cx, struct auth_local *auth, struct str token, struct token_claims *ret)
{
	const struct keys *keys = auth_local_keys(auth);
	struct credential_hash hash = credential_hash(auth, token);
	const struct verified *kept = cache_get(auth->tokens, &hash.key, 0, auth->keys_version, cx->now);
	enum rc rc;

	if (kept != NULL && sodium_memcmp(kept->rest, hash.rest, sizeof(hash.rest)) == 0) {
		*ret = kept->claims;
		return RC_OK;
	}
	rc = token_verify(keys, cx->arena, token, cx->now, ret);
	if (rc == RC_OK)
		keep(auth, &hash, ret);
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
