/* See verify.h. */
#include "audit/verify.h"

#include "audit/queries.h"

#define PAGE_MAX 500 /* rows held at once */

/* --- Which tenants ---------------------------------------------------------------- */

static void take_first(const struct uuid *id, struct uuid *ret, bool *ret_found)
{
	if (!*ret_found || memcmp(id->b, ret->b, sizeof(id->b)) < 0)
		*ret = *id;
	*ret_found = true;
}

/* A head without rows is as suspect as rows without a head. */
enum rc verify_next_tenant(struct ctx *cx, const struct uuid *from, struct uuid *ret, bool *ret_found)
{
	const struct q_audit_next_head_in of_heads = {.from = *from};
	const struct q_audit_next_chain_in of_rows = {.from = *from};
	struct q_audit_next_head_out *head = NULL;
	struct q_audit_next_chain_out *row = NULL;
	enum rc rc = q_audit_next_head(cx, &of_heads, &head);

	if (rc == RC_OK)
		rc = q_audit_next_chain(cx, &of_rows, &row);
	if (rc != RC_OK)
		return rc;
	*ret_found = false;
	if (head != NULL)
		take_first(&head->tenant_id, ret, ret_found);
	if (row != NULL)
		take_first(&row->tenant_id, ret, ret_found);
	return RC_OK;
}

/* --- One of them -------------------------------------------------------------------- */

/* Numbers below 1 are asked for too: nothing may hide there. */
static enum rc read_page(struct ctx *cx, const struct chain *chain, size_t limit, struct audit_event **ret,
			 size_t *ret_count)
{
	const struct q_audit_chain_in in = {
		.tenant_id = chain->tenant,
		.from = chain->number > 0 ? chain->number + 1 : INT64_MIN,
		.limit = (int64_t)limit,
	};

	return q_audit_chain(cx, &in, ret, ret_count);
}

static enum rc feed_page(const struct ctx *cx, struct chain *chain, size_t limit, size_t *ret_count)
{
	struct ctx page = *cx;
	struct audit_event *rows;
	struct arena arena;
	size_t count = 0;
	enum rc rc;

	arena_init(&arena, cx->arena->pool);
	page.arena = &arena;
	rc = read_page(&page, chain, limit, &rows, &count);
	for (size_t i = 0; i < count && chain_feed(chain, &rows[i]); i++)
		continue;
	arena_finish(&arena);
	*ret_count = count;
	return rc;
}

/* All rows that there are by now. A page that cannot be read is read row by row: which one is it? */
static enum rc feed_all(const struct ctx *cx, struct chain *chain, verify_progress_fn *progress, void *arg)
{
	size_t limit = PAGE_MAX, count = PAGE_MAX;
	enum rc rc = RC_OK;

	while (rc == RC_OK && count == limit && !chain_broken(chain)) {
		rc = feed_page(cx, chain, limit, &count);
		if (rc == RC_OK && progress != NULL)
			progress(arg, count);
		if (rc == RC_INTERNAL && limit > 1) {
			limit = count = 1;
			rc = RC_OK;
		}
	}
	return rc;
}

/*
 * A row is committed together with its head. So a head that is read after the rows may be ahead of them,
 * where some were added meanwhile: then these are there now.
 */
static enum rc walk(struct ctx *cx, struct chain *chain, verify_progress_fn *progress, void *arg)
{
	const struct q_audit_head_read_in in = {.tenant_id = chain->tenant};
	struct audit_head *head = NULL;
	int64_t before;
	enum rc rc;

	do {
		before = head != NULL ? chain->number : -1;
		rc = feed_all(cx, chain, progress, arg);
		if (rc == RC_OK)
			rc = q_audit_head_read(cx, &in, &head);
		if (rc != RC_OK)
			return rc;
	} while (!chain_broken(chain) && head != NULL && head->number > chain->number &&
		 chain->number > before);
	(void)chain_end(chain, head);
	return RC_OK;
}

enum rc verify_chain(struct ctx *cx, struct chain *chain, verify_progress_fn *progress, void *arg)
{
	enum rc rc = walk(cx, chain, progress, arg);

	if (rc != RC_INTERNAL)
		return rc;
	(void)chain_end_unreadable(chain);
	return RC_OK;
}
