/*
 * GET /audit/ -- what happened at a tenant, page by page, in the order in which it was recorded. A tenant
 * that is gone keeps its trail; its zone is not known any more, so that its days are those of UTC.
 */
#include "audit/queries.h"
#include "calendar/rules.h"
#include "http/req.h"
#include "tenant/client.h"

static struct cursor key(const void *row)
{
	return (struct cursor){.number = ((const struct audit_event *)row)->number};
}

/* All three lists take the same page of the same columns. */
struct page {
	struct uuid tenant_id;
	int64_t after, last;
	utime since, before;
};

static enum rc zone_of(struct req *rq, const struct uuid *tenant_id, const struct zone **ret)
{
	struct tenant_rules rules;
	enum rc rc = tenant_rules(&rq->cx, tenant_id, &rules);

	if (rc == RC_OK)
		*ret = rules.policy.zone;
	return rc == RC_TENANT_UNKNOWN ? RC_OK : rc;
}

/* An edge of the window, whose form was checked with the query. */
static void edge(struct req *rq, const struct zone *zone, const char *name, const char *text, bool closes,
		 utime *ret)
{
	static const struct loc query = {.name = "query"};
	struct loc here = {.up = &query, .name = name};

	if (rules_edge(zone, text, closes, ret) != RC_OK)
		issue_add(&rq->issues, &here, ISSUE_NO_SUCH_LOCAL, NULL);
}

/* Numbers rise nearly as time does: a window of time is one of numbers, some of which are to be left out. */
static enum rc window(struct req *rq, const struct audit_filter *filter, struct page *page)
{
	struct q_audit_window_in in = {.tenant_id = page->tenant_id};
	struct q_audit_window_out *between;
	const struct zone *zone = NULL;
	enum rc rc = zone_of(rq, &page->tenant_id, &zone);

	if (rc != RC_OK)
		return rc;
	if (filter->from != NULL)
		edge(rq, zone, "from", filter->from, false, &page->since);
	if (filter->to != NULL)
		edge(rq, zone, "to", filter->to, true, &page->before);
	rc = issues_rc(&rq->issues);
	if (rc != RC_OK)
		return rc;
	in.since = page->since;
	in.before = page->before;
	rc = q_audit_window(&rq->cx, &in, &between);
	if (rc != RC_OK)
		return rc;
	/* INT_NONE, and so below every number, when nothing happened then. */
	page->last = between->last;
	if (between->first != INT_NONE && between->first - 1 > page->after)
		page->after = between->first - 1;
	return RC_OK;
}

static enum rc page_from(struct req *rq, const struct audit_filter *filter, struct page *ret)
{
	enum rc rc;

	*ret = (struct page){
		.after = cursor_from(filter->cursor).number,
		.last = INT64_MAX,
		.since = UTIME_MIN,
		.before = INT64_MAX,
	};
	rc = req_tenant(rq, &filter->tenant_id, &ret->tenant_id);
	if (rc != RC_OK)
		return rc;
	return filter->from != NULL || filter->to != NULL ? window(rq, filter, ret) : RC_OK;
}

/* clang-format off */
#define PAGE_OF(filter, page)                                                                              \
	.tenant_id = (page)->tenant_id, .after = (page)->after, .last = (page)->last,                    \
	.since = (page)->since, .before = (page)->before, .limit = PAGE_ROWS(filter)
/* clang-format on */

static enum rc rows_read(struct req *rq, const struct audit_filter *filter, const struct page *page,
			 struct audit_event **ret, size_t *ret_count)
{
	const struct q_audit_of_subject_in of_subject = {PAGE_OF(filter, page),
							 .subject_id = filter->subject_id,
							 .type = filter->type};
	const struct q_audit_of_type_in of_type = {PAGE_OF(filter, page), .type = filter->type};
	const struct q_audit_of_tenant_in of_tenant = {PAGE_OF(filter, page)};

	if (HAS(filter, audit_filter, subject_id))
		return q_audit_of_subject(&rq->cx, &of_subject, ret, ret_count);
	if (filter->type != NULL)
		return q_audit_of_type(&rq->cx, &of_type, ret, ret_count);
	return q_audit_of_tenant(&rq->cx, &of_tenant, ret, ret_count);
}

enum rc audit_list(struct req *rq)
{
	const struct audit_filter *filter = QUERY(rq, audit_filter);
	struct audit_event *rows;
	struct page page;
	size_t count;
	enum rc rc = page_from(rq, filter, &page);

	if (rc == RC_OK)
		rc = rows_read(rq, filter, &page, &rows, &count);
	return rc == RC_OK ? REPLY_LIST(rq, audit_event, rows, count, filter->limit, key) : rc;
}
