/* GET /resources/ -- of a tenant, page by page, by id: as they were created. */
#include "base/fold.h"
#include "http/req.h"
#include "resource/queries.h"

static struct cursor key(const void *row)
{
	return (struct cursor){.id = ((const struct resource *)row)->id};
}

enum rc resource_list(struct req *rq)
{
	const struct resource_filter *filter = QUERY(rq, resource_filter);
	struct q_resources_page_in in = {
		.after = cursor_from(filter->cursor).id,
		.category_id = filter->category_id,
		.limit = PAGE_ROWS(filter),
	};
	struct resource *rows;
	size_t count;
	enum rc rc = req_tenant(rq, &filter->tenant_id, &in.tenant_id);

	if (rc != RC_OK)
		return rc;
	if (HAS(filter, resource_filter, status))
		in.status = resource_status_names.text[filter->status];
	if (filter->search != NULL && (in.pattern = fold_pattern(rq->cx.arena, filter->search)) == NULL)
		return RC_NO_MEMORY;
	rc = q_resources_page(&rq->cx, &in, &rows, &count);
	return rc == RC_OK ? REPLY_LIST(rq, resource, rows, count, filter->limit, key) : rc;
}
