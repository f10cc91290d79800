/*
 * Who asks: from the Authorization header to a principal. What a credential proves is known where the
 * sessions are: here (prove.c), or in the process of the user service (elsewhere.c).
 */
#include "auth/auth.h"
#include "auth/identity.h"
#include "auth/local.h"
#include "auth/secret.h"
#include "db/db.h"
#include "http/caller.h"
#include "tenant/client.h"
#include "user/local.h"

#include <sodium.h>
#include <stdlib.h>

#define CACHED_TOKENS	 4096
#define CACHED_SESSIONS	 4096
#define CACHED_API_KEYS	 1024
#define CACHED_DOCUMENTS 256

/* --- The principal ------------------------------------------------------------------ */

/* Nobody acts for a tenant that is gone, or not active. */
static enum rc tenant_check(struct ctx *cx, const struct uuid *tenant_id)
{
	struct tenant_rules tenant;
	enum rc rc = tenant_rules(cx, tenant_id, &tenant);

	if (rc == RC_TENANT_UNKNOWN || (rc == RC_OK && !tenant.is_active))
		return RC_UNAUTHENTICATED;
	return rc;
}

static enum rc prove(struct req *rq, struct str credential)
{
	struct neighbour *there = db_elsewhere(rq->cx.ports[ROOM_user]);
	struct principal who;
	utime until;
	enum rc rc = there != NULL ? identity_ask(&rq->cx, there, credential, &who)
				   : identity_prove(&rq->cx, credential, &who, &until);

	if (rc == RC_OK && !uuid_is_none(&who.tenant_id))
		rc = tenant_check(&rq->cx, &who.tenant_id);
	if (rc == RC_OK)
		rq->cx.principal = who;
	return rc;
}

/* --- The header ------------------------------------------------------------------- */

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
	size_t headers = count_headers(rq->http);

	if (headers == 0) {
		if (local->auth->optional && caller_is_here(rq->http))
			rq->cx.principal = (struct principal){.role = ROLE_OPERATOR, .rights = RIGHTS_ALL};
		return RC_OK;
	}
	if (headers > 1)
		return RC_UNAUTHENTICATED;
	if (api_key.p != NULL)
		return str_starts(api_key, STR(SECRET_API_KEY "_")) ? prove(rq, api_key) : RC_UNAUTHENTICATED;
	return bearer(http_header(rq->http, "Authorization"), &credential) ? prove(rq, credential)
									   : RC_UNAUTHENTICATED;
}

/* --- What a thread keeps ------------------------------------------------------------ */

static bool open_service(struct auth_local *local, const struct config *config, const struct world *world)
{
	local->tokens = cache_create(CACHED_TOKENS, free);
	local->sessions = cache_create(CACHED_SESSIONS, free);
	local->api_keys = cache_create(CACHED_API_KEYS, free);
	local->documents = cache_create(CACHED_DOCUMENTS, free);
	local->keys = keys_create(config, world, KEYS_MAKE);
	return local->tokens != NULL && local->sessions != NULL && local->api_keys != NULL &&
	       local->documents != NULL && local->keys != NULL;
}

static bool open_elsewhere(struct auth_local *local)
{
	local->proven = cache_create(CACHED_TOKENS, free);
	return local->proven != NULL;
}

struct auth_local *auth_local_create(const struct config *config, const struct world *world, bool here)
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
	if (here ? !open_service(local, config, world) : !open_elsewhere(local)) {
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
	cache_destroy(local->proven);
	sodium_memzero(local->token_key, sizeof(local->token_key));
	free(local);
}
