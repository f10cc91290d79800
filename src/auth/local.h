/* What identity keeps for one thread; a part of the user room's own. */
#ifndef AUTH_LOCAL_H
#define AUTH_LOCAL_H

#include "auth/keys.h"

struct auth_local {
	bool optional; /* a call without a token acts as the operator */
	struct keys *keys;
};

struct auth_local *auth_local_create(const struct config *config, const struct world *world) MUST_USE;
void auth_local_destroy(struct auth_local *local);

#endif
