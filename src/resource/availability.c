/*
 * GET /resources/{id}/availability?data=YYYY-MM-DD -- what can still be booked on a local day.
 *
 * A finished answer is kept and sent again, without a query, for as long as nothing that it was made from has
 * moved: the resource's bookings, the tenant's rules, the tenant's resources, and the clock up to the instant
 * at which an offered slot begins or the day ends.
 */
#include "booking/client.h"
#include "calendar/rules.h"
#include "calendar/slots.h"
#include "http/req.h"
#include "resource/local.h"
#include "tenant/client.h"

#include <stdlib.h>

#define KEPT_BODY_MAX 16384 /* with CACHED_DAYS of them, what a thread keeps at most; 197 slots */

/* Each sampled before what it stands for was read: a change in between makes an answer stale, not false. */
struct versions {
	uint64_t bookings, tenant, resource;
	bool shared; /* other processes write: nothing can be told */
};

struct kept_day {
	struct uuid tenant_id;
	struct versions versions;
	utime from; /* the clock may be set back: an answer says nothing of the time before it was made */
	size_t len;
	char body[];
};

struct day {
	struct uuid tenant_id;
	int64_t date;
	struct resource_rules resource;
	struct tenant_rules tenant;
	struct versions versions;
	struct spans slots;
};

/* --- Kept answers ----------------------------------------------------------- */

static bool still_good(const struct ctx *cx, const struct uuid *resource_id, const struct kept_day *kept)
{
	const struct versions *then = &kept->versions;
	bool shared; /* never, of what was kept */

	return kept->from <= cx->now && then->bookings == booking_version(cx, resource_id, &shared) &&
	       then->tenant == tenant_version(cx, &kept->tenant_id, &shared) &&
	       then->resource == resource_version(cx, &kept->tenant_id, &shared);
}

/* By the resource alone: but only who belongs to its tenant, and the operator, is shown it. */
static const struct kept_day *find_kept(struct req *rq, int64_t date)
{
	const struct resource_local *local = rq->cx.locals[ROOM_resource];
	const struct kept_day *kept = cache_get(local->days, &rq->id, (uint64_t)date, 0, rq->cx.now);
	struct uuid own;

	if (kept != NULL && req_own_tenant(rq, &own) && !uuid_equal(&own, &kept->tenant_id))
		return NULL;
	return kept != NULL && still_good(&rq->cx, &rq->id, kept) ? kept : NULL;
}

static void keep(struct req *rq, const struct day *day, struct str body)
{
	const struct resource_local *local = rq->cx.locals[ROOM_resource];
	utime until = hours_instant(day->tenant.policy.zone, day->date + 1, 0);
	struct kept_day *kept;

	if (day->versions.shared || body.len > KEPT_BODY_MAX)
		return;
	kept = malloc(sizeof(*kept) + body.len);
	if (kept == NULL)
		return;
	*kept = (struct kept_day){
		.tenant_id = day->tenant_id,
		.versions = day->versions,
		.from = rq->cx.now,
		.len = body.len,
	};
	if (day->slots.count > 0 && day->slots.items[0].start < until)
		until = day->slots.items[0].start;
	memcpy(kept->body, body.p, body.len);
	cache_put(local->days, &rq->id, (uint64_t)day->date, 0, until, kept);
}

/* --- A new answer ------------------------------------------------------------- */

/* An inactive tenant takes no bookings, and so offers nothing. */
static enum rc find_slots(struct req *rq, struct day *day)
{
	const struct span window = hours_working(&day->tenant.policy, day->date);
	struct busy busy = {.capacity = day->resource.capacity};
	struct spans booked = {0};
	bool shared;
	enum rc rc;

	day->slots = (struct spans){0};
	if (!day->tenant.is_active)
		return RC_OK;
	day->versions.bookings = booking_version(&rq->cx, &rq->id, &shared);
	day->versions.shared |= shared;
	rc = booking_busy(&rq->cx, &day->tenant_id, &rq->id, window, &booked);
	if (rc != RC_OK)
		return rc;
	busy.spans = booked.items;
	busy.count = booked.count;
	return slots_of_day(rq->cx.arena, &day->tenant.policy, &day->resource.schedule, day->date, &busy,
			    rq->cx.now, &day->slots);
}

static enum rc find_day(struct req *rq, bool dated, struct day *day)
{
	bool shared;
	enum rc rc = resource_tenant(rq, &day->tenant_id);

	if (rc != RC_OK)
		return rc;
	day->versions.resource = resource_version(&rq->cx, &day->tenant_id, &day->versions.shared);
	rc = resource_rules(&rq->cx, &day->tenant_id, &rq->id, &day->resource);
	if (rc != RC_OK)
		return rc;
	if (!dated)
		return RC_BAD_DATE;
	if (!day->resource.is_available)
		return RC_RESOURCE_UNAVAILABLE;
	day->versions.bookings = 0;
	day->versions.tenant = tenant_version(&rq->cx, &day->tenant_id, &shared);
	day->versions.shared |= shared;
	rc = tenant_rules(&rq->cx, &day->tenant_id, &day->tenant);
	if (rc != RC_OK)
		return rc;
	rc = rules_check_date(&day->tenant.policy, day->date, rq->cx.now);
	if (rc == RC_DATE_TOO_FAR)
		return error_set(&rq->cx, rc, day->tenant.policy.advance_days);
	return rc == RC_OK ? find_slots(rq, day) : rc;
}

static enum rc list_slots(struct req *rq, const struct day *day, struct list *ret)
{
	const struct zone *zone = day->tenant.policy.zone;
	struct slot *slots = arena_array(rq->cx.arena, day->slots.count + 1, sizeof(*slots));

	if (slots == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < day->slots.count; i++) {
		const struct span *span = &day->slots.items[i];

		slots[i].start_time = (struct local_time){span->start, zone_offset(zone, span->start)};
		slots[i].end_time = (struct local_time){span->end, zone_offset(zone, span->end)};
	}
	*ret = (struct list){slots, day->slots.count};
	return RC_OK;
}

static enum rc reply(struct req *rq, const struct day *day)
{
	char date[DATE_TEXT_MAX];
	struct availability body = {
		.resource_id = rq->id,
		.tenant_id = day->tenant_id,
		.date = date,
		.timezone = day->tenant.timezone,
	};
	struct writer writer;
	struct str text;
	enum rc rc = list_slots(rq, day, &body.slots);

	if (rc != RC_OK)
		return rc;
	utime_date_text(date, day->date);
	writer_init(&writer, rq->cx.arena, 256 + body.slots.count * 96);
	write_shape(&writer, &availability_shape, &body);
	if (!writer_take(&writer, &text))
		return RC_NO_MEMORY;
	keep(rq, day, text);
	return req_reply_ready(rq, 200, &availability_shape, text);
}

enum rc resource_availability(struct req *rq)
{
	const struct availability_query *query = QUERY(rq, availability_query);
	const struct kept_day *kept;
	struct day day;
	bool dated = query->data != NULL && utime_parse_date(str_from(query->data), &day.date);
	enum rc rc;

	kept = dated ? find_kept(rq, day.date) : NULL;
	if (kept != NULL)
		return req_reply_ready(rq, 200, &availability_shape, (struct str){kept->body, kept->len});
	rc = find_day(rq, dated, &day);
	return rc == RC_OK ? reply(rq, &day) : rc;
}
