/*
 * On whose behalf work is done. Who it is comes from a token; what he may do comes from the store, as it is
 * now, and never from the token.
 */
#ifndef BASE_PRINCIPAL_H
#define BASE_PRINCIPAL_H

#include "base/uuid.h"

enum role {
	ROLE_ANYONE,   /* nobody has said who he is */
	ROLE_USER,     /* of one tenant: a person, or an API key */
	ROLE_ADMIN,    /* staff of one tenant: holds every right in it */
	ROLE_OPERATOR, /* who runs marca: in every tenant */
};

/* A user's permissions, by their names on the wire; an API key's scopes are the same words. */
enum right {
	RIGHT_BOOK = 1 << 0,	  /* can_book */
	RIGHT_RESOURCES = 1 << 1, /* can_manage_resources */
	RIGHT_USERS = 1 << 2,	  /* can_manage_users */
	RIGHT_VIEW = 1 << 3,	  /* can_view_all_bookings */
	RIGHTS_ALL = RIGHT_BOOK | RIGHT_RESOURCES | RIGHT_USERS | RIGHT_VIEW,
};

struct principal {
	enum role role;
	unsigned rights;	/* enum right; all of them from ROLE_ADMIN on */
	struct uuid tenant_id;	/* nil: of no tenant (anyone, the operator) */
	struct uuid user_id;	/* nil: no person (an API key, the operator, anyone) */
	struct uuid session_id; /* by which he came: a session's, or an API key's; nil without a token */
};

static inline bool principal_is_staff(const struct principal *who)
{
	return who->role >= ROLE_ADMIN;
}

/* May he act for that user of his tenant? For himself; staff and API keys for everybody. */
static inline bool principal_acts_for(const struct principal *who, const struct uuid *user_id)
{
	return who->role >= ROLE_ADMIN || (who->role == ROLE_USER && (uuid_is_none(&who->user_id) ||
								      uuid_equal(&who->user_id, user_id)));
}

#endif
