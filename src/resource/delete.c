/* DELETE /resources/{id} -- the row stays, marked; future bookings are cancelled by resource.deleted. */
#include "http/req.h"
#include "resource/queries.h"

enum rc resource_delete(struct req *rq)
{
	struct outbox_row event;
	struct script script;
	struct step *removal;
	struct resource *row;
	enum rc rc = resource_find(rq, &row);

	if (rc == RC_OK)
		rc = req_if_match(rq, row->version);
	if (rc == RC_OK)
		rc = resource_event(rq, row, STREAM_DELETIONS, "resource.deleted", &event);
	if (rc != RC_OK)
		return rc;

	resource_script(&script, rq, &row->tenant_id, &row->category_id);
	removal = SCRIPT_ADD(&script, resource_remove, .tenant_id = row->tenant_id, .id = row->id,
			     .version = row->version, .deleted_at = event.created_at,
			     .change_id = event.change_id);
	outbox_add(&script, &q_resource_event_query, &event);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	return removal->rows.count > 0 ? req_reply_empty(rq, 204) : req_changed_meanwhile(rq);
}
