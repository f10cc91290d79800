/* DELETE /auth/sessions/{id} -- one's own; or, for those who may change users, anyone's of the tenant. */
#include "auth/session.h"

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

static enum rc find(struct req *rq, struct session **ret)
{
	const struct principal *who = &rq->cx.principal;
	struct q_session_by_id_in in = {.id = rq->id, .now = rq->cx.now};
	enum rc rc = tenant_of(rq, &in.tenant_id);

	if (rc == RC_OK)
		rc = q_session_by_id(&rq->cx, &in, ret);
	if (rc != RC_OK)
		return rc;
	if (*ret == NULL ||
	    ((who->rights & RIGHT_USERS) == 0 && !uuid_equal(&(*ret)->user_id, &who->user_id)))
		return RC_SESSION_UNKNOWN;
	return RC_OK;
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
