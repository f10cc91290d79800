/*
 * When a resource, a user or a tenant is deleted: what was still to come of its bookings is cancelled, each
 * with its own event; past and running ones stay. A tenant's bookings are then marked deleted, all of them.
 *
 * A booking may be on its way in meanwhile, by a process that has not heard yet. So first the deletion is
 * committed to the table `gone`, where every statement that lets a booking in looks. A script that looked
 * before that may still be at work: but it holds the lock row of its resource. Where several write, each lock
 * row that it can be is therefore taken once, which waits for it. Now nothing comes in any more, and the
 * sweep finds all.
 *
 * Each script can be repeated: what is cancelled is found no more.
 */
#include "booking/counts.h"
#include "booking/effects.h"
#include "booking/queries.h"
#include "events/sweep.h"

#include <stdlib.h>

#define BY "sistema"

#define BOOKINGS_PAGE 100 /* rows that are read whole */
#define IDS_PAGE      500

/* Whose bookings are cancelled, and why. */
struct sweep_of {
	struct uuid tenant_id;
	struct uuid resource_id, user_id; /* one of them; the other is nil */
	const char *reason;
};

/* --- Nothing comes in any more ------------------------------------------------ */

static enum rc write_down(struct ctx *cx, const struct uuid *tenant, const struct uuid *id)
{
	struct script script;

	script_init(&script, cx, ROOM_booking, tenant, id);
	SCRIPT_ADD(&script, gone_add, .tenant_id = *tenant, .id = *id);
	return db_write(&script);
}

/* Lock rows are taken in the order in which the committer sorts. */
static enum rc take_locks(struct ctx *cx, const struct uuid *tenant, const struct uuid *resources,
			  size_t count)
{
	struct script script;

	script_init(&script, cx, ROOM_booking, tenant, &resources[0]);
	script_reserve(&script, count);
	for (size_t i = 0; i < count; i++)
		SCRIPT_ADD(&script, resource_lock, .tenant_id = *tenant, .resource_id = resources[i]);
	return db_write(&script);
}

static enum rc locks_page(struct ctx *cx, const struct uuid *tenant, struct sweep *sweep, struct uuid **ret,
			  size_t *ret_count)
{
	const struct q_resource_locks_page_in in = {.tenant_id = *tenant,
						    .after = sweep->id,
						    .limit = IDS_PAGE};
	struct q_resource_locks_page_out *rows;
	struct uuid *ids;
	size_t count;
	enum rc rc = q_resource_locks_page(cx, &in, &rows, &count);

	if (rc != RC_OK)
		return rc;
	ids = arena_array(cx->arena, count + 1, sizeof(*ids));
	if (ids == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < count; i++)
		ids[i] = sweep->id = rows[i].resource_id;
	sweep->more = count == IDS_PAGE;
	*ret = ids;
	*ret_count = count;
	return RC_OK;
}

static enum rc wait_page(struct ctx *cx, struct sweep *sweep, const void *arg)
{
	const struct uuid *tenant = arg;
	struct uuid *resources;
	size_t count;
	enum rc rc = locks_page(cx, tenant, sweep, &resources, &count);

	return rc == RC_OK && count > 0 ? take_locks(cx, tenant, resources, count) : rc;
}

/* `resource` nil: of all of the tenant. One writer does one script after the other, so none is still at work.
 */
static enum rc shut_out(struct ctx *cx, const struct uuid *tenant, const struct uuid *id,
			const struct uuid *resource)
{
	enum rc rc = write_down(cx, tenant, id);

	if (rc != RC_OK || !db_shared(cx->ports[ROOM_booking]))
		return rc;
	return uuid_is_none(resource) ? sweep_pages(cx, wait_page, tenant)
				      : take_locks(cx, tenant, resource, 1);
}

/* --- The sweep ------------------------------------------------------------------ */

static int by_resource(const void *a, const void *b)
{
	const struct booking *x = a, *y = b;
	int order = memcmp(x->resource_id.b, y->resource_id.b, sizeof(x->resource_id.b));

	return order != 0 ? order : (x->start_time > y->start_time) - (x->start_time < y->start_time);
}

/* Those that block time come first; their count. */
static size_t keep_blocking(struct booking *rows, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (booking_blocks(rows[i].status))
			rows[kept++] = rows[i];
	return kept;
}

/* One script for those of one resource. */
static enum rc cancel_run(struct ctx *cx, struct booking *rows, size_t count, const char *reason,
			  bool *ret_missed)
{
	const struct booking first = rows[0];
	struct step **changes = arena_array(cx->arena, count, sizeof(*changes));
	struct script script;
	size_t cancelled = 0;
	enum rc rc = changes != NULL ? RC_OK : RC_NO_MEMORY;

	script_init(&script, cx, ROOM_booking, &first.tenant_id, &first.resource_id);
	script_reserve(&script, 1 + count * BOOKING_CHANGE_STEPS);
	SCRIPT_ADD(&script, resource_lock, .tenant_id = first.tenant_id, .resource_id = first.resource_id);
	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		const struct booking old = rows[i];

		booking_set_cancelled(&rows[i], reason, BY, cx->now);
		rc = booking_add_change(&script, &old, &rows[i], &changes[i]);
	}
	if (rc == RC_OK)
		rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++) {
		*ret_missed |= changes[i]->rows.count == 0;
		cancelled += changes[i]->rows.count;
	}
	booking_count(cx, &first.tenant_id, BOOKINGS_CANCELLED, cancelled);
	return RC_OK;
}

static enum rc cancel_all(struct ctx *cx, struct booking *rows, size_t count, const char *reason,
			  bool *ret_missed)
{
	size_t run;
	enum rc rc = RC_OK;

	qsort(rows, count, sizeof(*rows), by_resource);
	for (size_t i = 0; i < count && rc == RC_OK; i += run) {
		run = 1;
		while (i + run < count && uuid_equal(&rows[i].resource_id, &rows[i + run].resource_id))
			run++;
		rc = cancel_run(cx, &rows[i], run, reason, ret_missed);
	}
	return rc;
}

static enum rc read_page(struct ctx *cx, const struct sweep_of *of, const struct sweep *sweep,
			 struct booking **ret, size_t *ret_count)
{
	const struct booking_page in = {.tenant_id = of->tenant_id,
					.user_id = of->user_id,
					.resource_id = of->resource_id,
					.earliest = cx->now,
					.until_start = UTIME_MAX,
					.after_start = sweep->number,
					.after_id = sweep->id,
					.ends_after = UTIME_MIN,
					.limit = BOOKINGS_PAGE};

	return uuid_is_none(&of->user_id) ? q_bookings_of_resource(cx, &in, ret, ret_count)
					  : q_bookings_of_user(cx, &in, ret, ret_count);
}

static enum rc cancel_page(struct ctx *cx, struct sweep *sweep, const void *arg)
{
	const struct sweep_of *of = arg;
	struct booking *rows;
	size_t count;
	enum rc rc = read_page(cx, of, sweep, &rows, &count);

	if (rc != RC_OK || count == 0)
		return rc;
	sweep->number = rows[count - 1].start_time;
	sweep->id = rows[count - 1].id;
	sweep->more = count == BOOKINGS_PAGE;
	return cancel_all(cx, rows, keep_blocking(rows, count), of->reason, &sweep->missed);
}

/* --- A whole tenant --------------------------------------------------------------- */

/* Resource by resource, so that a script is as large as it can be: each booking lies under a lock row. */
static enum rc cancel_resources(struct ctx *cx, struct sweep *sweep, const void *arg)
{
	struct sweep_of of = {.tenant_id = *(const struct uuid *)arg, .reason = "Tenant deletado"};
	struct uuid *resources;
	size_t count = 0;
	enum rc rc = locks_page(cx, &of.tenant_id, sweep, &resources, &count);

	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		of.resource_id = resources[i];
		rc = sweep_pages(cx, cancel_page, &of);
	}
	return rc;
}

static enum rc remove_page(struct ctx *cx, struct sweep *sweep, const void *arg)
{
	const struct uuid *tenant = arg;
	const struct q_bookings_page_in in = {.tenant_id = *tenant, .after = sweep->id, .limit = IDS_PAGE};
	struct q_bookings_page_out *rows;
	struct script script;
	size_t count;
	enum rc rc = q_bookings_page(cx, &in, &rows, &count);

	if (rc != RC_OK || count == 0)
		return rc;
	script_init(&script, cx, ROOM_booking, tenant, tenant);
	SCRIPT_ADD(&script, bookings_remove, .tenant_id = *tenant, .after = sweep->id,
		   .last = rows[count - 1].id, .deleted_at = cx->now);
	sweep->id = rows[count - 1].id;
	sweep->more = count == IDS_PAGE;
	return db_write(&script);
}

/* --- The effects -------------------------------------------------------------------- */

/* Its tenant is gone already: then all of this is, or is being done. */
static enum rc tenant_is_gone(struct ctx *cx, const struct uuid *tenant, bool *ret)
{
	const struct booking nobody = {.tenant_id = *tenant};
	enum rc rc = booking_gone(cx, &nobody);

	*ret = rc == RC_TENANT_UNKNOWN;
	return *ret || rc == RC_CHANGED_MEANWHILE ? RC_OK : rc;
}

/* `of` is a resource or a user. */
static enum rc cancel_of(struct ctx *cx, const struct sweep_of *of, const struct uuid *id)
{
	bool done;
	enum rc rc = tenant_is_gone(cx, &of->tenant_id, &done);

	if (rc != RC_OK || done)
		return rc;
	rc = shut_out(cx, &of->tenant_id, id, &of->resource_id);
	return rc == RC_OK ? sweep_pages(cx, cancel_page, of) : rc;
}

enum rc booking_on_resource_deleted(struct delivery *delivery, const struct event *event)
{
	const struct sweep_of of = {.tenant_id = event->tenant_id,
				    .resource_id = event->subject_id,
				    .reason = "Recurso deletado"};

	return cancel_of(delivery->cx, &of, &event->subject_id);
}

enum rc booking_on_user_deleted(struct delivery *delivery, const struct event *event)
{
	const struct sweep_of of = {.tenant_id = event->tenant_id,
				    .user_id = event->subject_id,
				    .reason = "Usuário deletado"};

	return cancel_of(delivery->cx, &of, &event->subject_id);
}

enum rc booking_on_tenant_deleted(struct delivery *delivery, const struct event *event)
{
	const struct uuid *tenant = &event->tenant_id;
	enum rc rc = shut_out(delivery->cx, tenant, tenant, &UUID_NONE);

	if (rc == RC_OK)
		rc = sweep_pages(delivery->cx, cancel_resources, tenant);
	return rc == RC_OK ? sweep_pages(delivery->cx, remove_page, tenant) : rc;
}
