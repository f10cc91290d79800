/* See request_trace.h. */
#include "http/request_trace.h"

#include "http/req.h"
#include "http/traceparent.h"
#include "trace/tracer.h"

#include <stdio.h>

static bool request_id_good(struct str id)
{
	if (id.len == 0 || id.len > REQUEST_ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.p[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      c == '-' || c == '_' || c == '.'))
			return false;
	}
	return true;
}

/* Where spans are wanted: whoever began the trace has decided whether it is recorded, else the ratio does. */
static bool sampled(const struct ctx *cx, const struct traceparent *caller)
{
	if (caller != NULL)
		return caller->sampled;
	return cx->tracer != NULL && tracer_samples(cx->tracer, cx->trace_id);
}

/* The trace is taken from the caller, or made. */
static void begin(struct req *rq)
{
	unsigned char random[TRACE_ID_LEN / 2 + SPAN_ID_LEN / 2];
	struct str state = http_header(rq->http, "tracestate");
	struct ctx *cx = &rq->cx;
	struct traceparent caller;
	bool called;

	cx->world->random(cx->world, random, sizeof(random));
	called = traceparent_parse(http_header(rq->http, "traceparent"), &caller);
	if (called) {
		memcpy(cx->trace_id, caller.trace_id.p, TRACE_ID_LEN);
		memcpy(cx->span_id, caller.span_id.p, SPAN_ID_LEN);
		if (tracestate_good(state))
			cx->trace_state = arena_text(cx->arena, state);
	} else {
		hex_text(cx->trace_id, random, TRACE_ID_LEN / 2);
	}
	cx->sampled = sampled(cx, called ? &caller : NULL);
	rq->span = span_begin(cx, SPAN_SERVER, "");
	if (rq->span == NULL)
		hex_text(cx->span_id, random + TRACE_ID_LEN / 2, SPAN_ID_LEN / 2);
}

/* Told back in the reply's headers. */
static void tell(struct req *rq)
{
	struct str id = http_header(rq->http, "X-Request-ID");
	char *parent = arena_alloc(rq->cx.arena, TRACEPARENT_LEN + 1);

	rq->cx.request_id = request_id_good(id) ? arena_text(rq->cx.arena, id) : rq->cx.trace_id;
	if (parent == NULL || rq->cx.request_id == NULL) {
		rq->cx.request_id = rq->cx.trace_id;
		return;
	}
	traceparent_write(parent, rq->cx.trace_id, rq->cx.span_id, rq->cx.sampled);
	req_header(rq, "X-Request-ID", rq->cx.request_id);
	req_header(rq, "traceparent", parent);
	rq->trace_headers = rq->reply.header_count;
}

void request_trace_begin(struct req *rq)
{
	begin(rq);
	tell(rq);
}

void request_trace_end(struct req *rq, const struct route *route, uint64_t ns)
{
	struct span *span = rq->span;
	char text[UUID_TEXT_LEN + 1];

	if (span == NULL)
		return;
	snprintf(span->name, sizeof(span->name), "%.*s%s%s", (int)rq->http->method_name.len,
		 rq->http->method_name.p, route != NULL ? " " : "", route != NULL ? route->path : "");
	snprintf(text, sizeof(text), "%.*s", (int)rq->http->method_name.len, rq->http->method_name.p);
	span_text(span, "http.request.method", text);
	if (route != NULL)
		span_text(span, "http.route", route->path);
	span_number(span, "http.response.status_code", rq->reply.status);
	if (!uuid_is_none(&rq->cx.principal.tenant_id))
		span_text(span, "marca.tenant_id", uuid_text(text, &rq->cx.principal.tenant_id));
	snprintf(text, sizeof(text), "%d", rq->reply.status);
	span_since(span, span_clock() - span->began < ns ? ns - (span_clock() - span->began) : 0);
	span_end(span, rq->reply.status >= 500 ? text : NULL);
}
