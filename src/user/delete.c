/* DELETE /users/{id} -- the row stays, marked; future bookings are cancelled by user.deleted. */
#include "http/req.h"
#include "user/permit.h"
#include "user/user.h"

enum rc user_delete(struct req *rq)
{
	struct outbox_row event;
	struct script script;
	struct step *removal;
	struct user *row;
	enum rc rc = user_find(rq, &row);

	if (rc == RC_OK)
		rc = permit_user_managed(&rq->cx.principal, row);
	if (rc == RC_OK)
		rc = req_if_match(rq, row->version);
	if (rc == RC_OK)
		rc = user_event(&rq->cx, row, STREAM_DELETIONS, "user.deleted", &event);
	if (rc != RC_OK)
		return rc;

	script_init(&script, &rq->cx, ROOM_user, &row->tenant_id, &row->id);
	removal = user_add_removal(&script, row, &event);
	rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	return removal->rows.count > 0 ? req_reply_empty(rq, 204) : req_changed_meanwhile(rq);
}
