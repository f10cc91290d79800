/* What the booking service's handlers share: shapes, the parties to a booking, the rules as told to a client.
 */
#include "booking/booking.h"

#include "booking/counts.h"
#include "booking/permit.h"
#include "booking/queries.h"
#include "calendar/overlap.h"
#include "calendar/rules.h"
#include "http/req.h"
#include "user/client.h"

/* clang-format off */
ENUM_DEFINE(booking_status, BOOKING_STATUS);
ENUM_DEFINE(frequency, FREQUENCY);
SHAPE_DEFINE(recurring_pattern, RECURRING_PATTERN, .doc = "How a booking recurs.");
SHAPE_DEFINE(booking_new, BOOKING_NEW, .doc = "A booking, as it is asked for.");
SHAPE_DEFINE(booking, BOOKING, .doc = "A booking.");
SHAPE_DEFINE(conflict, CONFLICT, .doc = "A booking that is in the way.");
SHAPE_DEFINE(booking_filter, BOOKING_FILTER);
SHAPE_DEFINE(cancellation, CANCELLATION, .doc = "Why a booking is cancelled.");
SHAPE_DEFINE(cancellation_query, CANCELLATION_QUERY);
SHAPE_DEFINE(status_change, STATUS_CHANGE, .doc = "The new status of a booking.");
SHAPE_DEFINE(status_query, STATUS_QUERY);
/* clang-format on */

/* --- Status --------------------------------------------------------------- */

bool booking_blocks(enum booking_status status)
{
	return status == booking_status_pendente || status == booking_status_confirmado;
}

bool status_may_become(enum booking_status from, enum booking_status to)
{
	static const unsigned moves[booking_status_count] = {
		[booking_status_pendente] = 1u << booking_status_confirmado | 1u << booking_status_cancelado,
		[booking_status_confirmado] = 1u << booking_status_concluido |
					      1u << booking_status_cancelado | 1u << booking_status_sem_dados,
	};

	return moves[from] >> to & 1;
}

bool booking_can_cancel(const struct booking *row, const struct tenant_rules *rules, utime now)
{
	return booking_blocks(row->status) && rules_can_cancel(&rules->policy, row->start_time, now);
}

/* --- Reading -------------------------------------------------------------- */

static enum rc tenant_of(struct req *rq, struct uuid *ret)
{
	const struct q_booking_tenant_of_in in = {.id = rq->id};
	struct q_booking_tenant_of_out *row;
	enum rc rc = q_booking_tenant_of(&rq->cx, &in, &row);

	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_BOOKING_UNKNOWN;
	*ret = row->tenant_id;
	return RC_OK;
}

enum rc booking_find(struct req *rq, struct booking **ret, struct tenant_rules *rules)
{
	struct q_booking_by_id_in in = {.id = rq->id};
	struct booking *row;
	enum rc rc = req_own_tenant(rq, &in.tenant_id) ? RC_OK : tenant_of(rq, &in.tenant_id);

	if (rc == RC_OK)
		rc = q_booking_by_id(&rq->cx, &in, &row);
	if (rc == RC_OK && (row == NULL || !permit_sees(&rq->cx.principal, &row->user_id)))
		rc = RC_BOOKING_UNKNOWN;
	if (rc == RC_OK)
		rc = tenant_rules(&rq->cx, &row->tenant_id, rules);
	if (rc != RC_OK)
		return rc == RC_TENANT_UNKNOWN ? RC_BOOKING_UNKNOWN : rc;
	row->can_cancel = booking_can_cancel(row, rules, rq->cx.now);
	*ret = row;
	return RC_OK;
}

enum rc booking_find_own(struct req *rq, struct booking **ret, struct tenant_rules *rules)
{
	struct booking *row;
	enum rc rc = booking_find(rq, &row, rules);

	if (rc == RC_OK && !permit_acts_for(&rq->cx.principal, &row->user_id))
		rc = RC_FORBIDDEN;
	if (rc == RC_OK)
		rc = req_if_match(rq, row->version);
	if (rc == RC_OK)
		*ret = row;
	return rc;
}

enum rc booking_reply(struct req *rq, struct booking *row, const struct tenant_rules *rules)
{
	enum rc rc = req_etag(rq, row->version);

	row->can_cancel = booking_can_cancel(row, rules, rq->cx.now);
	return rc == RC_OK ? REPLY(rq, 200, booking, row) : rc;
}

/*
 * No such resource or user in this tenant. That there is one in another is told to the operator alone: rule 1
 * of api.md, section 6. Everybody else gets the answer that he gets for an id that never was.
 */
static enum rc absent_or_foreign(struct req *rq, enum rc unknown, const struct uuid *id)
{
	struct uuid tenant;
	enum rc rc = unknown;

	if (req_own_tenant(rq, &tenant))
		return unknown;
	if (unknown == RC_RESOURCE_UNKNOWN)
		rc = resource_tenant_of(&rq->cx, id, &tenant);
	else
		rc = user_tenant_of(&rq->cx, id, &tenant);
	if (rc != RC_OK)
		return rc;
	return unknown == RC_RESOURCE_UNKNOWN ? RC_RESOURCE_NOT_TENANTS : RC_USER_NOT_TENANTS;
}

static enum rc resource_of_tenant(struct req *rq, const struct booking *row, struct resource_rules *ret)
{
	enum rc rc = resource_rules(&rq->cx, &row->tenant_id, &row->resource_id, ret);

	return rc == RC_RESOURCE_UNKNOWN ? absent_or_foreign(rq, rc, &row->resource_id) : rc;
}

enum rc booking_check_user(struct req *rq, const struct booking *row)
{
	struct user_brief user;
	enum rc rc = user_brief(&rq->cx, &row->tenant_id, &row->user_id, &user);

	return rc == RC_USER_UNKNOWN ? absent_or_foreign(rq, rc, &row->user_id) : rc;
}

enum rc parties_find(struct req *rq, const struct booking *row, struct parties *ret)
{
	enum rc rc = tenant_rules(&rq->cx, &row->tenant_id, &ret->tenant), user;

	if (rc == RC_OK)
		rc = resource_of_tenant(rq, row, &ret->resource);
	/* Who is not there at all is told before what is another tenant's. */
	if (rc == RC_OK || rc == RC_RESOURCE_NOT_TENANTS) {
		user = booking_check_user(rq, row);
		rc = rc == RC_OK || user == RC_USER_UNKNOWN ? user : rc;
	}
	if (rc != RC_OK)
		return rc;
	if (!ret->tenant.is_active)
		return RC_TENANT_INACTIVE;
	return ret->resource.is_available ? RC_OK : RC_RESOURCE_UNAVAILABLE;
}

void booking_when(struct req *rq, const struct tenant_rules *rules, const struct loc *loc,
		  struct wire_time when, utime *ret)
{
	if (rules_instant(&rules->policy, when, ret) != RC_OK)
		issue_add(&rq->issues, loc, ISSUE_NO_SUCH_LOCAL, NULL);
}

enum rc booking_times(struct req *rq, const struct tenant_rules *rules, const struct booking_new *sent,
		      struct booking *row)
{
	static const struct loc body = {.name = "body"};
	static const struct loc start = {.up = &body, .name = "start_time"};
	static const struct loc end = {.up = &body, .name = "end_time"};

	if (HAS(sent, booking_new, start_time))
		booking_when(rq, rules, &start, sent->start_time, &row->start_time);
	if (HAS(sent, booking_new, end_time))
		booking_when(rq, rules, &end, sent->end_time, &row->end_time);
	return issues_rc(&rq->issues);
}

/* --- Rules ---------------------------------------------------------------- */

static enum rc conflicts_read(struct req *rq, const struct booking *row)
{
	const struct q_bookings_conflicting_in in = {
		.tenant_id = row->tenant_id,
		.resource_id = row->resource_id,
		.start_time = row->start_time,
		.end_time = row->end_time,
		.except = row->id,
	};
	struct conflict *conflicts;
	size_t count;
	enum rc rc = q_bookings_conflicting(&rq->cx, &in, &conflicts, &count);

	if (rc != RC_OK)
		return rc;
	rq->extra = (struct list){conflicts, count};
	return RC_OK;
}

/* Is there room for it among what is booked now? */
static enum rc room_check(struct req *rq, const struct booking *row)
{
	const struct conflict *conflicts;
	struct busy busy = {.capacity = (int32_t)row->capacity};
	struct span *spans;
	enum rc rc = conflicts_read(rq, row);

	if (rc != RC_OK)
		return rc;
	conflicts = rq->extra.items;
	spans = arena_array(rq->cx.arena, rq->extra.count + 1, sizeof(*spans));
	if (spans == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < rq->extra.count; i++)
		spans[i] = (struct span){conflicts[i].start_time, conflicts[i].end_time};
	busy.spans = spans;
	busy.count = rq->extra.count;
	return overlap_check(rq->cx.arena, &busy, (struct span){row->start_time, row->end_time});
}

static enum rc tell_conflicts(struct req *rq, const struct booking *row)
{
	booking_count(&rq->cx, &row->tenant_id, BOOKINGS_CONFLICTS, 1);
	rq->extra_name = "conflicts";
	rq->extra_shape = &conflict_shape;
	return RC_CONFLICT;
}

enum rc booking_gone(struct ctx *cx, const struct booking *row)
{
	const struct q_gone_among_in in = {.tenant_id = row->tenant_id,
					   .resource_id = row->resource_id,
					   .user_id = row->user_id};
	const struct {
		const struct uuid *id;
		enum rc rc;
	} parties[] = {
		{&row->tenant_id, RC_TENANT_UNKNOWN},
		{&row->resource_id, RC_RESOURCE_UNKNOWN},
		{&row->user_id, RC_USER_UNKNOWN},
	};
	struct q_gone_among_out *gone;
	size_t count;
	enum rc rc = q_gone_among(cx, &in, &gone, &count);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < ARRAY_LEN(parties); i++)
		for (size_t j = 0; j < count; j++)
			if (uuid_equal(&gone[j].id, parties[i].id))
				return parties[i].rc;
	return RC_CHANGED_MEANWHILE;
}

enum rc booking_refused(struct req *rq, const struct booking *row)
{
	enum rc rc = room_check(rq, row);

	if (rc == RC_CONFLICT)
		return tell_conflicts(rq, row);
	/* Whoever was in the way has gone since, it was the row itself that changed, or a party was deleted.
	 */
	return rc == RC_OK ? booking_gone(&rq->cx, row) : rc;
}

/* Off the grid: but a conflict is told first. */
static enum rc off_grid(struct req *rq, const struct booking *row, const struct parties *parties)
{
	enum rc rc = room_check(rq, row);

	if (rc == RC_CONFLICT)
		return tell_conflicts(rq, row);
	return rc == RC_OK ? error_set(&rq->cx, RC_OFF_GRID, parties->tenant.policy.interval_min) : rc;
}

enum rc booking_check(struct req *rq, const struct booking *row, const struct parties *parties)
{
	const struct policy *policy = &parties->tenant.policy;
	struct span period = {row->start_time, row->end_time};
	enum rc rc = rules_check(policy, &parties->resource.schedule, period, rq->cx.now);

	if (rc == RC_TOO_FAR_AHEAD)
		return error_set(&rq->cx, rc, policy->advance_days);
	if (rc == RC_BAD_DURATION)
		return error_set(&rq->cx, rc, policy->interval_min);
	if (rc != RC_OK)
		return rc;
	return rules_on_grid(policy, row->start_time) ? RC_OK : off_grid(rq, row, parties);
}
