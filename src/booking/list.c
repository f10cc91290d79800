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

/* The window and the place in it; `ret` has its tenant_id and its user_id already. */
static enum rc page_from(struct req *rq, const struct booking_filter *filter,
			 const struct tenant_rules *rules, struct booking_page *ret)
{
	const struct cursor after = cursor_from(filter->cursor);
	enum rc rc;

	ret->resource_id = filter->resource_id;
	ret->earliest = ret->ends_after = UTIME_MIN;
	ret->until_start = UTIME_MAX;
	ret->after_start = after.number;
	ret->after_id = after.id;
	ret->limit = PAGE_ROWS(filter);
	if (HAS(filter, booking_filter, status))
		ret->status = booking_status_names.text[filter->status];
	if (filter->start_date != NULL)
		edge(rq, rules, "start_date", filter->start_date, false, &ret->ends_after);
	if (filter->end_date != NULL)
		edge(rq, rules, "end_date", filter->end_date, true, &ret->until_start);
	rc = issues_rc(&rq->issues);
	if (rc != RC_OK)
		return rc;
	if (filter->start_date != NULL)
		ret->earliest = ret->ends_after - BOOKING_LENGTH_MAX;
	/* The next page needs no rows before its cursor. */
	if (after.number != INT64_MIN && after.number - 1 > ret->earliest)
		ret->earliest = after.number - 1;
	return RC_OK;
}

/* How many bookings a page looks at to find those that it shows. */
#define PAGE_LOOK_MAX 2000

/* The query of a page, and the one that tells where it must end: each walks the same index. */
struct walk {
	enum rc (*rows)(struct ctx *cx, const struct booking_page *page, struct booking **ret,
			size_t *ret_count);
	enum rc (*horizon)(struct ctx *cx, const struct booking_page *page, struct booking **ret);
	bool leaves_out; /* whatever else is asked */
};

/* By whether it is of one user, and whether of one resource. */
static const struct walk walks[2][2] = {
	{{q_bookings_of_tenant, q_bookings_horizon_of_tenant},
	 {q_bookings_of_resource, q_bookings_horizon_of_resource}},
	{{q_bookings_of_user, q_bookings_horizon_of_user},
	 {q_bookings_of_user_at, q_bookings_horizon_of_user, .leaves_out = true}},
};

/* May it meet bookings that the page does not show? Of a window only those that begin before it. */
static bool leaves_out(const struct walk *walk, const struct booking_page *page)
{
	return walk->leaves_out || page->status != NULL ||
	       (page->ends_after != UTIME_MIN && page->after_start < page->ends_after);
}

/* Where few are to be shown the page ends early, and says where the next one goes on. */
static enum rc rows_read(struct req *rq, const struct walk *walk, struct booking_page *page,
			 struct booking **ret, size_t *ret_count)
{
	struct booking *last = NULL;
	struct cursor end;
	enum rc rc = RC_OK;

	page->skip = PAGE_LOOK_MAX - 1;
	if (leaves_out(walk, page))
		rc = walk->horizon(&rq->cx, page, &last);
	if (rc == RC_OK && last != NULL) {
		page->until_start = last->start_time;
		page->until_id = last->id;
	}
	if (rc == RC_OK)
		rc = walk->rows(&rq->cx, page, ret, ret_count);
	if (rc != RC_OK || last == NULL || *ret_count == (size_t)page->limit)
		return rc;
	end = key(last);
	return req_next_page(rq, &end);
}

enum rc booking_list(struct req *rq)
{
	const struct booking_filter *filter = QUERY(rq, booking_filter);
	const struct uuid *asked = HAS(filter, booking_filter, user_id) ? &filter->user_id : NULL, *user;
	struct tenant_rules rules;
	struct booking_page page = {.limit = 0};
	struct booking *rows = NULL;
	size_t count = 0;
	enum rc rc = permit_list(&rq->cx.principal, asked, &user);

	if (rc == RC_OK)
		rc = req_tenant(rq, &filter->tenant_id, &page.tenant_id);
	if (rc != RC_OK)
		return rc;
	rc = tenant_rules(&rq->cx, &page.tenant_id, &rules);
	if (rc == RC_TENANT_UNKNOWN) /* nobody has no bookings */
		return REPLY_LIST(rq, booking, NULL, 0, filter->limit, key);
	if (user != NULL)
		page.user_id = *user;
	if (rc == RC_OK)
		rc = page_from(rq, filter, &rules, &page);
	if (rc == RC_OK)
		rc = rows_read(rq, &walks[user != NULL][HAS(filter, booking_filter, resource_id)], &page,
			       &rows, &count);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++)
		rows[i].can_cancel = booking_can_cancel(&rows[i], &rules, rq->cx.now);
	return REPLY_LIST(rq, booking, rows, count, filter->limit, key);
}
