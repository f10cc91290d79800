/* DELETE /resources/{id} -- the row stays, marked; future bookings are cancelled by resource.deleted. */
#include "http/req.h"
#include "resource/resource.h"

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
		rc = resource_event(&rq->cx, row, STREAM_DELETIONS, "resource.deleted", &event);
	if (rc != RC_OK)
		return rc;

	resource_script(&script, &rq->cx, &row->tenant_id, &row->category_id, RESOURCE_REMOVAL_STEPS);
	removal = resource_add_removal(&script, row, &event);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	return removal->rows.count > 0 ? req_reply_empty(rq, 204) : req_changed_meanwhile(rq);
}
