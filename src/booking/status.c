/* PATCH /bookings/{id}/status -- confirm, complete, or cancel, as the moves of booking.c allow. */
#include "booking/permit.h"
#include "http/req.h"

enum rc booking_set_status(struct req *rq)
{
	const struct status_query *query = QUERY(rq, status_query);
	const struct status_change *body = BODY(rq, status_change);
	bool in_query = HAS(query, status_query, status_param);
	enum booking_status wanted = in_query ? query->status_param : body->status;
	struct tenant_rules rules;
	struct booking *row, old;
	const char *by;
	enum rc rc;

	if (!in_query && !HAS(body, status_change, status))
		return req_invalid(rq, "status", ISSUE_MISSING);
	rc = permit_status(&rq->cx.principal, wanted);
	if (rc == RC_OK)
		rc = booking_find_own(rq, &row, &rules);
	if (rc == RC_OK)
		rc = booking_cancelled_by(rq, &by);
	if (rc != RC_OK)
		return rc;
	old = *row;
	if (wanted == booking_status_cancelado)
		rc = booking_mark_cancelled(&rq->cx, row, &rules, NULL, by);
	else
		rc = status_may_become(row->status, wanted) ? RC_OK : RC_BAD_TRANSITION;
	if (rc != RC_OK)
		return rc;
	row->status = wanted;
	rc = booking_store(rq, &old, row);
	return rc == RC_OK ? booking_reply(rq, row, &rules) : rc;
}
