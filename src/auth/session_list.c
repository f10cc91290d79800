/* GET /auth/sessions -- where someone is logged in: oneself, or whom one may change. */
#include "auth/session.h"

#include "user/client.h"
#include "user/permit.h"
#include "user/queries.h"

static struct cursor key(const void *row)
{
	return (struct cursor){.id = ((const struct session *)row)->id};
}

/* Addresses and clients of somebody are for whoever may change him, not for all who may see him. */
static enum rc find_other(struct req *rq, const struct uuid *asked, struct q_sessions_page_in *in)
{
	struct q_user_by_id_in by = {.id = *asked};
	struct user *user;
	enum rc rc = RC_OK;

	if (!req_own_tenant(rq, &by.tenant_id))
		rc = user_tenant_of(&rq->cx, asked, &by.tenant_id);
	if (rc == RC_OK)
		rc = q_user_by_id(&rq->cx, &by, &user);
	if (rc == RC_OK && user == NULL)
		rc = RC_USER_UNKNOWN;
	if (rc == RC_OK)
		rc = permit_user_managed(&rq->cx.principal, user);
	in->tenant_id = by.tenant_id;
	in->user_id = *asked;
	return rc;
}

/* Whose sessions. */
static enum rc find_owner(struct req *rq, const struct uuid *asked, struct q_sessions_page_in *in)
{
	const struct principal *who = &rq->cx.principal;

	if (uuid_is_none(asked) || uuid_equal(asked, &who->user_id)) {
		in->tenant_id = who->tenant_id;
		in->user_id = who->user_id;
		return uuid_is_none(&who->user_id) ? RC_USER_UNKNOWN : RC_OK;
	}
	return (who->rights & RIGHT_USERS) != 0 ? find_other(rq, asked, in) : RC_FORBIDDEN;
}

enum rc session_list(struct req *rq)
{
	const struct session_filter *filter = QUERY(rq, session_filter);
	struct q_sessions_page_in in = {.after = cursor_from(filter->cursor).id,
					.now = rq->cx.now,
					.limit = PAGE_ROWS(filter)};
	struct session *rows;
	size_t count;
	enum rc rc = find_owner(rq, &filter->user_id, &in);

	if (rc == RC_OK)
		rc = q_sessions_page(&rq->cx, &in, &rows, &count);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++)
		rows[i].current = uuid_equal(&rows[i].id, &rq->cx.principal.session_id);
	return REPLY_LIST(rq, session, rows, count, filter->limit, key);
}
