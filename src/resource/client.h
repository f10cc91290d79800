/* How the other services ask the resource service: what may be booked of this resource, and when? */
#ifndef RESOURCE_CLIENT_H
#define RESOURCE_CLIENT_H

#include "base/ctx.h"
#include "calendar/hours.h"

struct config;

struct resource_rules {
	bool is_available;	  /* its status is `disponivel` */
	int32_t capacity;	  /* bookings at once: 1, unless its category allows multiple bookings */
	struct schedule schedule; /* sealed */
};

/* RC_OK, RC_RESOURCE_UNKNOWN (absent, deleted, or another tenant's), or what the store says. */
enum rc resource_rules(struct ctx *cx, const struct uuid *tenant_id, const struct uuid *resource_id,
		       struct resource_rules *ret) MUST_USE;

/* Whose resource is this? For the operator alone. RC_RESOURCE_UNKNOWN. */
enum rc resource_tenant_of(struct ctx *cx, const struct uuid *resource_id, struct uuid *ret) MUST_USE;

/* What one thread keeps: ctx->locals[ROOM_resource]. */
void *resource_local_create(const struct config *config, void *shared);
void resource_local_destroy(void *local);

#endif
