/*
 * See client.h. One query, here or asked of who has it, kept for as long as the version of the tenant's
 * resources stands; and not for longer than CACHE_TTL_SECONDS where another process may change what this one
 * only hears of.
 */
#include "resource/client.h"

#include "base/config.h"
#include "resource/local.h"
#include "resource/queries.h"
#include "resource/schedule.h"

#include <stdlib.h>

#define CACHED_RESOURCES 8192
#define CACHED_DAYS	 1024
#define DAYS		 7

/* The rules without the room that a week might take: some 200 bytes instead of 2.8 KB, so many can be kept.
 */
struct kept {
	struct uuid tenant_id;
	bool is_available, always_open;
	int32_t capacity;
	uint8_t counts[DAYS]; /* of ranges, a weekday */
	struct clock_range ranges[];
};

static struct kept *pack(const struct uuid *tenant, const struct resource_rules *rules)
{
	const struct schedule *schedule = &rules->schedule;
	struct clock_range *to;
	struct kept *kept;
	size_t count = 0;

	for (size_t i = 0; !schedule->always_open && i < DAYS; i++)
		count += schedule->days[i].count;
	kept = malloc(sizeof(*kept) + count * sizeof(kept->ranges[0]));
	if (kept == NULL)
		return NULL;
	*kept = (struct kept){.tenant_id = *tenant,
			      .is_available = rules->is_available,
			      .always_open = schedule->always_open,
			      .capacity = rules->capacity};
	to = kept->ranges;
	for (size_t i = 0; !schedule->always_open && i < DAYS; i++) {
		kept->counts[i] = (uint8_t)schedule->days[i].count;
		memcpy(to, schedule->days[i].ranges, schedule->days[i].count * sizeof(*to));
		to += schedule->days[i].count;
	}
	return kept;
}

static void unpack(const struct kept *kept, struct resource_rules *ret)
{
	const struct clock_range *from = kept->ranges;

	ret->is_available = kept->is_available;
	ret->capacity = kept->capacity;
	ret->schedule.always_open = kept->always_open;
	for (size_t i = 0; i < DAYS; i++) {
		ret->schedule.days[i].count = kept->counts[i];
		memcpy(ret->schedule.days[i].ranges, from, kept->counts[i] * sizeof(*from));
		from += kept->counts[i];
	}
}

uint64_t resource_version(const struct ctx *cx, const struct uuid *tenant, bool *ret_shared)
{
	const struct db_port *port = cx->ports[ROOM_resource];

	*ret_shared = db_shared(port);
	return db_version(port, tenant);
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

static enum rc read_rules(struct ctx *cx, const struct uuid *tenant, const struct uuid *id,
			  struct resource_rules *ret)
{
	const struct q_resource_rules_by_id_in in = {.tenant_id = *tenant, .id = *id};
	struct resource_row *row;
	enum rc rc = q_resource_rules_by_id(cx, &in, &row);

	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_RESOURCE_UNKNOWN;
	ret->is_available = row->status == resource_status_disponivel;
	rc = capacity_read(cx, row, &ret->capacity);
	return rc == RC_OK ? schedule_load(cx->arena, row->availability_schedule, &ret->schedule) : rc;
}

static void keep(struct ctx *cx, const struct uuid *tenant, const struct uuid *id, uint64_t version,
		 const struct resource_rules *rules)
{
	const struct resource_local *local = cx->locals[ROOM_resource];
	utime until = db_shared(cx->ports[ROOM_resource]) ? cx->now + local->ttl : UTIME_MAX;
	struct kept *kept = until > cx->now ? pack(tenant, rules) : NULL;

	if (kept == NULL)
		return;
	cache_put(local->rules, id, 0, version, until, kept);
}

enum rc resource_rules(struct ctx *cx, const struct uuid *tenant, const struct uuid *id,
		       struct resource_rules *ret)
{
	const struct resource_local *local = cx->locals[ROOM_resource];
	bool shared;
	uint64_t version = resource_version(cx, tenant, &shared);
	const struct kept *kept = cache_get(local->rules, id, 0, version, cx->now);
	enum rc rc;

	/* What is kept of another tenant's resource is not even known of: the store is asked, as for one that
	 * is not there. */
	if (kept != NULL && uuid_equal(&kept->tenant_id, tenant)) {
		unpack(kept, ret);
		return RC_OK;
	}
	rc = read_rules(cx, tenant, id, ret);
	if (rc == RC_OK)
		keep(cx, tenant, id, version, ret);
	return rc;
}

enum rc resource_tenant_of(struct ctx *cx, const struct uuid *id, struct uuid *ret)
{
	const struct q_resource_tenant_of_in in = {.id = *id};
	struct q_resource_tenant_of_out *row;
	enum rc rc = q_resource_tenant_of(cx, &in, &row);

	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_RESOURCE_UNKNOWN;
	*ret = row->tenant_id;
	return RC_OK;
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
