/* What the resource service keeps for one thread: ctx->locals[ROOM_resource]. */
#ifndef RESOURCE_LOCAL_H
#define RESOURCE_LOCAL_H

#include "base/cache.h"
#include "resource/client.h"
#include "resource/resource.h"

struct resource_local {
	utime ttl;	     /* of what a shared store gave */
	struct cache *rules; /* by resource: client.c */
	struct cache *days;  /* by resource and date, finished answers: availability.c */
};

/* What is read of a resource to know its rules. */
struct resource_row {
	struct uuid tenant_id;
	enum resource_status status;
	int64_t capacity;
	const char *availability_schedule;
	const char *category_metadata;
};

/* resource_rules(), and the version for which they stand; *ret_shared: none can be told. */
enum rc resource_rules_at(struct ctx *cx, const struct uuid *id, struct resource_rules *ret,
			  uint64_t *ret_version, bool *ret_shared) MUST_USE;

/* The version now. */
uint64_t resource_version(const struct ctx *cx, const struct uuid *tenant);

#endif
