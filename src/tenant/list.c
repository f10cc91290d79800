/* GET /tenants/ -- all organisations, page by page, in the order of their creation. */
#include "base/fold.h"
#include "http/req.h"
#include "tenant/queries.h"

static struct cursor key(const void *row)
{
	return (struct cursor){.id = ((const struct tenant *)row)->id};
}

enum rc tenant_list(struct req *rq)
{
	const struct tenant_filter *filter = QUERY(rq, tenant_filter);
	struct q_tenants_page_in in = {
		.after = cursor_from(filter->cursor).id,
		.is_active = HAS(filter, tenant_filter, is_active) ? filter->is_active : INT_NONE,
		.limit = PAGE_ROWS(filter),
	};
	struct tenant *rows;
	size_t count;
	enum rc rc;

	if (filter->search != NULL && (in.pattern = fold_pattern(rq->cx.arena, filter->search)) == NULL)
		return RC_NO_MEMORY;
	rc = q_tenants_page(&rq->cx, &in, &rows, &count);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++)
		rows[i].settings.has = !uuid_is_none(&rows[i].settings.id);
	return REPLY_LIST(rq, tenant, rows, count, filter->limit, key);
}
