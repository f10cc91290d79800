/* GET /users/ -- the people of a tenant, page by page, by id: as they were created. */
#include "base/fold.h"
#include "http/req.h"
#include "user/queries.h"

static struct cursor key(const void *row)
{
	return (struct cursor){.id = ((const struct user *)row)->id};
}

enum rc user_list(struct req *rq)
{
	const struct user_filter *filter = QUERY(rq, user_filter);
	struct q_users_page_in in = {
		.after = cursor_from(filter->cursor).id,
		.is_active = HAS(filter, user_filter, is_active) ? filter->is_active : INT_NONE,
		.limit = PAGE_ROWS(filter),
	};
	struct user *rows;
	size_t count;
	enum rc rc = req_tenant(rq, &filter->tenant_id, &in.tenant_id);

	if (rc != RC_OK)
		return rc;
	if (HAS(filter, user_filter, user_type))
		in.user_type = user_type_names.text[filter->user_type];
	if (filter->search != NULL && (in.pattern = fold_pattern(rq->cx.arena, filter->search)) == NULL)
		return RC_NO_MEMORY;
	rc = q_users_page(&rq->cx, &in, &rows, &count);
	return rc == RC_OK ? REPLY_LIST(rq, user, rows, count, filter->limit, key) : rc;
}
