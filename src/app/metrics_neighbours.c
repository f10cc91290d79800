/* How the services that other processes run are asked, and whether they answer. */
#include "app/metrics.h"

#include "app/neighbours.h"
#include "neighbour/neighbour.h"

static const struct {
	enum metric metric;
	size_t offset;
} counters[] = {
	{METRIC_neighbour_reads, offsetof(struct neighbour_stats, reads)},
	{METRIC_neighbour_calls, offsetof(struct neighbour_stats, calls)},
	{METRIC_neighbour_repeated, offsetof(struct neighbour_stats, repeated)},
	{METRIC_neighbour_failed, offsetof(struct neighbour_stats, failed)},
	{METRIC_neighbour_refused, offsetof(struct neighbour_stats, refused)},
};

void metrics_of_neighbours(struct app *app, struct metrics *page)
{
	struct neighbour_stats stats[ROOM_COUNT];
	const char *names[ROOM_COUNT];
	size_t count = 0;

	for (size_t room = 0; room < ROOM_COUNT; room++) {
		struct neighbour *neighbour = app_neighbour(app, (enum room)room);

		if (neighbour == NULL)
			continue;
		names[count] = neighbour_name(neighbour);
		neighbour_stats(neighbour, &stats[count++]);
	}
	for (size_t c = 0; c < ARRAY_LEN(counters); c++) {
		for (size_t i = 0; i < count; i++) {
			const uint64_t *value = (const void *)((const char *)&stats[i] + counters[c].offset);

			metric_put(page, counters[c].metric, (double)*value, METRIC_VALUES(names[i]));
		}
	}
	for (size_t i = 0; i < count; i++)
		METRIC_PUT(page, neighbour_open, stats[i].open, names[i]);
}
