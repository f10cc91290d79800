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

/* Of one resource, by the events of one script. */
struct tally {
	struct tally *next;
	struct q_metrics_add_in sum;
};

struct tallies {
	struct tally *first;
	size_t count;
};

enum rc resource_counts_begin(struct delivery *delivery, const struct event *const *events, size_t count)
{
	(void)events;
	(void)count;
	delivery->state = arena_alloc(delivery->cx->arena, sizeof(struct tallies));
	return delivery->state != NULL ? RC_OK : RC_NO_MEMORY;
}

/* NULL: memory. */
static struct q_metrics_add_in *tally_of(const struct delivery *delivery, const struct uuid *tenant,
					 const struct uuid *resource)
{
	struct tallies *tallies = delivery->state;
	struct tally *tally = tallies->first;

	while (tally != NULL &&
	       !(uuid_equal(&tally->sum.tenant_id, tenant) && uuid_equal(&tally->sum.resource_id, resource)))
		tally = tally->next;
	if (tally != NULL)
		return &tally->sum;
	tally = arena_alloc(delivery->cx->arena, sizeof(*tally));
	if (tally == NULL)
		return NULL;
	tally->sum =
		(struct q_metrics_add_in){.tenant_id = *tenant, .resource_id = *resource, .at = UTIME_MIN};
	tally->next = tallies->first;
	tallies->first = tally;
	tallies->count++;
	return &tally->sum;
}

enum rc resource_count(struct delivery *delivery, const struct event *event)
{
	const struct counted *counted = event_payload(delivery->cx, event, &counted_shape);
	struct q_metrics_add_in *sum;

	if (counted == NULL)
		return RC_INVALID;
	sum = tally_of(delivery, &event->tenant_id, &counted->resource_id);
	if (sum == NULL)
		return RC_NO_MEMORY;
	sum->created += strcmp(event->type, "booking.created") == 0;
	sum->cancelled += strcmp(event->type, "booking.cancelled") == 0;
	sum->updated += strcmp(event->type, "booking.updated") == 0;
	if (event->occurred_at > sum->at)
		sum->at = event->occurred_at;
	return RC_OK;
}

static int by_row(const void *a, const void *b)
{
	const struct q_metrics_add_in *x = *(struct q_metrics_add_in *const *)a;
	const struct q_metrics_add_in *y = *(struct q_metrics_add_in *const *)b;
	int order = memcmp(x->tenant_id.b, y->tenant_id.b, sizeof(x->tenant_id.b));

	return order != 0 ? order : memcmp(x->resource_id.b, y->resource_id.b, sizeof(x->resource_id.b));
}

enum rc resource_counts_finish(struct delivery *delivery)
{
	const struct tallies *tallies = delivery->state;
	struct q_metrics_add_in **sums;
	size_t count = 0;

	sums = arena_array(delivery->cx->arena, tallies->count + 1, sizeof(*sums));
	if (sums == NULL)
		return RC_NO_MEMORY;
	for (struct tally *tally = tallies->first; tally != NULL; tally = tally->next)
		sums[count++] = &tally->sum;
	qsort(sums, count, sizeof(sums[0]), by_row);
	for (size_t i = 0; i < count; i++)
		script_add(delivery->script, &q_metrics_add_query, sums[i]);
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
