/* DELETE /tenants/{id} -- the row stays, marked; its users, resources and bookings follow by tenant.deleted.
 */
#include "events/outbox.h"
#include "events/payloads.h"
#include "http/req.h"
#include "tenant/queries.h"

enum rc tenant_delete(struct req *rq)
{
	const struct tenant_ids payload = {.tenant_id = rq->id};
	struct outbox_row event = outbox_row(&rq->cx, STREAM_DELETIONS, "tenant.deleted", &rq->id, &rq->id);
	struct script script;
	struct step *removal;
	struct tenant *row;
	enum rc rc = tenant_find(rq, &row);

	if (rc == RC_OK)
		rc = req_if_match(rq, row->version);
	if (rc != RC_OK)
		return rc;
	event.created_at = outbox_time(&rq->cx, row->updated_at);
	if (!outbox_payload(&event, rq->cx.arena, &tenant_ids_shape, &payload))
		return RC_NO_MEMORY;

	script_init(&script, &rq->cx, ROOM_tenant, &row->id, &row->id);
	removal = SCRIPT_ADD(&script, tenant_remove, .id = row->id, .version = row->version,
			     .deleted_at = event.created_at, .change_id = event.change_id);
	outbox_add(&script, &q_tenant_event_query, &event);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	return removal->rows.count > 0 ? req_reply_empty(rq, 204) : req_changed_meanwhile(rq);
}
