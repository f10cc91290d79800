/*
 * GET /bookings/ -- a tenant's bookings by their start, page by page. A date filter keeps
 * whatever overlaps the window, also a booking that spans all of it.
 */
#include "booking/permit.h"
#include "booking/queries.h"
#include "calendar/rules.h"
#include "http/req.h"

static struct cursor key(const void *row)
{
	const struct booking *booking = row;

	return (struct cursor){.number = booking->start_time, .id = booking->id};
}

/* An edge of the window, whose form was checked with the query. */
static void edge(struct req *rq, const struct tenant_rules *rules, const char *name, const char *text,
		 bool closes, utime *ret)
{
	static const struct loc query = {.name = "query"};
	struct loc here = {.up = &query, .name = name};

	if (rules_edge(rules->policy.zone, text, closes, ret) != RC_OK)
		issue_add(&rq->issues, &here, ISSUE_NO_SUCH_LOCAL, NULL);
}

/* All lists take the same page of the same columns. */
struct page {
	struct uuid tenant_id;
	const struct uuid *user_id; /* NULL: everybody's */
	utime earliest, ends_after, starts_before;
	const char *status;
	struct cursor after;
	int64_t limit;
};

/* `ret` has its tenant_id and its user_id already. */
static enum rc page_from(struct req *rq, const struct booking_filter *filter,
			 const struct tenant_rules *rules, struct page *ret)
{
	struct page page = {
		.tenant_id = ret->tenant_id,
		.user_id = ret->user_id,
		.earliest = UTIME_MIN,
		.ends_after = UTIME_MIN,
		.starts_before = UTIME_MAX,
		.after = cursor_from(filter->cursor),
		.limit = PAGE_ROWS(filter),
	};
	enum rc rc;

	if (HAS(filter, booking_filter, status))
		page.status = booking_status_names.text[filter->status];
	if (filter->start_date != NULL)
		edge(rq, rules, "start_date", filter->start_date, false, &page.ends_after);
	if (filter->end_date != NULL)
		edge(rq, rules, "end_date", filter->end_date, true, &page.starts_before);
	rc = issues_rc(&rq->issues);
	if (rc != RC_OK)
		return rc;
	if (filter->start_date != NULL)
		page.earliest = page.ends_after - BOOKING_LENGTH_MAX;
	/* The next page needs no rows before its cursor. */
	if (page.after.number != INT64_MIN && page.after.number - 1 > page.earliest)
		page.earliest = page.after.number - 1;
	*ret = page;
	return RC_OK;
}

/* clang-format off */
#define PAGE_OF(page)                                                                                      \
	.tenant_id = (page)->tenant_id, .earliest = (page)->earliest, .ends_after = (page)->ends_after,    \
	.starts_before = (page)->starts_before, .status = (page)->status,                                  \
	.after_start = (page)->after.number, .after_id = (page)->after.id, .limit = (page)->limit
/* clang-format on */

static enum rc rows_read(struct req *rq, const struct booking_filter *filter, const struct page *page,
			 struct booking **ret, size_t *ret_count)
{
	const struct uuid user = page->user_id != NULL ? *page->user_id : UUID_NONE;
	const struct q_bookings_of_resource_in of_resource = {PAGE_OF(page),
							      .resource_id = filter->resource_id};
	const struct q_bookings_of_user_at_in of_both = {PAGE_OF(page), .user_id = user,
							 .resource_id = filter->resource_id};
	const struct q_bookings_of_user_in of_user = {PAGE_OF(page), .user_id = user};
	const struct q_bookings_of_tenant_in of_tenant = {PAGE_OF(page)};

	if (HAS(filter, booking_filter, resource_id))
		return page->user_id != NULL ? q_bookings_of_user_at(&rq->cx, &of_both, ret, ret_count)
					     : q_bookings_of_resource(&rq->cx, &of_resource, ret, ret_count);
	if (page->user_id != NULL)
		return q_bookings_of_user(&rq->cx, &of_user, ret, ret_count);
	return q_bookings_of_tenant(&rq->cx, &of_tenant, ret, ret_count);
}

enum rc booking_list(struct req *rq)
{
	const struct booking_filter *filter = QUERY(rq, booking_filter);
	struct tenant_rules rules;
	struct booking *rows = NULL;
	struct page page;
	size_t count = 0;
	const struct uuid *asked = HAS(filter, booking_filter, user_id) ? &filter->user_id : NULL;
	enum rc rc = permit_list(&rq->cx.principal, asked, &page.user_id);

	if (rc == RC_OK)
		rc = req_tenant(rq, &filter->tenant_id, &page.tenant_id);
	if (rc != RC_OK)
		return rc;
	rc = tenant_rules(&rq->cx, &page.tenant_id, &rules);
	if (rc == RC_TENANT_UNKNOWN) /* nobody has no bookings */
		return REPLY_LIST(rq, booking, NULL, 0, filter->limit, key);
	if (rc == RC_OK)
		rc = page_from(rq, filter, &rules, &page);
	if (rc == RC_OK)
		rc = rows_read(rq, filter, &page, &rows, &count);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++)
		rows[i].can_cancel = booking_can_cancel(&rows[i], &rules, rq->cx.now);
	return REPLY_LIST(rq, booking, rows, count, filter->limit, key);
}
