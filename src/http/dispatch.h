/*
 * The dispatcher stands between HTTP and the handlers: routes, parses, runs the
 * handler on a fiber, turns its enum rc into an RFC 9457 body, counts. Handlers never
 * see HTTP framing or JSON; the server never sees routes.
 */
#ifndef HTTP_DISPATCH_H
#define HTTP_DISPATCH_H

#include "db/db.h"
#include "http/req.h"

struct dispatcher;

struct dispatcher_options {
	const struct service *const *services;
	size_t service_count;
	struct db *const *dbs; /* by room; NULL where this process keeps no such store */
	const struct world *world;
	const struct config *config;
	void *app; /* req_app() */
};

enum rc dispatcher_create(const struct dispatcher_options *options, struct dispatcher **ret) MUST_USE;
void dispatcher_destroy(struct dispatcher *dispatcher);

/* For http_server_create(). */
struct http_callbacks dispatcher_callbacks(struct dispatcher *dispatcher);

/* The process that a request is served by: main.c's own, for the gateway's routes. */
void *req_app(const struct req *rq);

/* How many replies each route gave, by the first digit of their status. */
enum { STATUS_CLASSES = 6 };
uint64_t dispatcher_count(const struct dispatcher *dispatcher, size_t route, int status_class);
const struct router *dispatcher_router(const struct dispatcher *dispatcher);

#endif
