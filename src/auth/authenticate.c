/*
 * Who asks: from the Authorization header to a principal. A token says who; what he may do is read from the
 * store (principal.c), so that it ends when the store says so. A signature is checked once for each thread
 * and token: the check takes some 60 us, ten times what the rest of a warm request does here.
 */
#include "auth/api_key.h"
#include "auth/auth.h"
#include "auth/local.h"
#include "auth/secret.h"
#include "auth/session.h"
#include "auth/token.h"
#include "http/caller.h"
#include "tenant/client.h"
#include "user/local.h"

#include <sodium.h>
#include <stdlib.h>

#define CACHED_TOKENS	 4096
#define CACHED_SESSIONS	 4096
#define CACHED_API_KEYS	 1024
#define CACHED_DOCUMENTS 256

/* --- Tokens --------------------------------------------------------------------- */

/*
 * Found by a hash under a key of this thread alone: by 16 bytes of it, and the others must be the same too.
 * Of the token itself nothing is kept.
 */
struct verified {
	unsigned char rest[16];
	struct token_claims claims;
};

struct token_hash {
	struct uuid key;
	unsigned char rest[16];
};

struct keys *auth_local_keys(struct auth_local *local)
{
	if (keys_refresh(local->keys))
		local->keys_version++;
	return local->keys;
}

static void keep(struct auth_local *auth, const struct token_hash *hash, const struct token_claims *claims)
{
	struct verified *kept = malloc(sizeof(*kept));

	if (kept == NULL)
		return;
	memcpy(kept->rest, hash->rest, sizeof(kept->rest));
	kept->claims = *claims;
	cache_put(auth->tokens, &hash->key, 0, auth->keys_version, claims->expires_at, kept);
}

static enum rc verify(struct req *rq, struct auth_local *auth, struct str token, struct token_claims *ret)
{
	const struct keys *keys = auth_local_keys(auth);
	const struct verified *kept;
	struct token_hash hash;
	enum rc rc;

	_Static_assert(sizeof(hash) == 32, "no gaps");
	crypto_generichash((unsigned char *)&hash, sizeof(hash), (const unsigned char *)token.p, token.len,
			   auth->token_key, sizeof(auth->token_key));
	kept = cache_get(auth->tokens, &hash.key, 0, auth->keys_version, rq->cx.now);
	if (kept != NULL && sodium_memcmp(kept->rest, hash.rest, sizeof(hash.rest)) == 0) {
		*ret = kept->claims;
		return RC_OK;
	}
	rc = token_verify(keys, rq->cx.arena, token, rq->cx.now, ret);
	if (rc == RC_OK)
		keep(auth, &hash, ret);
	return rc;
}

/* Nobody acts for a tenant that is gone, or not active. */
static enum rc tenant_check(struct ctx *cx, const struct uuid *tenant_id)
{
	struct tenant_rules tenant;
	enum rc rc = tenant_rules(cx, tenant_id, &tenant);

	if (rc == RC_TENANT_UNKNOWN || (rc == RC_OK && !tenant.is_active))
		return RC_UNAUTHENTICATED;
	return rc;
}

static enum rc by_token(struct req *rq, struct str token)
{
	struct auth_local *auth = ((const struct user_local *)rq->cx.locals[ROOM_user])->auth;
	struct token_claims claims;
	struct principal who;
	enum rc rc = verify(rq, auth, token, &claims);

	if (rc != RC_OK)
		return rc;
	if (claims.is_operator) {
		rq->cx.principal = (struct principal){.role = ROLE_OPERATOR,
						      .rights = RIGHTS_ALL,
						      .session_id = claims.id};
		return RC_OK;
	}
	rc = session_principal(&rq->cx, &claims.tenant_id, &claims.user_id, &claims.session_id, &who);
	if (rc == RC_OK)
		rc = tenant_check(&rq->cx, &claims.tenant_id);
	if (rc == RC_OK)
		rq->cx.principal = who;
	return rc;
}

/* --- API keys --------------------------------------------------------------------- */

static enum rc by_api_key(struct req *rq, struct str key)
{
	struct principal who;
	enum rc rc = api_key_principal(&rq->cx, key, &who);

	if (rc == RC_OK)
		rc = tenant_check(&rq->cx, &who.tenant_id);
	if (rc == RC_OK)
		rq->cx.principal = who;
	return rc;
}

/* --- The header ------------------------------------------------------------------- */

/* What a bearer may send, by its beginning. Another kind of credential is a row before the last. */
static const struct {
	const char *prefix;
	enum rc (*authenticate)(struct req *rq, struct str credential);
} credentials[] = {
	{SECRET_API_KEY "_", by_api_key},
	{"", by_token},
};

/* "Bearer <credential>" (RFC 6750); the scheme in any case (RFC 9110, 11.1). False: something else. */
static bool bearer(struct str header, struct str *ret)
{
	static const struct str scheme = {"Bearer ", 7};

	if (header.len <= scheme.len || !str_equal_nocase((struct str){header.p, scheme.len}, scheme))
		return false;
	*ret = (struct str){header.p + scheme.len, header.len - scheme.len};
	return true;
}

/* A proxy and we could each believe another one of two. */
static size_t count_headers(const struct http_exchange *exchange)
{
	size_t count = 0;

	for (size_t i = 0; i < exchange->header_count; i++)
		count += str_equal_nocase(exchange->headers[i].name, STR("Authorization")) ||
			 str_equal_nocase(exchange->headers[i].name, STR("X-API-Key"));
	return count;
}

enum rc auth_authenticate(struct req *rq)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	struct str credential, api_key = http_header(rq->http, "X-API-Key");
	size_t headers = count_headers(rq->http), i = 0;

	if (headers == 0) {
		if (local->auth->optional && caller_is_here(rq->http))
			rq->cx.principal = (struct principal){.role = ROLE_OPERATOR, .rights = RIGHTS_ALL};
		return RC_OK;
	}
	if (headers == 1 && api_key.p != NULL)
		return by_api_key(rq, api_key);
	if (headers > 1 || !bearer(http_header(rq->http, "Authorization"), &credential))
		return RC_UNAUTHENTICATED;
	while (!str_starts(credential, str_from(credentials[i].prefix))) /* the last row takes anything */
		i++;
	return credentials[i].authenticate(rq, credential);
}

/* --- What a thread keeps ------------------------------------------------------------ */

struct auth_local *auth_local_create(const struct config *config, const struct world *world)
{
	struct auth_local *local = calloc(1, sizeof(*local));

	if (local == NULL)
		return NULL;
	local->optional = config_auth_optional(config);
	local->public_url = config->public_url;
	local->sends_mail = config->smtp_url != NULL;
	local->access_life = config->access_minutes * UTIME_MINUTE;
	local->session_idle = config->refresh_days * UTIME_DAY;
	local->session_cap = config->session_days * UTIME_DAY;
	world->random(world, local->token_key, sizeof(local->token_key));
	local->tokens = cache_create(CACHED_TOKENS, free);
	local->sessions = cache_create(CACHED_SESSIONS, free);
	local->api_keys = cache_create(CACHED_API_KEYS, free);
	local->documents = cache_create(CACHED_DOCUMENTS, free);
	local->keys = keys_create(config, world, KEYS_MAKE);
	if (local->tokens == NULL || local->sessions == NULL || local->api_keys == NULL ||
	    local->documents == NULL || local->keys == NULL) {
		auth_local_destroy(local);
		return NULL;
	}
	return local;
}

void auth_local_destroy(struct auth_local *local)
{
	if (local == NULL)
		return;
	keys_destroy(local->keys);
	cache_destroy(local->documents);
	cache_destroy(local->api_keys);
	cache_destroy(local->sessions);
	cache_destroy(local->tokens);
	sodium_memzero(local->token_key, sizeof(local->token_key));
	free(local);
}
