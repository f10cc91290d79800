/* PUT /users/{id} -- change what was sent, and nothing else. */
#include "http/req.h"
#include "user/permit.h"
#include "user/queries.h"

/* The row as changed, with its event. Where what he may do is more, or his address another's, a link to his
 * password that was made before must not lead to that. */
static enum rc store(struct req *rq, struct user *row, bool same_standing)
{
	struct outbox_row event;
	struct script script;
	struct step *update;
	enum rc rc = user_event(&rq->cx, row, STREAM_TENANTS, "user.changed", &event);

	if (rc != RC_OK)
		return rc;
	row->updated_at = event.created_at;
	row->change_id = event.change_id;
	script_init(&script, &rq->cx, ROOM_user, &row->tenant_id, &row->id);
	update = script_add(&script, &q_user_update_query, row);
	outbox_add(&script, &q_user_event_query, &event);
	if (!same_standing)
		SCRIPT_ADD(&script, links_forget, .tenant_id = row->tenant_id, .user_id = row->id);
	rc = db_write(&script);
	if (rc == RC_STORE_CONSTRAINT)
		return RC_EMAIL_TAKEN;
	if (rc != RC_OK)
		return rc;
	if (update->rows.count == 0)
		return req_changed_meanwhile(rq);
	row->version++;
	return RC_OK;
}

enum rc user_update(struct req *rq)
{
	const struct user_new *change = BODY(rq, user_new);
	struct user *row, old;
	enum rc rc = user_find(rq, &row);

	if (rc == RC_OK)
		rc = req_if_match(rq, row->version);
	if (rc != RC_OK)
		return rc;
	old = *row;
	SHAPE_COPY(user, row, user_new, change, COPY_SENT);
	rc = permit_user_change(&rq->cx.principal, &old, row, HAS(change, user_new, password));
	if (rc == RC_OK)
		rc = user_derive(&rq->cx, row);
	if (rc == RC_OK)
		rc = user_set_password(rq, row, change);
	if (rc == RC_OK)
		rc = store(rq, row, permit_same_standing(&old, row));
	if (rc == RC_OK)
		rc = req_etag(rq, row->version);
	return rc == RC_OK ? REPLY(rq, 200, user, row) : rc;
}
