/* GET /auth/providers -- a tenant's identity providers, page by page, by id: as they were registered. */
#include "auth/provider.h"

#include "user/queries.h"

static struct cursor key(const void *row)
{
	return (struct cursor){.id = ((const struct provider *)row)->id};
}

enum rc provider_list(struct req *rq)
{
	const struct provider_filter *filter = QUERY(rq, provider_filter);
	struct q_providers_page_in in = {.after = cursor_from(filter->cursor).id, .limit = PAGE_ROWS(filter)};
	struct provider *rows;
	size_t count;
	enum rc rc = req_tenant(rq, &filter->tenant_id, &in.tenant_id);

	if (rc == RC_OK)
		rc = q_providers_page(&rq->cx, &in, &rows, &count);
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = provider_derive(rq, &rows[i]);
	return rc == RC_OK ? REPLY_LIST(rq, provider, rows, count, filter->limit, key) : rc;
}
