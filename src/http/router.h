/* From a method and a path to a route. Made once from all routes tables; read by all threads. */
#ifndef HTTP_ROUTER_H
#define HTTP_ROUTER_H

#include "http/route.h"

struct router;

/* NULL when memory is short. */
struct router *router_create(const struct service *const *services, size_t count) MUST_USE;
void router_destroy(struct router *router);

struct router_match {
	const struct route *route; /* NULL: see allowed */
	const struct service *service;
	size_t index;	  /* of the route among all, for counters */
	struct str param; /* what stands for {name}, still encoded */
	unsigned allowed; /* methods that the path takes: 1 << enum http_method; 0: no such path */
};

/* A trailing slash makes no difference. */
struct router_match router_find(const struct router *router, enum http_method method, struct str path);
size_t router_count(const struct router *router);
const struct route *router_route(const struct router *router, size_t index);

#endif
