/* How a changed booking is written: one script for every kind of change, with the events that follow from it.
 */
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

enum rc booking_store(struct req *rq, const struct booking *old, struct booking *row)
{
	struct booking_events events;
	struct script script;
	struct step *update;
	enum rc rc;

	row->updated_at = outbox_time(&rq->cx, old->updated_at);
	rc = booking_events_of(&rq->cx, old, row, &events);
	if (rc != RC_OK)
		return rc;
	if (events.count == 0) {
		row->updated_at = old->updated_at;
		return RC_OK;
	}
	row->change_id = events.rows[0].change_id;

	script_init(&script, &rq->cx, ROOM_booking, &row->tenant_id, &row->resource_id);
	script.also = old->resource_id;
	SCRIPT_ADD(&script, resource_lock, .tenant_id = row->tenant_id, .resource_id = row->resource_id);
	update = script_add(&script, update_query(old, row), row);
	for (size_t i = 0; i < events.count; i++)
		outbox_add(&script, &q_booking_event_query, &events.rows[i]);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	if (update->rows.count == 0)
		return needs_room(old, row) ? booking_conflict(rq, row) : req_changed_meanwhile(rq);
	row->version++;
	return RC_OK;
}
