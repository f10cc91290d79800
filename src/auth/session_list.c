/* GET /auth/sessions -- where someone is logged in: oneself, or for those who may change users anyone of the
 * tenant. */
#include "auth/session.h"

#include "user/client.h"
#include "user/queries.h"

static struct cursor key(const void *row)
{
	return (struct cursor){.id = ((const struct session *)row)->id};
}

/* Whose sessions. */
static enum rc find_owner(struct req *rq, const struct uuid *asked, struct q_sessions_page_in *in)
{
	const struct principal *who = &rq->cx.principal;
	struct user_brief user;
	enum rc rc = RC_OK;

	if (uuid_is_none(asked) || uuid_equal(asked, &who->user_id)) {
		in->tenant_id = who->tenant_id;
		in->user_id = who->user_id;
		return uuid_is_none(&who->user_id) ? RC_USER_UNKNOWN : RC_OK;
	}
	if ((who->rights & RIGHT_USERS) == 0)
		return RC_FORBIDDEN;
	if (!req_own_tenant(rq, &in->tenant_id))
		rc = user_tenant_of(&rq->cx, asked, &in->tenant_id);
	if (rc == RC_OK)
		rc = user_brief(&rq->cx, &in->tenant_id, asked, &user);
	in->user_id = *asked;
	return rc;
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
