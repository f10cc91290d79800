/*
 * A line of the log for each request, or for those that went wrong: what was asked for (the route, never the
 * address with its query), how it went, how long it took, how large the reply was. Who asked is told by ids
 * alone, and only where he was refused. A 429 is counted alone, in /metrics: they come in floods.
 */
#ifndef HTTP_REQUEST_LOG_H
#define HTTP_REQUEST_LOG_H

#include "base/base.h"

struct req;
struct route;

/* Each has the lines of the one before, too. */
enum log_requests {
	LOG_REQUESTS_NONE,   /* 401, 403 and 5xx, which somebody should look at */
	LOG_REQUESTS_ERRORS, /* and any other 4xx */
	LOG_REQUESTS_ALL,
};

/* `route` NULL: none takes it. `ns`: since its head was complete. Within the request's ctx (ctx_enter()). */
void request_log(enum log_requests which, const struct req *rq, const struct route *route, uint64_t ns);

#endif
