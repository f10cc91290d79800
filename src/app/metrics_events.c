/* How events go: what waits in the outboxes, what relays and consumers have done, how far groups are. */
#include "app/metrics.h"

#include "app/events_parts.h"

/* What a store cannot be asked just now is left out. */
static void backlogs(const struct app_events *events, const struct relay_stats *stats, struct metrics *page)
{
	struct outbox_backlog backlogs[RELAYS];
	size_t count = events->relay_count;
	bool known[RELAYS];

	for (size_t i = 0; i < count; i++)
		known[i] = relay_backlog(events->relays[i], page->cx, &backlogs[i]) == RC_OK;
	for (size_t i = 0; i < count; i++)
		if (known[i])
			METRIC_PUT(page, outbox_events, backlogs[i].count, app_queries[stats[i].room]->name);
	for (size_t i = 0; i < count; i++) {
		utime oldest = known[i] ? backlogs[i].oldest : UTIME_NONE;
		utime age = oldest != UTIME_NONE && oldest < page->cx->now ? page->cx->now - oldest : 0;

		if (known[i])
			METRIC_PUT(page, outbox_age, (double)age / UTIME_SECOND,
				   app_queries[stats[i].room]->name);
	}
}

static void relays(const struct app_events *events, struct metrics *page)
{
	struct relay_stats stats[RELAYS];
	size_t count = events->relay_count;

	for (size_t i = 0; i < count; i++)
		relay_stats(events->relays[i], &stats[i]);
	backlogs(events, stats, page);
	for (size_t i = 0; i < count; i++)
		METRIC_PUT(page, published, stats[i].published, stats[i].name);
	for (size_t i = 0; i < count; i++)
		METRIC_PUT(page, relay_leads, stats[i].leads, stats[i].name);
}

static const struct {
	enum metric metric;
	size_t offset;
} counters[] = {
	{METRIC_handled, offsetof(struct consumer_stats, handled)},
	{METRIC_repeated, offsetof(struct consumer_stats, repeated)},
	{METRIC_retried, offsetof(struct consumer_stats, retried)},
	{METRIC_dead, offsetof(struct consumer_stats, buried)},
};

static void consumers(const struct app_events *events, struct metrics *page)
{
	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		for (size_t g = 0; g < events->group_count; g++) {
			struct consumer_stats stats;
			const uint64_t *value = (const void *)((const char *)&stats + counters[i].offset);

			consumers_stats(events->consumers, g, &stats);
			metric_put(page, counters[i].metric, (double)*value,
				   METRIC_VALUES(events->groups[g].name));
		}
	}
}

static void groups(const struct app_events *events, struct metrics *page)
{
	struct janitor_group rows[JANITOR_GROUPS_MAX];
	size_t count = janitor_groups(events->janitor, rows);

	for (size_t i = 0; i < count; i++)
		METRIC_PUT(page, lag, rows[i].lag, rows[i].name, rows[i].stream);
	for (size_t i = 0; i < count; i++)
		METRIC_PUT(page, pending, rows[i].pending, rows[i].name, rows[i].stream);
}

void metrics_of_events(struct app *app, struct metrics *page)
{
	relays(app->events, page);
	consumers(app->events, page);
	groups(app->events, page);
}
