/* See check.h. Each row has its planted fault in tests/live/test_check.py. */
#include "app/check.h"

#include "audit/queries.h"
#include "audit/verify.h"
#include "auth/keys.h"
#include "booking/queries.h"
#include "db/check_rows.h"
#include "resource/category.h"
#include "resource/queries.h"
#include "tenant/queries.h"
#include "user/queries.h"

#define PAGE	   500
#define TOLD_MAX   20
#define BIT(room)  (1U << ROOM_##room)
#define ALL_STORES ((1U << ROOM_COUNT) - 1)

/* What follows from an event may take so long before it is missed. */
#define PATIENCE (10 * 60 * UTIME_SECOND)

/* --- Stores ------------------------------------------------------------------ */

static void on_store_fault(void *run, const char *what)
{
	check_fault(run, NULL, what);
}

static enum rc check_pages(struct check_run *run, struct ctx *cx)
{
	(void)cx;
	check_looked(run, 1);
	return db_inspect_pages(check_db(run), on_store_fault, run);
}

static enum rc check_schema(struct check_run *run, struct ctx *cx)
{
	(void)cx;
	check_looked(run, 1);
	return db_inspect_schema(check_db(run), on_store_fault, run);
}

static enum rc check_waiting(struct check_run *run, struct ctx *cx)
{
	static const struct query *const queries[ROOM_COUNT] = {
		[ROOM_tenant] = &q_tenant_outbox_backlog_query,
		[ROOM_user] = &q_user_outbox_backlog_query,
		[ROOM_resource] = &q_resource_outbox_backlog_query,
		[ROOM_booking] = &q_booking_outbox_backlog_query,
	};
	const struct outbox_limit in = {.limit = 1};
	const struct outbox_backlog *backlog;
	struct rows rows;
	enum rc rc = db_read(cx, queries[check_room(run)], &in, &rows);

	if (rc != RC_OK)
		return rc;
	backlog = rows.items;
	check_looked(run, 1);
	if (backlog->count > 0 && backlog->oldest < cx->now - PATIENCE)
		check_fault(run, NULL,
			    "events wait to be published for more than ten minutes: no marca with this store "
			    "is running, or its bus is gone");
	return RC_OK;
}

/* --- Rows, page by page --------------------------------------------------------- */

typedef enum rc row_fn(struct check_run *run, struct ctx *cx, const struct check_row *row);

static enum rc tell_row(struct check_run *run, struct ctx *cx, const struct check_row *row)
{
	(void)cx;
	if (row->fault != NULL)
		check_fault(run, &row->id, row->fault);
	return RC_OK;
}

/* One row, in memory of its own. */
static enum rc look_at(struct check_run *run, struct ctx *cx, const struct check_row *row, row_fn *fn)
{
	struct arena arena, *outer = cx->arena;
	enum rc rc;

	arena_init(&arena, NULL);
	cx->arena = &arena;
	rc = fn(run, cx, row);
	cx->arena = outer;
	arena_finish(&arena);
	return rc;
}

/* The rows of one page; *page begins the next one. Every row of such a query begins with a struct check_row.
 */
static enum rc each_of_page(struct check_run *run, struct ctx *cx, const struct query *query,
			    struct check_page *page, row_fn *fn, size_t *ret_count)
{
	struct rows rows;
	enum rc rc = db_read(cx, query, page, &rows);

	for (size_t i = 0; rc == RC_OK && i < rows.count; i++) {
		const struct check_row *row = (const void *)((const char *)rows.items + i * query->out_size);

		rc = look_at(run, cx, row, fn);
		page->after = row->id;
	}
	if (rc == RC_OK)
		*ret_count = rows.count;
	return rc;
}

static enum rc each_row(struct check_run *run, struct ctx *cx, const struct query *query, row_fn *fn)
{
	struct check_page page = {.tenant_id = check_tenant(run), .limit = PAGE};
	size_t count = PAGE;
	enum rc rc = RC_OK;

	while (rc == RC_OK && count == PAGE) {
		struct arena arena, *outer = cx->arena;

		arena_init(&arena, NULL);
		cx->arena = &arena;
		rc = each_of_page(run, cx, query, &page, fn, &count);
		cx->arena = outer;
		arena_finish(&arena);
		if (rc == RC_OK)
			check_looked(run, count);
	}
	return rc;
}

static enum rc check_bookings(struct check_run *run, struct ctx *cx)
{
	return each_row(run, cx, &q_check_bookings_query, tell_row);
}

static enum rc check_sessions(struct check_run *run, struct ctx *cx)
{
	return each_row(run, cx, &q_check_sessions_query, tell_row);
}

/* --- What spans services ----------------------------------------------------------- */

static const struct booking_check *booking_of(const struct check_row *row)
{
	_Static_assert(offsetof(struct booking_check, row) == 0, "a row begins with what all rows have");
	return (const void *)row;
}

/* Bookings go with whom they are for: an event cancels them. */
static bool should_be_gone(const struct ctx *cx, const struct booking_check *booking, utime deleted_at)
{
	return deleted_at != UTIME_NONE && deleted_at < cx->now - PATIENCE && booking->blocks &&
	       booking->start_time > cx->now;
}

static enum rc look_at_user(struct check_run *run, struct ctx *cx, const struct check_row *row)
{
	const struct booking_check *booking = booking_of(row);
	const struct q_check_user_in in = {.tenant_id = check_tenant(run), .id = booking->user_id};
	struct q_check_user_out *user;
	enum rc rc = q_check_user(cx, &in, &user);

	if (rc != RC_OK)
		return rc;
	if (user == NULL)
		check_fault(run, &row->id, "its user never was");
	else if (should_be_gone(cx, booking, user->deleted_at))
		check_fault(run, &row->id, "it stands, and its user was deleted more than ten minutes ago");
	return RC_OK;
}

static enum rc check_users(struct check_run *run, struct ctx *cx)
{
	return each_row(run, cx, &q_check_bookings_query, look_at_user);
}

static enum rc resource_of(struct check_run *run, struct ctx *cx, const struct uuid *id,
			   struct q_check_resource_out **ret)
{
	return q_check_resource(cx, &(struct q_check_resource_in){.tenant_id = check_tenant(run), .id = *id},
				ret);
}

static enum rc look_at_resource(struct check_run *run, struct ctx *cx, const struct check_row *row)
{
	const struct booking_check *booking = booking_of(row);
	struct q_check_resource_out *resource;
	enum rc rc = resource_of(run, cx, &booking->resource_id, &resource);

	if (rc != RC_OK)
		return rc;
	if (resource == NULL)
		check_fault(run, &row->id, "its resource never was");
	else if (should_be_gone(cx, booking, resource->deleted_at))
		check_fault(run, &row->id,
			    "it stands, and its resource was deleted more than ten minutes ago");
	return RC_OK;
}

static enum rc look_at_lock(struct check_run *run, struct ctx *cx, const struct check_row *row)
{
	struct q_check_resource_out *resource;
	enum rc rc = resource_of(run, cx, &row->id, &resource);

	if (rc == RC_OK && resource == NULL)
		check_fault(run, &row->id, "there is a lock row of this resource, which never was");
	return rc;
}

static enum rc check_resources(struct check_run *run, struct ctx *cx)
{
	enum rc rc = each_row(run, cx, &q_check_bookings_query, look_at_resource);

	return rc == RC_OK ? each_row(run, cx, &q_check_locks_query, look_at_lock) : rc;
}

/* --- Room ----------------------------------------------------------------------------- */

/* As resource/client.c reads it: one at a time, unless the category says otherwise. */
static int64_t capacity_of(struct ctx *cx, const struct q_check_resource_out *resource)
{
	struct issues issues = {.arena = cx->arena};
	void *metadata;

	if (resource->category_metadata == NULL || resource->capacity == INT_NONE ||
	    shape_parse(&category_metadata_shape, PARSE_WHOLE, str_from(resource->category_metadata), &issues,
			&metadata) != RC_OK)
		return 1;
	return ((const struct category_metadata *)metadata)->allows_multiple_bookings ? resource->capacity
										      : 1;
}

/* Is there an instant of the period at which more than `most` of the spans are under way? They are sorted by
 * their starts, where alone the number can rise. */
static bool is_crowded(const struct booking_check *booking, const struct span *spans, size_t count,
		       int64_t most)
{
	for (size_t i = 0; i < count && (int64_t)count > most; i++) {
		utime at = spans[i].start > booking->start_time ? spans[i].start : booking->start_time;
		int64_t under_way = 0;

		for (size_t j = 0; j < count && spans[j].start <= at; j++)
			under_way += spans[j].end > at;
		if (under_way > most)
			return true;
	}
	return false;
}

static enum rc look_for_overlap(struct check_run *run, struct ctx *cx, const struct check_row *row)
{
	const struct booking_check *booking = booking_of(row);
	const struct q_bookings_busy_in in = {.tenant_id = check_tenant(run),
					      .resource_id = booking->resource_id,
					      .start_time = booking->start_time,
					      .end_time = booking->end_time};
	struct q_check_resource_out *resource;
	struct span *spans;
	size_t count = 0;
	enum rc rc;

	if (!booking->blocks)
		return RC_OK;
	rc = resource_of(run, cx, &booking->resource_id, &resource);
	if (rc != RC_OK || resource == NULL)
		return rc;
	/* Whoever lowers a capacity leaves what was booked before. */
	if (booking->updated_at < resource->changed_at)
		return RC_OK;
	rc = q_bookings_busy(cx, &in, &spans, &count);
	if (rc == RC_OK && is_crowded(booking, spans, count, capacity_of(cx, resource)))
		check_fault(run, &row->id,
			    "while it lasts, more bookings stand than its resource has room for");
	return rc;
}

static enum rc check_overlaps(struct check_run *run, struct ctx *cx)
{
	return each_row(run, cx, &q_check_bookings_query, look_for_overlap);
}

/* --- Events ----------------------------------------------------------------------------- */

/* The trail keeps every event, a booking's in the order of its versions; *version is the last one so far. */
static enum rc follow(struct ctx *cx, struct q_audit_of_subject_in *in, int64_t *version, bool *ret_gap)
{
	struct audit_event *events;
	size_t count = 0;
	enum rc rc;

	do {
		rc = q_audit_of_subject(cx, in, &events, &count);
		for (size_t i = 0; rc == RC_OK && i < count; i++) {
			*ret_gap |= events[i].version != *version && events[i].version != *version + 1;
			*version = events[i].version;
			in->after = events[i].number;
		}
	} while (rc == RC_OK && count == (size_t)in->limit);
	return rc;
}

static enum rc look_for_events(struct check_run *run, struct ctx *cx, const struct check_row *row)
{
	const struct booking_check *booking = booking_of(row);
	struct q_audit_of_subject_in in = {.tenant_id = check_tenant(run),
					   .last = INT64_MAX,
					   .since = UTIME_MIN,
					   .before = UTIME_MAX,
					   .limit = PAGE,
					   .subject_id = row->id};
	int64_t version = 0;
	bool gap = false;
	enum rc rc = follow(cx, &in, &version, &gap);

	if (rc != RC_OK)
		return rc;
	if (gap)
		check_fault(run, &row->id,
			    "of its versions, one between two that have events has none, or they lie out of "
			    "order");
	else if (version > booking->version)
		check_fault(run, &row->id, "there are events of changes that it does not have");
	else if (version < booking->version && booking->updated_at < cx->now - PATIENCE)
		check_fault(run, &row->id, "its last change has no event in the trail, ten minutes later");
	return RC_OK;
}

static enum rc check_events(struct check_run *run, struct ctx *cx)
{
	return each_row(run, cx, &q_check_bookings_query, look_for_events);
}

/* --- Secrets, and the trail --------------------------------------------------------- */

static enum rc open_sealed(struct check_run *run, struct ctx *cx, const struct check_row *row)
{
	char id[UUID_TEXT_LEN + 1];
	const struct keys *keys;
	const char *place, *secret;
	enum rc rc;

	if (row->fault == NULL)
		return RC_OK;
	keys = check_keys(run);
	if (keys == NULL)
		return RC_INTERNAL;
	cx->arena->wipe = true;
	place = arena_printf(cx->arena, "identity_provider:%s", uuid_text(id, &row->id));
	rc = place != NULL ? keys_open(keys, cx->arena, place, row->fault, &secret) : RC_NO_MEMORY;
	if (rc == RC_INTERNAL)
		check_fault(run, &row->id,
			    "the secret of this identity provider does not open by the keys that there are");
	return rc == RC_INTERNAL ? RC_OK : rc;
}

static enum rc check_sealed(struct check_run *run, struct ctx *cx)
{
	return each_row(run, cx, &q_check_sealed_query, open_sealed);
}

static void on_chain_rows(void *run, size_t rows)
{
	check_looked(run, rows);
}

static enum rc check_trail(struct check_run *run, struct ctx *cx)
{
	const struct uuid tenant = check_tenant(run);
	struct chain chain;
	enum rc rc;

	chain_begin(&chain, &tenant, NULL, 0);
	rc = verify_chain(cx, &chain, on_chain_rows, run);
	if (rc == RC_OK && chain_broken(&chain))
		check_fault(run, NULL, chain.fault);
	return rc;
}

/* --- Whose rows there are ----------------------------------------------------------- */

static enum rc next_booker(struct ctx *cx, const struct uuid *from, struct uuid *ret, bool *ret_found)
{
	struct q_booking_checks_next_out *row;
	enum rc rc = q_booking_checks_next(cx, &(struct q_booking_checks_next_in){.from = *from}, &row);

	if (rc != RC_OK)
		return rc;
	*ret_found = row != NULL;
	if (row != NULL)
		*ret = row->tenant_id;
	return RC_OK;
}

static enum rc next_house(struct ctx *cx, const struct uuid *from, struct uuid *ret, bool *ret_found)
{
	struct q_user_checks_next_out *row;
	enum rc rc = q_user_checks_next(cx, &(struct q_user_checks_next_in){.from = *from}, &row);

	if (rc != RC_OK)
		return rc;
	*ret_found = row != NULL;
	if (row != NULL)
		*ret = row->tenant_id;
	return RC_OK;
}

/* --- The table ------------------------------------------------------------------------ */

/* clang-format off */
const struct check check_table[] = {
	{"pages", "each store's pages, indexes and references are whole", CHECK_STORE, ALL_STORES, check_pages, NULL},
	{"schema", "each store's tables, columns, indexes, constraints and policies are what the migrations make", CHECK_STORE,
	 ALL_STORES, check_schema, NULL},
	{"waiting", "events are published soon after they happen", CHECK_STORE,
	 BIT(tenant) | BIT(user) | BIT(resource) | BIT(booking), check_waiting, NULL},
	{"bookings", "each booking's period, status and lock row are sound", CHECK_TENANT, BIT(booking), check_bookings, next_booker},
	{"events", "each change of a booking has its event in the trail", CHECK_TENANT, BIT(booking) | BIT(audit), check_events,
	 next_booker},
	{"overlaps", "no more bookings stand at once than a resource has room for", CHECK_TENANT, BIT(booking) | BIT(resource),
	 check_overlaps, next_booker},
	{"resources", "whatever is booked is there, or was deleted and its bookings with it", CHECK_TENANT,
	 BIT(booking) | BIT(resource), check_resources, next_booker},
	{"users", "whoever has booked is there, or was deleted and his bookings with him", CHECK_TENANT, BIT(booking) | BIT(user),
	 check_users, next_booker},
	{"sessions", "each session has its user", CHECK_TENANT, BIT(user), check_sessions, next_house},
	{"sealed", "sealed secrets open by the keys that there are", CHECK_TENANT, BIT(user), check_sealed, next_house},
	{"audit", "the audit trail is as it was recorded", CHECK_TENANT, BIT(audit), check_trail, verify_next_tenant},
	{NULL, NULL, CHECK_STORE, 0, NULL, NULL},
};
/* clang-format on */
