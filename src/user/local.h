/* What the user service keeps for the process, and for one thread: ctx->locals[ROOM_user]. */
#ifndef USER_LOCAL_H
#define USER_LOCAL_H

#include "auth/key_uses.h"
#include "auth/local.h"
#include "base/cache.h"
#include "http/client.h"
#include "user/password.h"

/* Reached by any thread at once. */
struct user_shared {
	const struct world *world;
	bool here; /* this process runs the service; else there is nothing but the world */
	struct password_pool *passwords;
	struct key_uses *key_uses;
	_Atomic bool told_no_mail; /* auth/password_forgot.c */
	struct http_client *http;
};

struct user_local {
	struct user_shared *shared;
	utime ttl;	      /* of what a shared store gave */
	struct cache *briefs; /* by user: client.c */
	struct auth_local *auth;
};

#endif
