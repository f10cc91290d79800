/* DELETE /auth/providers/{id} -- nobody logs in by it any more; whoever has, stays. */
#include "auth/provider.h"

#include "user/queries.h"

enum rc provider_delete(struct req *rq)
{
	struct outbox_row event;
	struct script script;
	struct step *removal;
	struct provider *row;
	enum rc rc = provider_find(rq, &row);

	if (rc == RC_OK)
		rc = req_if_match(rq, row->version);
	if (rc == RC_OK)
		rc = provider_event(&rq->cx, row, "provider.deleted", &event);
	if (rc != RC_OK)
		return rc;
	script_init(&script, &rq->cx, ROOM_user, &row->tenant_id, &row->id);
	removal = SCRIPT_ADD(&script, provider_remove, .tenant_id = row->tenant_id, .id = row->id,
			     .version = row->version, .deleted_at = event.created_at,
			     .change_id = event.change_id);
	outbox_add(&script, &q_provider_event_query, &event);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	return removal->rows.count > 0 ? req_reply_empty(rq, 204) : req_changed_meanwhile(rq);
}
