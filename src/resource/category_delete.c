/* DELETE /categories/{id} -- the row stays, marked. Refused while resources are of this category. */
#include "events/outbox.h"
#include "http/req.h"
#include "resource/queries.h"

/* Nothing was removed: because of a resource, or because the row moved? */
static enum rc why_not(struct req *rq, const struct category *row)
{
	const struct q_category_user_in in = {.tenant_id = row->tenant_id, .id = row->id};
	struct q_category_user_out *user;
	enum rc rc = q_category_user(&rq->cx, &in, &user);

	if (rc != RC_OK)
		return rc;
	return user != NULL ? RC_CATEGORY_IN_USE : req_changed_meanwhile(rq);
}

enum rc category_delete(struct req *rq)
{
	struct script script;
	struct step *removal;
	struct category *row;
	enum rc rc = category_find(rq, &row);

	if (rc == RC_OK)
		rc = req_if_match(rq, row->version);
	if (rc != RC_OK)
		return rc;
	resource_script(&script, &rq->cx, &row->tenant_id, &row->id, 1);
	removal = SCRIPT_ADD(&script, category_remove, .tenant_id = row->tenant_id, .id = row->id,
			     .version = row->version, .deleted_at = outbox_time(&rq->cx, row->updated_at));
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	return removal->rows.count > 0 ? req_reply_empty(rq, 204) : why_not(rq, row);
}
