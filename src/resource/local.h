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
	enum resource_status status;
	int64_t capacity;
	const char *availability_schedule;
	const char *category_metadata;
};

/*
 * Moves whenever a resource or a category of the tenant changes; 0, and *ret_shared, when other processes may
 * write too and nothing can be told this way.
 */
uint64_t resource_version(const struct ctx *cx, const struct uuid *tenant, bool *ret_shared);

#endif
