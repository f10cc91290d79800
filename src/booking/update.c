/*
 * PUT /bookings/{id} -- change what was sent. A new period or resource is checked like a
 * creation; notes and the like can change at any time.
 */
#include "booking/permit.h"
#include "http/req.h"

/* His own booking stays his, and he does not confirm it himself. */
static enum rc permit(const struct principal *who, enum booking_status old, const struct booking *row)
{
	if (!permit_acts_for(who, &row->user_id))
		return RC_FORBIDDEN;
	return row->status != old ? permit_status(who, row->status) : RC_OK;
}

/* The row with the change laid over it. */
static enum rc merge(struct req *rq, const struct tenant_rules *rules, struct booking *row)
{
	const struct booking_new *change = BODY(rq, booking_new);
	enum booking_status old = row->status;
	const char *by;
	enum rc rc;

	SHAPE_COPY(booking, row, booking_new, change, COPY_SENT);
	rc = permit(&rq->cx.principal, old, row);
	if (rc == RC_OK)
		rc = booking_times(rq, rules, change, row);
	if (rc != RC_OK || row->status == old)
		return rc;
	if (!status_may_become(old, row->status))
		return RC_BAD_TRANSITION;
	if (row->status != booking_status_cancelado)
		return RC_OK;
	row->status = old;
	rc = booking_cancelled_by(rq, &by);
	return rc == RC_OK ? booking_mark_cancelled(&rq->cx, row, rules, NULL, by) : rc;
}

/* What the change must satisfy: api.md, section 6. */
static enum rc check(struct req *rq, const struct booking *old, struct booking *row)
{
	bool moved = booking_moved(old, row);
	bool blocks_anew = old->status != row->status && booking_blocks(row->status);
	struct parties parties;
	enum rc rc;

	if (!moved && !blocks_anew)
		return uuid_equal(&old->user_id, &row->user_id) ? RC_OK : booking_check_user(rq, row);
	/* What does not block time has no place in it that could change. */
	if (moved && (!booking_blocks(old->status) || !booking_blocks(row->status)))
		return RC_BAD_TRANSITION;
	rc = parties_find(rq, row, &parties);
	if (rc != RC_OK)
		return rc;
	row->capacity = parties.resource.capacity;
	return booking_check(rq, row, &parties);
}

enum rc booking_update(struct req *rq)
{
	struct tenant_rules rules;
	struct booking *row, old;
	enum rc rc = booking_find_own(rq, &row, &rules);

	if (rc != RC_OK)
		return rc;
	old = *row;
	rc = merge(rq, &rules, row);
	if (rc == RC_OK)
		rc = check(rq, &old, row);
	if (rc == RC_OK)
		rc = booking_store(rq, &old, row);
	return rc == RC_OK ? booking_reply(rq, row, &rules) : rc;
}
