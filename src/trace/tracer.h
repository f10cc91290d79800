/*
 * Tracer: takes spans that have ended, and sends them on as OTLP over HTTP, in JSON, many at once, by a
 * thread of its own (https://opentelemetry.io/docs/specs/otlp/). Nobody waits for it: what does not fit into
 * its ring, or is not taken by the collector after TRACER_TRIES, is dropped and counted.
 *
 * The collector's address is the operator's: private ones and plain HTTP are fine.
 */
#ifndef TRACE_TRACER_H
#define TRACE_TRACER_H

#include "trace/span.h"

#define TRACER_SPANS 2048 /* that may wait */
#define TRACER_BATCH 256  /* in one request */
#define TRACER_TRIES 3

struct tracer;

struct tracer_options {
	const char *endpoint; /* "http://127.0.0.1:4318"; /v1/traces is added */
	const char *service;  /* service.name */
	const char *headers;  /* "api-key=...,x=y", values percent-encoded; NULL: none. A secret */
	const char *ca_file;  /* certificates to trust; NULL: the system's */
	double ratio;	      /* of the traces that begin here; 0 to 1 */
};

/* Why those cannot be: a literal; NULL: they can. */
const char *tracer_fault(const struct tracer_options *options);

/* What the options point to must outlive it. NULL: memory. The thread starts with the first span. */
struct tracer *tracer_create(const struct tracer_options *options) MUST_USE;
/* Sends what waits, for a second or two. NULL is fine. */
void tracer_destroy(struct tracer *tracer);

/* Is a trace that nobody has decided about to be recorded? The same for all who ask by that id and ratio. */
bool tracer_samples(const struct tracer *tracer, const char *trace_id);

/* Copies it. On any thread. */
void tracer_take(struct tracer *tracer, const struct span *span);

struct tracer_stats {
	uint64_t sent, dropped;
};
void tracer_stats(struct tracer *tracer, struct tracer_stats *ret);

#endif
