/*
 * The trace that a request belongs to (W3C Trace Context), its id (X-Request-ID), and its own span. Taken
 * from the caller where he sent them, made where he did not; told back in the reply's headers either way.
 */
#ifndef HTTP_REQUEST_TRACE_H
#define HTTP_REQUEST_TRACE_H

#include "base/base.h"

struct req;
struct route;

/* Once rq->cx has its world, its arena and its tracer. */
void request_trace_begin(struct req *rq);
/* The reply is known. `route` NULL: none takes it. `ns`: since the request's head was complete. */
void request_trace_end(struct req *rq, const struct route *route, uint64_t ns);

#endif
