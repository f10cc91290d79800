/* PATCH and DELETE /bookings/{id}/cancel -- the row stays, its time is free at once. */
#include "booking/booking.h"
#include "calendar/rules.h"
#include "http/req.h"

void booking_set_cancelled(struct booking *row, const char *reason, const char *by, utime now)
{
	row->status = booking_status_cancelado;
	row->cancellation_reason = reason;
	row->cancelled_by = by;
	row->cancelled_at = now;
}

enum rc booking_mark_cancelled(struct ctx *cx, struct booking *row, const struct tenant_rules *rules,
			       const char *reason, const char *by)
{
	if (!status_may_become(row->status, booking_status_cancelado))
		return RC_BAD_TRANSITION;
	if (!rules_can_cancel(&rules->policy, row->start_time, cx->now))
		return error_set(cx, RC_CANCEL_TOO_LATE, rules->policy.cancellation_hours);
	booking_set_cancelled(row, reason, by, cx->now);
	return RC_OK;
}

enum rc booking_cancelled_by(const struct req *rq, const char **ret)
{
	const struct principal *who = &rq->cx.principal;
	char id[UUID_TEXT_LEN + 1];
	const char *by;

	if (uuid_is_none(&who->session_id)) {
		*ret = NULL;
		return RC_OK;
	}
	if (who->role == ROLE_OPERATOR)
		by = "operator";
	else if (uuid_is_none(&who->user_id))
		by = arena_printf(rq->cx.arena, "api_key:%s", uuid_text(id, &who->session_id));
	else
		by = arena_text(rq->cx.arena, str_from(uuid_text(id, &who->user_id)));
	*ret = by;
	return by != NULL ? RC_OK : RC_NO_MEMORY;
}

static enum rc cancel(struct req *rq, struct booking **ret, struct tenant_rules *rules)
{
	struct booking *row, old;
	const char *by;
	enum rc rc = booking_find_own(rq, &row, rules);

	if (rc != RC_OK)
		return rc;
	old = *row;
	rc = booking_cancelled_by(rq, &by);
	if (rc == RC_OK)
		rc = booking_mark_cancelled(&rq->cx, row, rules, BODY(rq, cancellation)->reason,
					    by != NULL ? by : QUERY(rq, cancellation_query)->cancelled_by);
	*ret = row;
	return rc == RC_OK ? booking_store(rq, &old, row) : rc;
}

enum rc booking_cancel(struct req *rq)
{
	struct tenant_rules rules;
	struct booking *row;
	enum rc rc = cancel(rq, &row, &rules);

	return rc == RC_OK ? booking_reply(rq, row, &rules) : rc;
}

enum rc booking_cancel_quietly(struct req *rq)
{
	struct tenant_rules rules;
	struct booking *row;
	enum rc rc = cancel(rq, &row, &rules);

	return rc == RC_OK ? req_reply_empty(rq, 204) : rc;
}
