/* See effects.h. Counts of bookings for each resource; resources and categories go page by page. */
#include "resource/effects.h"

#include "events/sweep.h"
#include "resource/queries.h"
#include "resource/resource.h"

#include <stdlib.h>

#define PAGE 100

/* --- Metrics --------------------------------------------------------------------- */

/* What the three payloads have in common. */
/* clang-format off */
#define COUNTED(F, T) F(T, UUID, resource_id, REQUIRED, "Of which resource.")
SHAPE_DECLARE(counted, COUNTED);
SHAPE_DEFINE(counted, COUNTED);
/* clang-format on */

enum rc resource_count(struct delivery *delivery, const struct event *event)
{
	const struct counted *counted = event_payload(delivery->cx, event, &counted_shape);

	if (counted == NULL)
		return RC_INVALID;
	SCRIPT_ADD(delivery->script, metrics_add, .tenant_id = event->tenant_id,
		   .resource_id = counted->resource_id, .at = event->occurred_at,
		   .created = strcmp(event->type, "booking.created") == 0,
		   .cancelled = strcmp(event->type, "booking.cancelled") == 0,
		   .updated = strcmp(event->type, "booking.updated") == 0);
	return RC_OK;
}

/* --- The resources of a tenant ------------------------------------------------------ */

static int by_category(const void *a, const void *b)
{
	const struct resource *x = a, *y = b;

	return memcmp(x->category_id.b, y->category_id.b, sizeof(x->category_id.b));
}

/* One script for those of one category, whose row it takes first like every other. */
static enum rc remove_run(struct ctx *cx, const struct resource *rows, size_t count, bool *ret_missed)
{
	struct step **removals = arena_array(cx->arena, count, sizeof(*removals));
	struct outbox_row event;
	struct script script;
	enum rc rc = removals != NULL ? RC_OK : RC_NO_MEMORY;

	resource_script(&script, cx, &rows[0].tenant_id, &rows[0].category_id,
			count * RESOURCE_REMOVAL_STEPS);
	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		rc = resource_event(cx, &rows[i], STREAM_DELETIONS, "resource.deleted", &event);
		if (rc == RC_OK)
			removals[i] = resource_add_removal(&script, &rows[i], &event);
	}
	if (rc == RC_OK)
		rc = db_write(&script);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < count; i++)
		*ret_missed |= removals[i]->rows.count == 0;
	return RC_OK;
}

static enum rc resources_page(struct ctx *cx, struct sweep *sweep, const void *arg)
{
	const struct q_resources_page_in in = {.tenant_id = *(const struct uuid *)arg,
					       .after = sweep->id,
					       .limit = PAGE};
	struct resource *rows;
	size_t count, run;
	enum rc rc = q_resources_page(cx, &in, &rows, &count);

	if (rc != RC_OK || count == 0)
		return rc;
	sweep->id = rows[count - 1].id;
	sweep->more = count == PAGE;
	qsort(rows, count, sizeof(*rows), by_category);
	for (size_t i = 0; i < count && rc == RC_OK; i += run) {
		run = 1;
		while (i + run < count && by_category(&rows[i], &rows[i + run]) == 0)
			run++;
		rc = remove_run(cx, &rows[i], run, &sweep->missed);
	}
	return rc;
}

/* --- The categories of a tenant ------------------------------------------------------- */

static enum rc remove_category(struct ctx *cx, const struct category *row, bool *ret_missed)
{
	struct script script;
	struct step *removal;
	enum rc rc;

	resource_script(&script, cx, &row->tenant_id, &row->id, 1);
	removal = SCRIPT_ADD(&script, category_remove, .tenant_id = row->tenant_id, .id = row->id,
			     .version = row->version, .deleted_at = outbox_time(cx, row->updated_at));
	rc = db_write(&script);
	if (rc == RC_OK)
		*ret_missed |= removal->rows.count == 0;
	return rc;
}

static enum rc categories_page(struct ctx *cx, struct sweep *sweep, const void *arg)
{
	const struct q_categories_page_in in = {.tenant_id = *(const struct uuid *)arg,
						.after = sweep->id,
						.is_active = INT_NONE,
						.limit = PAGE};
	struct category *rows;
	size_t count;
	enum rc rc = q_categories_page(cx, &in, &rows, &count);

	if (rc != RC_OK || count == 0)
		return rc;
	sweep->id = rows[count - 1].id;
	sweep->more = count == PAGE;
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = remove_category(cx, &rows[i], &sweep->missed);
	return rc;
}

/*
 * A resource that came into a category after the first sweep keeps it: then the second one gives up, and the
 * event comes again. No resource comes into a category that is gone.
 */
enum rc resource_on_tenant_deleted(struct delivery *delivery, const struct event *event)
{
	enum rc rc = sweep_pages(delivery->cx, resources_page, &event->tenant_id);

	return rc == RC_OK ? sweep_pages(delivery->cx, categories_page, &event->tenant_id) : rc;
}
