/*
 * See client.h. One query, here or asked of who has it, kept for as long as the store's version of the tenant
 * stands; and not for longer than CACHE_TTL_SECONDS where another process may change what this one only hears
 * of. Zones stay open once they are: there are some 600 names, and no request may read a file.
 */
#include "tenant/client.h"

#include "base/cache.h"
#include "base/config.h"
#include "calendar/zone.h"
#include "tenant/queries.h"

#include <stdio.h>
#include <stdlib.h>

#define CACHED_TENANTS 1024
#define ZONES_MAX      700

struct open_zone {
	char name[65];
	struct zone *zone;
};

struct local {
	struct cache *rules;
	utime ttl;
	struct tenant_row defaults;
	size_t zone_count;
	struct open_zone zones[ZONES_MAX];
};

static enum rc zone_kept(struct local *local, const char *name, const struct open_zone **ret)
{
	struct open_zone *open;
	enum rc rc;

	for (size_t i = 0; i < local->zone_count; i++) {
		if (strcmp(local->zones[i].name, name) == 0) {
			*ret = &local->zones[i];
			return RC_OK;
		}
	}
	if (local->zone_count == ZONES_MAX || strlen(name) >= sizeof(open->name))
		return RC_INTERNAL;
	open = &local->zones[local->zone_count];
	rc = zone_open(name, &open->zone);
	if (rc != RC_OK) /* stored, so it was good once: the machine's tz database has lost it */
		return RC_SETTINGS_DOWN;
	memcpy(open->name, name, strlen(name) + 1);
	local->zone_count++;
	*ret = open;
	return RC_OK;
}

static enum rc compile(struct local *local, const struct tenant_row *row, struct tenant_rules *ret)
{
	const struct open_zone *open;
	enum rc rc = zone_kept(local, row->timezone, &open);

	if (rc != RC_OK)
		return rc;
	*ret = (struct tenant_rules){
		.policy =
			{
				.zone = open->zone,
				.hours = {(int32_t)row->working_hours_start, (int32_t)row->working_hours_end},
				.interval_min = (int32_t)row->booking_interval,
				.advance_days = (int32_t)row->advance_booking_days,
				.cancellation_hours = (int32_t)row->cancellation_hours,
				.auto_confirm = row->auto_confirm,
			},
		.timezone = open->name,
		.is_active = row->is_active,
		.self_signup = row->self_signup,
	};
	return RC_OK;
}

/* What a question for one tenant came to. */
static enum rc found(enum rc rc, const void *row)
{
	if (rc == RC_STORE_DOWN)
		return RC_SETTINGS_DOWN;
	return rc == RC_OK && row == NULL ? RC_TENANT_UNKNOWN : rc;
}

static enum rc read_rules(struct ctx *cx, const struct uuid *tenant_id, struct tenant_rules *ret)
{
	const struct q_tenant_rules_by_id_in in = {.id = *tenant_id};
	struct local *local = cx->locals[ROOM_tenant];
	struct tenant_row *row = NULL;
	enum rc rc = q_tenant_rules_by_id(cx, &in, &row);

	rc = found(rc, row);
	if (rc != RC_OK)
		return rc;
	if (row->timezone == NULL) {
		bool is_active = row->is_active;

		*row = local->defaults;
		row->is_active = is_active;
	}
	return compile(local, row, ret);
}

static void keep(struct ctx *cx, const struct uuid *tenant_id, uint64_t version,
		 const struct tenant_rules *rules)
{
	struct local *local = cx->locals[ROOM_tenant];
	utime until = db_shared(cx->ports[ROOM_tenant]) ? cx->now + local->ttl : UTIME_MAX;
	struct tenant_rules *kept = until > cx->now ? malloc(sizeof(*kept)) : NULL;

	if (kept == NULL)
		return;
	*kept = *rules;
	cache_put(local->rules, tenant_id, 0, version, until, kept);
}

/* Without a tenant service, which another process would run, there are no rules but the defaults. */
static bool unconfigured(const struct ctx *cx)
{
	return cx->ports[ROOM_tenant] == NULL;
}

static enum rc default_rules(struct ctx *cx, struct tenant_rules *ret)
{
	struct local *local = cx->locals[ROOM_tenant];
	struct tenant_row row = local->defaults;

	row.is_active = true;
	return compile(local, &row, ret);
}

/* The service does not answer: the rules as they were last known, however long ago. */
static enum rc last_known(struct ctx *cx, const struct uuid *tenant_id, struct tenant_rules *ret)
{
	const struct local *local = cx->locals[ROOM_tenant];
	const struct tenant_rules *kept = cache_stale(local->rules, tenant_id, 0);

	if (kept == NULL)
		return RC_SETTINGS_DOWN;
	*ret = *kept;
	return RC_OK;
}

enum rc tenant_rules(struct ctx *cx, const struct uuid *tenant_id, struct tenant_rules *ret)
{
	const struct local *local = cx->locals[ROOM_tenant];
	const struct tenant_rules *kept;
	uint64_t version;
	enum rc rc;

	if (unconfigured(cx))
		return default_rules(cx, ret);
	version = db_version(cx->ports[ROOM_tenant], tenant_id);
	kept = cache_get(local->rules, tenant_id, 0, version, cx->now);
	if (kept != NULL) {
		*ret = *kept;
		return RC_OK;
	}
	rc = read_rules(cx, tenant_id, ret);
	if (rc == RC_OK)
		keep(cx, tenant_id, version, ret);
	if (rc == RC_SETTINGS_DOWN && db_elsewhere(cx->ports[ROOM_tenant]) != NULL)
		return last_known(cx, tenant_id, ret);
	return rc;
}

enum rc tenant_of_domain(struct ctx *cx, const char *domain, struct uuid *ret)
{
	const struct q_tenant_of_domain_in in = {.domain = domain};
	struct q_tenant_of_domain_out *row = NULL;
	enum rc rc = unconfigured(cx) ? RC_TENANT_UNKNOWN : q_tenant_of_domain(cx, &in, &row);

	rc = found(rc, row);
	if (rc == RC_OK)
		*ret = row->id;
	return rc;
}

enum rc tenant_name(struct ctx *cx, const struct uuid *tenant_id, const char **ret)
{
	const struct q_tenant_name_by_id_in in = {.id = *tenant_id};
	struct q_tenant_name_by_id_out *row = NULL;
	enum rc rc = unconfigured(cx) ? RC_TENANT_UNKNOWN : q_tenant_name_by_id(cx, &in, &row);

	rc = found(rc, row);
	if (rc == RC_OK)
		*ret = row->name;
	return rc;
}

uint64_t tenant_version(const struct ctx *cx, const struct uuid *tenant_id, bool *ret_shared)
{
	const struct db_port *port = cx->ports[ROOM_tenant];

	if (unconfigured(cx)) {
		*ret_shared = false;
		return 0;
	}
	*ret_shared = db_shared(port);
	return db_version(port, tenant_id);
}

static bool defaults_read(struct local *local, const struct config *config)
{
	const struct open_zone *zone;
	int32_t open, close;

	if (!utime_parse_clock(str_from(config->default_open), &open) ||
	    !utime_parse_clock(str_from(config->default_close), &close) || open >= close) {
		fprintf(stderr, "marca: DEFAULT_WORKING_HOURS_START and _END must be HH:MM, the first before "
				"the second\n");
		return false;
	}
	if (zone_kept(local, config->default_timezone, &zone) != RC_OK) {
		fprintf(stderr,
			"marca: DEFAULT_TIMEZONE=%s: must be an IANA name, such as America/Sao_Paulo\n",
			config->default_timezone);
		return false;
	}
	local->defaults = (struct tenant_row){
		.timezone = config->default_timezone,
		.working_hours_start = open,
		.working_hours_end = close,
		.booking_interval = config->default_interval,
		.advance_booking_days = config->default_advance,
		.cancellation_hours = config->default_cancellation,
	};
	return true;
}

void *tenant_local_create(const struct config *config, void *shared)
{
	struct local *local = calloc(1, sizeof(*local));

	(void)shared;
	if (local == NULL)
		return NULL;
	local->ttl = config->cache_ttl * UTIME_SECOND;
	local->rules = cache_create(CACHED_TENANTS, free);
	if (local->rules == NULL || !defaults_read(local, config)) {
		tenant_local_destroy(local);
		return NULL;
	}
	return local;
}

void tenant_local_destroy(void *arg)
{
	struct local *local = arg;

	if (local == NULL)
		return;
	for (size_t i = 0; i < local->zone_count; i++)
		zone_close(local->zones[i].zone);
	cache_destroy(local->rules);
	free(local);
}
