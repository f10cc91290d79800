/* See metrics.h. The format: https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4). */
#include "app/metrics.h"

#include <stdio.h>
#include <stdlib.h>

const char *const metric_type_names[] =
	{[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_HISTOGRAM] = "histogram"};

const struct metric_info metric_table[METRIC_COUNT] = {
#define METRIC(id, kind, text, about, ...) \
	[METRIC_##id] = {.name = (text), .help = (about), .type = METRIC_##kind, .labels = {__VA_ARGS__}},
#include "app/metrics.def"
#undef METRIC
};

/* In the order of the page. */
static void (*const sources[])(struct app *app, struct metrics *page) = {
	metrics_of_process,    metrics_of_requests, metrics_of_stores,
	metrics_of_neighbours, metrics_of_events,   metrics_of_bookings,
};

void app_metrics(void *app, struct ctx *cx, struct writer *writer)
{
	struct metrics page = {.writer = writer, .cx = cx, .last = -1};

	for (size_t i = 0; i < ARRAY_LEN(sources); i++)
		sources[i](app, &page);
}

/* --- Samples ------------------------------------------------------------------ */

/* Prometheus refuses a page that takes a metric up twice: a fault of ours. */
static void head(struct metrics *page, enum metric metric)
{
	const struct metric_info *info = &metric_table[metric];

	if (page->last == (int)metric)
		return;
	if (page->told[metric]) {
		fprintf(stderr, "%s: its samples must follow one another\n", info->name);
		abort();
	}
	page->told[metric] = true;
	page->last = (int)metric;
	write_format(page->writer, "# HELP %s %s\n# TYPE %s %s\n", info->name, info->help, info->name,
		     metric_type_names[info->type]);
}

static void label(struct metrics *page, const char *name, const char *value, bool first)
{
	write_char(page->writer, first ? '{' : ',');
	write_raw(page->writer, str_from(name));
	write_raw(page->writer, STR("=\""));
	for (; *value != '\0'; value++) {
		if (*value == '\n') {
			write_raw(page->writer, STR("\\n"));
			continue;
		}
		if (*value == '"' || *value == '\\')
			write_char(page->writer, '\\');
		write_char(page->writer, *value);
	}
	write_char(page->writer, '"');
}

/* `bound` NULL: no bucket. */
static void sample(struct metrics *page, enum metric metric, const char *suffix, const char *const *labels,
		   const char *bound, double value)
{
	const struct metric_info *info = &metric_table[metric];
	size_t count = 0;

	write_raw(page->writer, str_from(info->name));
	write_raw(page->writer, str_from(suffix));
	for (; labels[count] != NULL; count++)
		label(page, info->labels[count], labels[count], count == 0);
	if (bound != NULL)
		label(page, "le", bound, count++ == 0);
	if (count > 0)
		write_char(page->writer, '}');
	write_format(page->writer, " %.15g\n", value);
}

void metric_put(struct metrics *page, enum metric metric, double value, const char *const *labels)
{
	head(page, metric);
	sample(page, metric, "", labels, NULL, value);
}

void metric_put_histogram(struct metrics *page, enum metric metric, const struct histogram_sum *sum,
			  const struct histogram_scale *scale, const char *const *labels)
{
	uint64_t count = 0;
	char bound[32];

	head(page, metric);
	for (size_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		count += sum->counts[i];
		snprintf(bound, sizeof(bound), "%.6g", (double)scale->bounds[i] * scale->unit);
		sample(page, metric, "_bucket", labels, bound, (double)count);
	}
	count += sum->counts[HISTOGRAM_BOUNDS];
	sample(page, metric, "_bucket", labels, "+Inf", (double)count);
	sample(page, metric, "_sum", labels, NULL, (double)sum->sum * scale->unit);
	sample(page, metric, "_count", labels, NULL, (double)count);
}
