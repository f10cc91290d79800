/* POST /auth/logout -- this session is over; or every session of this user. */
#include "auth/session.h"

#include "user/queries.h"

/* By the epoch: as many as there are, in one step, and none that is being opened just now is missed. */
static enum rc end_all(struct req *rq)
{
	const struct q_user_by_id_in in = {.tenant_id = rq->cx.principal.tenant_id,
					   .id = rq->cx.principal.user_id};
	struct outbox_row event;
	struct script script;
	struct step *raised;
	struct user *user;
	enum rc rc = q_user_by_id(&rq->cx, &in, &user);

	if (rc == RC_OK && user == NULL)
		return RC_SESSION_UNKNOWN;
	if (rc == RC_OK)
		rc = user_event(&rq->cx, user, STREAM_TENANTS, "user.changed", &event);
	if (rc != RC_OK)
		return rc;
	script_init(&script, &rq->cx, ROOM_user, &user->tenant_id, &user->id);
	raised = SCRIPT_ADD(&script, user_raise_epoch, .tenant_id = user->tenant_id, .id = user->id,
			    .version = user->version, .updated_at = event.created_at,
			    .change_id = event.change_id);
	outbox_add(&script, &q_user_event_query, &event);
	rc = db_write(&script);
	if (rc == RC_OK && raised->rows.count == 0)
		rc = RC_CHANGED_MEANWHILE;
	return rc;
}

static enum rc end_this(struct req *rq)
{
	const struct principal *who = &rq->cx.principal;
	const struct session session = {.tenant_id = who->tenant_id,
					.id = who->session_id,
					.user_id = who->user_id};
	bool done;

	return session_revoke(&rq->cx, &session, &done);
}

enum rc auth_logout(struct req *rq)
{
	enum rc rc;

	/* The operator and API keys have none. */
	if (uuid_is_none(&rq->cx.principal.user_id))
		return RC_SESSION_UNKNOWN;
	rc = BODY(rq, logout)->all ? end_all(rq) : end_this(rq);
	return rc == RC_OK ? req_reply_empty(rq, 204) : rc;
}
