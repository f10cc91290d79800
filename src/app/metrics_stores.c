/* How the stores of this process are used. */
#include "app/metrics.h"

struct row {
	const char *service;
	struct db_stats stats;
	struct db_replica replica;
	bool has_replica;
};

static void writing(const struct row *rows, size_t count, struct metrics *page)
{
	for (size_t i = 0; i < count; i++)
		METRIC_PUT(page, writes, rows[i].stats.writes, rows[i].service);
	for (size_t i = 0; i < count; i++)
		METRIC_PUT(page, commits, rows[i].stats.commits, rows[i].service);
	for (size_t i = 0; i < count; i++)
		METRIC_PUT_HISTOGRAM(page, group_size, &rows[i].stats.group_sizes, &histogram_sizes,
				     rows[i].service);
	for (size_t i = 0; i < count; i++)
		METRIC_PUT_HISTOGRAM(page, commit_duration, &rows[i].stats.commit_durations,
				     &histogram_durations, rows[i].service);
}

static const struct {
	enum metric metric;
	size_t offset;
} figures[] = {
	{METRIC_store_queue, offsetof(struct db_crew, waiting)},
	{METRIC_store_connections, offsetof(struct db_crew, hands)},
	{METRIC_store_connected, offsetof(struct db_crew, up)},
	{METRIC_store_busy, offsetof(struct db_crew, busy)},
};

static void figure(struct metrics *page, size_t index, const struct db_crew *crew, const char *service,
		   const char *use)
{
	const size_t *value = (const void *)((const char *)crew + figures[index].offset);

	metric_put(page, figures[index].metric, (double)*value, METRIC_VALUES(service, use));
}

/* An embedded store has no readers: whoever asks reads it himself. */
static void pools(const struct row *rows, size_t count, struct metrics *page)
{
	for (size_t f = 0; f < ARRAY_LEN(figures); f++) {
		for (size_t i = 0; i < count; i++) {
			figure(page, f, &rows[i].stats.writers, rows[i].service, "write");
			if (rows[i].stats.readers.hands > 0)
				figure(page, f, &rows[i].stats.readers, rows[i].service, "read");
			if (rows[i].has_replica)
				figure(page, f, &rows[i].replica.readers, rows[i].service, "replica");
		}
	}
}

static void replicas(const struct row *rows, size_t count, struct metrics *page)
{
	for (size_t i = 0; i < count; i++) {
		if (!rows[i].has_replica)
			continue;
		METRIC_PUT(page, replica_reads, rows[i].replica.by_primary, rows[i].service, "primary");
		METRIC_PUT(page, replica_reads, rows[i].replica.by_replica, rows[i].service, "replica");
	}
	for (size_t i = 0; i < count; i++)
		if (rows[i].has_replica)
			METRIC_PUT(page, replica_fresh, rows[i].replica.fresh, rows[i].service);
	for (size_t i = 0; i < count; i++)
		if (rows[i].has_replica && rows[i].replica.lag_ms >= 0)
			METRIC_PUT(page, replica_lag, (double)rows[i].replica.lag_ms / 1e3, rows[i].service);
}

void metrics_of_stores(struct app *app, struct metrics *page)
{
	struct row rows[ROOM_COUNT];
	size_t count = 0;

	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (app->dbs[room] == NULL || !app_has_store(app, (enum room)room))
			continue;
		rows[count].service = app_queries[room]->name;
		db_stats(app->dbs[room], &rows[count].stats);
		rows[count].has_replica = db_replica(app->dbs[room], &rows[count].replica);
		count++;
	}
	writing(rows, count, page);
	pools(rows, count, page);
	replicas(rows, count, page);
}
