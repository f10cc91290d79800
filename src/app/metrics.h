/*
 * /metrics: a page of samples in Prometheus's text format. What can stand in it is metrics.def's to say;
 * where the figures come from, the table of sources in metrics.c. All counters begin with the process.
 */
#ifndef APP_METRICS_H
#define APP_METRICS_H

#include "app/app.h"
#include "base/histogram.h"
#include "json/write.h"

enum metric {
#define METRIC(id, ...) METRIC_##id,
#include "app/metrics.def"
#undef METRIC
	METRIC_COUNT
};

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

#define METRIC_LABELS_MAX 2

struct metric_info {
	const char *name, *help;
	enum metric_type type;
	const char *labels[METRIC_LABELS_MAX + 1]; /* ended by NULL */
};

extern const struct metric_info metric_table[METRIC_COUNT];
extern const char *const metric_type_names[];

/* A page that is being written. */
struct metrics {
	struct writer *writer;
	struct ctx *cx; /* of whoever asks, for figures that a store must be asked for */
	bool told[METRIC_COUNT];
	int last; /* the samples of one metric stand together: no other may come between them */
};

/* How many labels each has, for the compiler. */
enum {
#define METRIC(id, type, name, help, ...) \
	METRIC_LABELS_##id = sizeof((const char *const[]){"", ##__VA_ARGS__}) / sizeof(char *) - 1,
#include "app/metrics.def"
#undef METRIC
};

#define METRIC_VALUES(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

/* A sample, with a value for each label of that row: METRIC_PUT(page, requests, 12, "getBooking", "200"). */
#define METRIC_PUT(page, id, value, ...)                                                        \
	do {                                                                                    \
		_Static_assert(ARRAY_LEN(METRIC_VALUES(__VA_ARGS__)) - 1 == METRIC_LABELS_##id, \
			       "a value for each label");                                       \
		metric_put((page), METRIC_##id, (double)(value), METRIC_VALUES(__VA_ARGS__));   \
	} while (0)

#define METRIC_PUT_HISTOGRAM(page, id, sum, scale, ...)                                                \
	do {                                                                                           \
		_Static_assert(ARRAY_LEN(METRIC_VALUES(__VA_ARGS__)) - 1 == METRIC_LABELS_##id,        \
			       "a value for each label");                                              \
		metric_put_histogram((page), METRIC_##id, (sum), (scale), METRIC_VALUES(__VA_ARGS__)); \
	} while (0)

/* Through the macros above. `labels` has as many as the metric's row; NULL follows. */
void metric_put(struct metrics *page, enum metric metric, double value, const char *const *labels);
void metric_put_histogram(struct metrics *page, enum metric metric, const struct histogram_sum *sum,
			  const struct histogram_scale *scale, const char *const *labels);

/* The whole page; for the gateway. `app` is a struct app. On a fiber. */
void app_metrics(void *app, struct ctx *cx, struct writer *writer);

/* The sources. A figure that cannot be had just now is left out. */
void metrics_of_process(struct app *app, struct metrics *page);
void metrics_of_requests(struct app *app, struct metrics *page);
void metrics_of_stores(struct app *app, struct metrics *page);
void metrics_of_neighbours(struct app *app, struct metrics *page);
void metrics_of_events(struct app *app, struct metrics *page);
void metrics_of_bookings(struct app *app, struct metrics *page);

/* Opens what metrics_of_process() reads, which cannot be opened once the process is confined. */
void metrics_begin(void);

#endif
