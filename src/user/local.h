/* What the user service keeps for one thread: ctx->locals[ROOM_user]. */
#ifndef USER_LOCAL_H
#define USER_LOCAL_H

#include "auth/local.h"
#include "base/cache.h"
#include "user/password.h"

struct user_local {
	utime ttl;	      /* of what a shared store gave */
	struct cache *briefs; /* by user: client.c */
	struct password_pool *passwords;
	struct auth_local *auth;
};

#endif
