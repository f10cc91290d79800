/* What was asked and answered, and what was refused. */
#include "app/metrics.h"

#include "app/events_parts.h"
#include "events/rate_share.h"
#include "http/rates.h"

static void connections(const struct app *app, struct metrics *page)
{
	struct http_stats stats;

	http_server_stats(app->server, &stats);
	METRIC_PUT(page, accepted, stats.accepted);
	METRIC_PUT(page, refused, stats.refused);
	METRIC_PUT(page, open, stats.open);
	METRIC_PUT(page, read, stats.requests);
	METRIC_PUT(page, received, stats.bytes_in);
	METRIC_PUT(page, sent, stats.bytes_out);
}

static uint64_t answered(const struct traffic_sum *sum)
{
	uint64_t count = 0;

	for (size_t status = 0; status < TRAFFIC_STATUS_COUNT; status++)
		count += sum->answered[status];
	return count;
}

/* A route and the sum of its counters, which are all taken at once. */
struct row {
	const char *operation;
	struct traffic_sum sum;
};

/* Routes that somebody has asked for. */
static size_t rows_read(struct app *app, struct row *rows)
{
	const struct router *router = dispatcher_router(app->dispatcher);
	size_t routes = router_count(router), count = 0;

	for (size_t i = 0; i <= routes; i++) {
		struct row *row = &rows[count];

		row->operation = i < routes ? router_route(router, i)->id : "none";
		dispatcher_traffic(app->dispatcher, i, &row->sum);
		count += row->sum.began > 0;
	}
	return count;
}

static void by_route(const struct row *rows, size_t count, struct metrics *page)
{
	for (size_t i = 0; i < count; i++)
		for (size_t s = 0; s < TRAFFIC_STATUS_COUNT; s++)
			if (rows[i].sum.answered[s] > 0)
				METRIC_PUT(page, requests, rows[i].sum.answered[s], rows[i].operation,
					   traffic_status_text[s]);
	for (size_t i = 0; i < count; i++)
		METRIC_PUT(page, in_flight, rows[i].sum.began - answered(&rows[i].sum), rows[i].operation);
	for (size_t i = 0; i < count; i++)
		METRIC_PUT_HISTOGRAM(page, duration, &rows[i].sum.durations, &histogram_durations,
				     rows[i].operation);
}

static void limits(const struct app *app, struct metrics *page)
{
	for (int policy = 0; policy < RATE_POLICIES; policy++)
		METRIC_PUT(page, rate_limited, rates_refused(app->rates, policy), rate_policy_name(policy));
	if (app->events->rates != NULL)
		METRIC_PUT(page, rates_shared, rate_share_works(app->events->rates));
}

void metrics_of_requests(struct app *app, struct metrics *page)
{
	size_t routes = router_count(dispatcher_router(app->dispatcher)) + 1;
	struct row *rows = arena_array(page->cx->arena, routes, sizeof(*rows));

	connections(app, page);
	if (rows == NULL)
		page->writer->failed = true;
	else
		by_route(rows, rows_read(app, rows), page);
	limits(app, page);
}
