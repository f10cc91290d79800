/* Who asks: from the Authorization header to a principal. */
#include "auth/auth.h"
#include "auth/local.h"
#include "auth/token.h"
#include "user/local.h"

#include <stdlib.h>

/* "Bearer <token>" (RFC 6750); the scheme in any case. NULL where it is something else. */
static struct str bearer(struct str header)
{
	static const struct str scheme = STR("Bearer ");

	if (header.len <= scheme.len || !str_equal_nocase((struct str){header.p, scheme.len}, scheme))
		return (struct str){0};
	return (struct str){header.p + scheme.len, header.len - scheme.len};
}

static enum rc from_token(struct req *rq, struct keys *keys, struct str token)
{
	struct token_claims claims;
	enum rc rc;

	keys_refresh(keys);
	rc = token_verify(keys, rq->cx.arena, token, rq->cx.now, &claims);
	if (rc != RC_OK)
		return rc;
	if (!claims.is_operator)
		return RC_UNAUTHENTICATED;
	rq->cx.principal =
		(struct principal){.role = ROLE_OPERATOR, .rights = RIGHTS_ALL, .session_id = claims.id};
	return RC_OK;
}

/* Two of them: whoever stands between may have looked at the other one. */
static bool said_twice(const struct http_exchange *http)
{
	int count = 0;

	for (size_t i = 0; i < http->header_count; i++)
		count += str_equal_nocase(http->headers[i].name, STR("Authorization"));
	return count > 1;
}

enum rc auth_authenticate(struct req *rq)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	struct str header = http_header(rq->http, "Authorization");

	if (said_twice(rq->http))
		return RC_UNAUTHENTICATED;
	if (header.p != NULL)
		return from_token(rq, local->auth->keys, bearer(header));
	if (local->auth->optional)
		rq->cx.principal = (struct principal){.role = ROLE_OPERATOR, .rights = RIGHTS_ALL};
	return RC_OK;
}

struct auth_local *auth_local_create(const struct config *config, const struct world *world)
{
	struct auth_local *local = calloc(1, sizeof(*local));

	if (local == NULL)
		return NULL;
	local->optional = config_auth_optional(config);
	local->keys = keys_create(config, world, KEYS_MAKE);
	if (local->keys != NULL)
		return local;
	auth_local_destroy(local);
	return NULL;
}

void auth_local_destroy(struct auth_local *local)
{
	if (local == NULL)
		return;
	keys_destroy(local->keys);
	free(local);
}
