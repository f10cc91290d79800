/* Who asks: from the Authorization header to a principal. */
#include "auth/auth.h"
#include "auth/local.h"
#include "user/local.h"

#include <stdlib.h>

enum rc auth_authenticate(struct req *rq)
{
	const struct user_local *local = rq->cx.locals[ROOM_user];
	struct str header = http_header(rq->http, "Authorization");

	if (header.p != NULL)
		return RC_UNAUTHENTICATED;
	if (local->auth->optional)
		rq->cx.principal = (struct principal){.role = ROLE_OPERATOR, .rights = RIGHTS_ALL};
	return RC_OK;
}

/* Unset: optional in development on loopback. */
static bool is_optional(const struct config *config)
{
	if (config->auth != NULL)
		return strcmp(config->auth, "optional") == 0;
	return strcmp(config->environment, "development") == 0 &&
	       (strncmp(config->listen, "127.", 4) == 0 || strncmp(config->listen, "[::1]", 5) == 0);
}

struct auth_local *auth_local_create(const struct config *config)
{
	struct auth_local *local = calloc(1, sizeof(*local));

	if (local != NULL)
		local->optional = is_optional(config);
	return local;
}

void auth_local_destroy(struct auth_local *local)
{
	free(local);
}
