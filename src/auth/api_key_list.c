/* GET /auth/api-keys -- a tenant's keys, page by page, by id: as they were made. */
#include "auth/api_key.h"

#include "user/queries.h"

static struct cursor key(const void *row)
{
	return (struct cursor){.id = ((const struct api_key *)row)->id};
}

enum rc api_key_list(struct req *rq)
{
	const struct api_key_filter *filter = QUERY(rq, api_key_filter);
	struct q_api_keys_page_in in = {.after = cursor_from(filter->cursor).id, .limit = PAGE_ROWS(filter)};
	struct api_key *rows;
	size_t count;
	enum rc rc = req_tenant(rq, &filter->tenant_id, &in.tenant_id);

	if (rc == RC_OK)
		rc = q_api_keys_page(&rq->cx, &in, &rows, &count);
	for (size_t i = 0; rc == RC_OK && i < count; i++) {
		rows[i].prefix = api_key_prefix(rq->cx.arena, &rows[i].id);
		rc = rows[i].prefix != NULL ? RC_OK : RC_NO_MEMORY;
	}
	return rc == RC_OK ? REPLY_LIST(rq, api_key, rows, count, filter->limit, key) : rc;
}
