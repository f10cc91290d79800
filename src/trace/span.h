/*
 * Spans: what a request, or the effect of an event, waited for, and how long, as OpenTelemetry knows them.
 *Each belongs to a trace (ctx.trace_id) and to the span that was open when it began (ctx.span_id).
 *
 *	struct span *span = span_begin(cx, SPAN_CLIENT, query->name);
 *
 *	span_text(span, "db.system.name", "sqlite");
 *	...
 *	span_end(span, rc == RC_OK ? NULL : error_table[rc].code);
 *
 * Where spans are not wanted, or not of this trace, span_begin() gives NULL after one branch, and all else
 *takes it.
 */
#ifndef TRACE_SPAN_H
#define TRACE_SPAN_H

#include "base/ctx.h"

/* As OTLP numbers them. */
enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER, SPAN_CLIENT, SPAN_PRODUCER, SPAN_CONSUMER };

#define SPAN_ATTRIBUTES 8
#define SPAN_NAME_MAX	96
#define SPAN_TEXT_MAX	96

/* Keys are literals, by https://opentelemetry.io/docs/specs/semconv/ where that has one. */
struct span_attribute {
	const char *key;
	bool is_number;
	int64_t number;
	char text[SPAN_TEXT_MAX];
};

struct span {
	struct ctx *cx; /* NULL: of no work here, but of a trace that was told */
	struct tracer *tracer;
	enum span_kind kind;
	char trace_id[TRACE_ID_LEN + 1], id[SPAN_ID_LEN + 1], parent[SPAN_ID_LEN + 1]; /* parent "": none */
	const char *state;     /* tracestate, or NULL; as long as the span is open */
	uint64_t began, ended; /* ns since 1970 */
	char name[SPAN_NAME_MAX];
	char error[32]; /* error.type; "": it went well */
	struct span_attribute attributes[SPAN_ATTRIBUTES];
	size_t count;
};

/* Through span_begin(). NULL: memory. */
struct span *span_start(struct ctx *cx, enum span_kind kind, const char *name);

static inline struct span *span_begin(struct ctx *cx, enum span_kind kind, const char *name)
{
	return cx != NULL && cx->tracer != NULL && cx->sampled ? span_start(cx, kind, name) : NULL;
}

/* A text that is too long is cut; what is one too many is left out. */
void span_text(struct span *span, const char *key, const char *text);
void span_number(struct span *span, const char *key, int64_t number);
/* It began so long ago. */
void span_since(struct span *span, uint64_t ns);

/* `error`: what went wrong, in a word (error.type); NULL: nothing. The one before it is open again. */
void span_end(struct span *span, const char *error);

/* Of work that belongs to the trace of an event: begun at `began` (span_clock()), and over. Attributes are
 * added before span_end(). NULL: not wanted. */
struct span *span_of_trace(struct ctx *cx, const char *trace_id, enum span_kind kind, const char *name,
			   uint64_t began);
/* ns since 1970. */
uint64_t span_clock(void);

#endif
