/* GET /categories/ -- of a tenant, page by page, by id: as they were created. */
#include "base/fold.h"
#include "http/req.h"
#include "resource/queries.h"

static struct cursor key(const void *row)
{
	return (struct cursor){.id = ((const struct category *)row)->id};
}

enum rc category_list(struct req *rq)
{
	const struct category_filter *filter = QUERY(rq, category_filter);
	struct q_categories_page_in in = {
		.after = cursor_from(filter->cursor).id,
		.is_active = HAS(filter, category_filter, is_active) ? filter->is_active : INT_NONE,
		.limit = PAGE_ROWS(filter),
	};
	struct category *rows;
	size_t count;
	enum rc rc = req_tenant(rq, &filter->tenant_id, &in.tenant_id);

	if (rc != RC_OK)
		return rc;
	if (HAS(filter, category_filter, type))
		in.type = category_type_names.text[filter->type];
	if (filter->search != NULL && (in.pattern = fold_pattern(rq->cx.arena, filter->search)) == NULL)
		return RC_NO_MEMORY;
	rc = q_categories_page(&rq->cx, &in, &rows, &count);
	return rc == RC_OK ? REPLY_LIST(rq, category, rows, count, filter->limit, key) : rc;
}
