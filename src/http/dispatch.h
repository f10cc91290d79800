/*
 * The dispatcher stands between HTTP and the handlers: routes, parses, runs the
 * handler on a fiber, turns its enum rc into an RFC 9457 body, counts. Handlers never
 * see HTTP framing or JSON; the server never sees routes.
 */
#ifndef HTTP_DISPATCH_H
#define HTTP_DISPATCH_H

#include "http/cors.h"
#include "http/req.h"
#include "http/request_log.h"
#include "http/router.h"
#include "http/traffic.h"

struct dispatcher;

struct dispatcher_options {
	const struct service *const *services;
	size_t service_count;
	const struct world *world;
	void *app; /* req_app() */
	/* Who asks: sets rq->cx.principal, or leaves it as anyone. On the request's fiber. RC_UNAUTHENTICATED
	 * when what he sent proves nothing. NULL: everybody is the operator. */
	enum rc (*authenticate)(struct req *rq);
	/* Of a route for other services of this marca (ACCESS_SERVICE): was it called by one? RC_NO_ROUTE:
	 * no. NULL: there are none. */
	enum rc (*neighbour)(const struct req *rq);
	struct rates *rates;	     /* NULL: no limits */
	const struct cors_now *cors; /* NULL: no other site's page may call */
	bool https;		     /* security_headers() */
	enum log_requests log_requests;
	struct tracer *tracer; /* NULL: no spans are wanted */
	bool strict; /* what a route's row does not name ends the process; else it is logged, and answered 500
		      */
	/* At the start and the end of each thread; `close` takes what a failed `open` left as well. */
	bool (*open)(void *app, struct room_locals *ret);
	void (*close)(void *app, struct room_locals *locals);
	/* Each time a thread is about to wait for its clients. */
	void (*rest)(const struct room_locals *locals);
};

enum rc dispatcher_create(const struct dispatcher_options *options, struct dispatcher **ret) MUST_USE;
void dispatcher_destroy(struct dispatcher *dispatcher);

/* From now on; on any thread. */
void dispatcher_set_log_requests(struct dispatcher *dispatcher, enum log_requests which);

/* For http_server_create(). */
struct http_callbacks dispatcher_callbacks(struct dispatcher *dispatcher);

/* The process that a request is served by: main.c's own, for the gateway's routes. */
void *req_app(const struct req *rq);
/* Whose pages may call; NULL: nobody's. Good for as long as the process lives. */
const struct cors *req_cors(const struct req *rq);

/* What a route was asked and answered so far; route router_count(): what no route took. On any thread. */
void dispatcher_traffic(struct dispatcher *dispatcher, size_t route, struct traffic_sum *ret);
const struct router *dispatcher_router(const struct dispatcher *dispatcher);

#endif
