/* See wire.h. */
#include "neighbour/wire.h"

static const char *const role_texts[] = {
	[ROLE_ANYONE] = "anyone", [ROLE_USER] = "user", [ROLE_ADMIN] = "admin", [ROLE_OPERATOR] = "operator"};
const struct names role_names = {"role", role_texts, ARRAY_LEN(role_texts)};

SHAPE_DEFINE(caller, CALLER);
SHAPE_DEFINE(asked, ASKED);
SHAPE_DEFINE(reads, READS);

struct caller caller_from(const struct principal *who)
{
	return (struct caller){.role = who->role,
			       .rights = who->rights,
			       .tenant_id = who->tenant_id,
			       .user_id = who->user_id,
			       .session_id = who->session_id};
}

struct principal caller_principal(const struct caller *caller)
{
	return (struct principal){.role = caller->role,
				  .rights = (unsigned)caller->rights,
				  .tenant_id = caller->tenant_id,
				  .user_id = caller->user_id,
				  .session_id = caller->session_id};
}
