/* Spans as OTLP has them in JSON: ExportTraceServiceRequest of opentelemetry-proto 1.x. */
#ifndef TRACE_OTLP_H
#define TRACE_OTLP_H

#include "trace/span.h"
#include "json/write.h"

/* A span on its way: what it pointed to that is gone by then is in it. */
#define OTLP_STATE_MAX 512
struct otlp_span {
	struct span span; /* cx, tracer and state do not count */
	char state[OTLP_STATE_MAX + 1];
};

void otlp_write(struct writer *w, const char *service, const struct otlp_span *spans, size_t count);

#endif
