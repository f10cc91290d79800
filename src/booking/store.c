/* How a changed booking is written: one script for every kind of change, with the events that follow from it.
 */
#include "booking/counts.h"
#include "booking/queries.h"
#include "http/req.h"

bool booking_moved(const struct booking *old, const struct booking *row)
{
	return old->start_time != row->start_time || old->end_time != row->end_time ||
	       !uuid_equal(&old->resource_id, &row->resource_id);
}

/* Also where it stands already, when it was checked like a creation: the category may share no longer. */
static bool needs_room(const struct booking *old, const struct booking *row)
{
	return booking_moved(old, row) ||
	       (row->capacity > 0 && old->status != row->status && booking_blocks(row->status));
}

static const struct query *update_query(const struct booking *old, const struct booking *row)
{
	if (!needs_room(old, row))
		return &q_booking_update_query;
	return row->capacity > 1 ? &q_booking_move_shared_query : &q_booking_move_query;
}

struct step *booking_script(struct script *script, struct ctx *cx, const struct booking *row, bool fresh)
{
	script_init(script, cx, ROOM_booking, &row->tenant_id, &row->resource_id);
	if (fresh)
		SCRIPT_ADD(script, resource_lock_open, .tenant_id = row->tenant_id,
			   .resource_id = row->resource_id);
	return SCRIPT_ADD(script, resource_lock, .tenant_id = row->tenant_id,
			  .resource_id = row->resource_id);
}

bool booking_lock_is_fresh(const struct step *lock)
{
	return q_resource_lock_rows(lock)->version == 0;
}

enum rc booking_add_change(struct script *script, const struct booking *old, struct booking *row,
			   struct step **ret)
{
	struct booking_events events;
	enum rc rc;

	*ret = NULL;
	row->updated_at = outbox_time(script->cx, old->updated_at);
	rc = booking_events_of(script->cx, old, row, &events);
	if (rc != RC_OK)
		return rc;
	if (events.count == 0) {
		row->updated_at = old->updated_at;
		return RC_OK;
	}
	row->change_id = events.rows[0].change_id;
	*ret = script_add(script, update_query(old, row), row);
	for (size_t i = 0; i < events.count; i++)
		outbox_add(script, &q_booking_event_query, &events.rows[i]);
	return *ret != NULL ? RC_OK : RC_NO_MEMORY;
}

/* No row was changed. */
static enum rc why_not(struct req *rq, const struct booking *old, const struct booking *row)
{
	enum rc rc = RC_CHANGED_MEANWHILE;

	if (needs_room(old, row))
		return booking_refused(rq, row);
	if (!uuid_equal(&old->user_id, &row->user_id))
		rc = booking_gone(&rq->cx, row);
	return rc == RC_CHANGED_MEANWHILE ? req_changed_meanwhile(rq) : rc;
}

enum rc booking_store(struct req *rq, const struct booking *old, struct booking *row)
{
	struct step *lock, *update;
	struct script script;
	bool fresh = false;
	enum rc rc;

	do {
		lock = booking_script(&script, &rq->cx, row, fresh);
		script.also = old->resource_id;
		rc = booking_add_change(&script, old, row, &update);
		if (rc != RC_OK || update == NULL)
			return rc;
		rc = db_write(&script);
		fresh = rc == RC_OK && update->rows.count == 0 && booking_lock_is_fresh(lock);
	} while (fresh);
	if (rc != RC_OK)
		return rc;
	if (update->rows.count == 0)
		return why_not(rq, old, row);
	if (old->status != row->status && row->status == booking_status_cancelado)
		booking_count(&rq->cx, &row->tenant_id, BOOKINGS_CANCELLED, 1);
	row->version++;
	return RC_OK;
}
