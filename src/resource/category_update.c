/*
 * PUT /categories/{id} -- change what was sent, and nothing else. Its resources are booked by what
 * it says, so this counts as a change of them; their attributes stay as they are until they are next written.
 */
#include "events/payloads.h"
#include "http/req.h"
#include "resource/queries.h"

/* The row as changed, with its event. */
static enum rc store(struct req *rq, struct category *row)
{
	const struct category_ids payload = {.category_id = row->id, .tenant_id = row->tenant_id};
	struct outbox_row event =
		outbox_row(&rq->cx, STREAM_TENANTS, "resource.changed", &row->tenant_id, &row->id);
	struct script script;
	struct step *update;
	enum rc rc;

	if (!outbox_payload(&event, rq->cx.arena, &category_ids_shape, &payload))
		return RC_NO_MEMORY;
	row->updated_at = event.created_at = outbox_time(&rq->cx, row->updated_at);
	row->change_id = event.change_id;
	resource_script(&script, &rq->cx, &row->tenant_id, &row->id, 2);
	update = script_add(&script, &q_category_update_query, row);
	outbox_add(&script, &q_category_event_query, &event);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	if (update->rows.count == 0)
		return req_changed_meanwhile(rq);
	row->version++;
	return RC_OK;
}

enum rc category_update(struct req *rq)
{
	struct category *row;
	enum rc rc = category_find(rq, &row);

	if (rc == RC_OK)
		rc = req_if_match(rq, row->version);
	if (rc != RC_OK)
		return rc;
	SHAPE_COPY(category, row, category_new, BODY(rq, category_new), COPY_SENT);
	rc = category_derive(rq, row);
	if (rc == RC_OK)
		rc = store(rq, row);
	if (rc == RC_OK)
		rc = req_etag(rq, row->version);
	return rc == RC_OK ? REPLY(rq, 200, category, row) : rc;
}
