/* How the other services ask the user service. */
#ifndef USER_CLIENT_H
#define USER_CLIENT_H

#include "base/ctx.h"
#include "user/password_rules.h"

struct config;

struct user_brief {
	struct uuid tenant_id;
	bool is_active;
};

/* RC_OK, RC_USER_UNKNOWN (absent, deleted, or another tenant's), or what the store says. */
enum rc user_brief(struct ctx *cx, const struct uuid *tenant_id, const struct uuid *user_id,
		   struct user_brief *ret) MUST_USE;

/* Whose user is this? For the operator alone. RC_USER_UNKNOWN. */
enum rc user_tenant_of(struct ctx *cx, const struct uuid *user_id, struct uuid *ret) MUST_USE;

/* Somebody who is to run a tenant, with the password that he chose: NEW_PASSWORD, and not personal. */
struct new_admin {
	const char *name, *email, *password;
};

/*
 * The first one of a tenant, which need not exist yet: until it does, nobody logs in there. Waits for the
 * hash. RC_EMAIL_TAKEN, RC_OVERLOADED.
 */
enum rc user_add_admin(struct ctx *cx, const struct uuid *tenant_id, const struct new_admin *admin,
		       struct uuid *ret_id) MUST_USE;
/* Takes that back, as if it had never been: for a tenant that did not come about. */
enum rc user_take_back(struct ctx *cx, const struct uuid *tenant_id, const struct uuid *id) MUST_USE;

/* What the process keeps, and what one thread of it keeps besides: ctx->locals[ROOM_user]. */
void *user_shared_create(const struct config *config, const struct world *world, bool here);
void user_shared_destroy(void *shared);
void *user_local_create(const struct config *config, void *shared);
void user_local_destroy(void *local);

#endif
