/*
 * See client.h. In process: one query, kept for as long as the version of the tenant's resources stands; and
 * not for longer than CACHE_TTL_SECONDS where another process may change what this one only hears of. Whose a
 * resource is never changes, and so is known from what was kept, even when that is stale.
 */
#include "resource/client.h"

#include "base/config.h"
#include "resource/local.h"
#include "resource/queries.h"
#include "resource/schedule.h"

#include <stdlib.h>

#define CACHED_RESOURCES 1024
#define CACHED_DAYS	 1024

struct kept {
	struct resource_rules rules;
	uint64_t version;
};

uint64_t resource_version(const struct ctx *cx, const struct uuid *tenant)
{
	return db_version(cx->ports[ROOM_resource], tenant);
}

static enum rc capacity_read(struct ctx *cx, const struct resource_row *row, int32_t *ret)
{
	struct issues issues = {.arena = cx->arena};
	void *metadata;
	enum rc rc;

	*ret = 1;
	if (row->category_metadata == NULL || row->capacity == INT_NONE)
		return RC_OK;
	rc = shape_parse(&category_metadata_shape, PARSE_WHOLE, str_from(row->category_metadata), &issues,
			 &metadata);
	if (rc != RC_OK) /* it was checked when it was written */
		return rc == RC_NO_MEMORY ? rc : RC_INTERNAL;
	if (((const struct category_metadata *)metadata)->allows_multiple_bookings)
		*ret = (int32_t)row->capacity;
	return RC_OK;
}

static enum rc read_rules(struct ctx *cx, const struct uuid *id, struct resource_rules *ret)
{
	const struct q_resource_rules_by_id_in in = {.id = *id};
	struct resource_row *row;
	enum rc rc = q_resource_rules_by_id(cx, &in, &row);

	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_RESOURCE_UNKNOWN;
	ret->tenant_id = row->tenant_id;
	ret->is_available = row->status == resource_status_disponivel;
	rc = capacity_read(cx, row, &ret->capacity);
	return rc == RC_OK ? schedule_load(cx->arena, row->availability_schedule, &ret->schedule) : rc;
}

/*
 * The rules, and a version that stood when they were read. Whose version that is tells only the row: so it is
 * taken after the read, and good if nothing at all was changed in between; else the row is read again.
 */
static enum rc read_versioned(struct ctx *cx, const struct uuid *id, const struct kept *stale,
			      struct resource_rules *ret, uint64_t *ret_version)
{
	const struct db_port *port = cx->ports[ROOM_resource];
	struct uuid tenant;
	uint64_t changes;
	enum rc rc;

	if (stale == NULL) {
		changes = db_changes(port);
		rc = read_rules(cx, id, ret);
		if (rc != RC_OK)
			return rc;
		tenant = ret->tenant_id;
		*ret_version = resource_version(cx, &tenant);
		if (db_changes(port) == changes)
			return RC_OK;
	} else {
		tenant = stale->rules.tenant_id;
	}
	*ret_version = resource_version(cx, &tenant);
	return read_rules(cx, id, ret);
}

static void keep(struct ctx *cx, const struct uuid *id, uint64_t version, const struct resource_rules *rules)
{
	const struct resource_local *local = cx->locals[ROOM_resource];
	utime until = db_shared(cx->ports[ROOM_resource]) ? cx->now + local->ttl : UTIME_MAX;
	struct kept *kept = until > cx->now ? malloc(sizeof(*kept)) : NULL;

	if (kept == NULL)
		return;
	*kept = (struct kept){.rules = *rules, .version = version};
	cache_put(local->rules, id, 0, 0, until, kept);
}

enum rc resource_rules_at(struct ctx *cx, const struct uuid *id, struct resource_rules *ret,
			  uint64_t *ret_version, bool *ret_shared)
{
	const struct resource_local *local = cx->locals[ROOM_resource];
	const struct kept *kept = cache_get(local->rules, id, 0, 0, cx->now);
	enum rc rc;

	*ret_shared = db_shared(cx->ports[ROOM_resource]);
	if (kept != NULL && kept->version == resource_version(cx, &kept->rules.tenant_id)) {
		*ret = kept->rules;
		*ret_version = kept->version;
		return RC_OK;
	}
	rc = read_versioned(cx, id, kept, ret, ret_version);
	if (rc == RC_OK)
		keep(cx, id, *ret_version, ret);
	return rc;
}

enum rc resource_rules(struct ctx *cx, const struct uuid *id, struct resource_rules *ret)
{
	uint64_t version;
	bool shared;

	return resource_rules_at(cx, id, ret, &version, &shared);
}

void *resource_local_create(const struct config *config, void *shared)
{
	struct resource_local *local = calloc(1, sizeof(*local));

	(void)shared;
	if (local == NULL)
		return NULL;
	local->ttl = config->cache_ttl * UTIME_SECOND;
	local->rules = cache_create(CACHED_RESOURCES, free);
	local->days = cache_create(CACHED_DAYS, free);
	if (local->rules == NULL || local->days == NULL) {
		resource_local_destroy(local);
		return NULL;
	}
	return local;
}

void resource_local_destroy(void *arg)
{
	struct resource_local *local = arg;

	if (local == NULL)
		return;
	cache_destroy(local->rules);
	cache_destroy(local->days);
	free(local);
}
