/* DELETE /auth/sessions/{id} -- one's own; or that of somebody whom one may change. */
#include "auth/session.h"

#include "user/permit.h"
#include "user/queries.h"

static enum rc tenant_of(struct req *rq, struct uuid *ret)
{
	const struct q_session_tenant_of_in in = {.id = rq->id};
	struct q_session_tenant_of_out *row;
	enum rc rc;

	if (req_own_tenant(rq, ret))
		return RC_OK;
	rc = q_session_tenant_of(&rq->cx, &in, &row);
	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_SESSION_UNKNOWN;
	*ret = row->tenant_id;
	return RC_OK;
}

/* What one may not end is not there. */
static enum rc may_end(struct req *rq, const struct session *session)
{
	const struct q_user_by_id_in by = {.tenant_id = session->tenant_id, .id = session->user_id};
	const struct principal *who = &rq->cx.principal;
	struct user *user;
	enum rc rc;

	if (uuid_equal(&session->user_id, &who->user_id))
		return RC_OK;
	if ((who->rights & RIGHT_USERS) == 0)
		return RC_SESSION_UNKNOWN;
	rc = q_user_by_id(&rq->cx, &by, &user);
	if (rc == RC_OK && (user == NULL || permit_user_managed(who, user) != RC_OK))
		rc = RC_SESSION_UNKNOWN;
	return rc;
}

static enum rc find(struct req *rq, struct session **ret)
{
	struct q_session_by_id_in in = {.id = rq->id, .now = rq->cx.now};
	enum rc rc = tenant_of(rq, &in.tenant_id);

	if (rc == RC_OK)
		rc = q_session_by_id(&rq->cx, &in, ret);
	if (rc != RC_OK)
		return rc;
	return *ret != NULL ? may_end(rq, *ret) : RC_SESSION_UNKNOWN;
}

enum rc session_delete(struct req *rq)
{
	struct session *session;
	bool done = false;
	enum rc rc = find(rq, &session);

	if (rc == RC_OK)
		rc = session_revoke(&rq->cx, session, &done);
	if (rc != RC_OK)
		return rc;
	return done ? req_reply_empty(rq, 204) : RC_SESSION_UNKNOWN;
}
