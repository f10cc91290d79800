/*
 * How the other services ask the tenant service: which rules does this tenant book by?
 * Never guesses: a tenant that cannot be asked for is RC_SETTINGS_DOWN, unless another process runs the
 * service and this thread knows what it said last. Where none is configured, every tenant books by the
 * defaults.
 */
#ifndef TENANT_CLIENT_H
#define TENANT_CLIENT_H

#include "base/ctx.h"
#include "calendar/policy.h"

struct config;

struct tenant_rules {
	struct policy policy;
	const char *timezone;
	bool is_active, self_signup;
};

/* RC_OK, RC_TENANT_UNKNOWN, RC_SETTINGS_DOWN. A tenant without settings books by the DEFAULT_* of config.def.
 */
enum rc tenant_rules(struct ctx *cx, const struct uuid *tenant_id, struct tenant_rules *ret) MUST_USE;

/* The tenant of a domain in lower case. RC_TENANT_UNKNOWN, RC_SETTINGS_DOWN. */
enum rc tenant_of_domain(struct ctx *cx, const char *domain, struct uuid *ret) MUST_USE;

/* Its name, for people; in the arena. RC_TENANT_UNKNOWN, RC_SETTINGS_DOWN. */
enum rc tenant_name(struct ctx *cx, const struct uuid *tenant_id, const char **ret) MUST_USE;

/*
 * Moves whenever the tenant or its settings change; 0, and *ret_shared, when other processes may write
 * too and nothing can be told this way.
 */
uint64_t tenant_version(const struct ctx *cx, const struct uuid *tenant_id, bool *ret_shared);

/* What one thread keeps: ctx->locals[ROOM_tenant]. */
void *tenant_local_create(const struct config *config, void *shared);
void tenant_local_destroy(void *local);

#endif
