/*
 * See router.h. Paths are compared segment by segment, in buckets by their first segment:
 * a service has a handful of paths, so a bucket is read from end to end faster than a tree is walked.
 */
#include "http/router.h"

#include <stdlib.h>

#define SEGMENTS_MAX 5
#define BUCKETS	     64

struct segments {
	struct str part[SEGMENTS_MAX];
	size_t count;
};

struct entry {
	const struct route *route;
	const struct service *service;
	struct segments path;
	int param;   /* the segment that is {name}; -1: none */
	size_t next; /* in the bucket: index + 1; 0 ends it */
};

struct router {
	size_t count;
	size_t bucket[BUCKETS];
	struct entry entries[];
};

/* False when there are too many. */
static bool split(struct str path, struct segments *ret)
{
	size_t at = 0, start;

	*ret = (struct segments){0};
	if (path.len > 1 && path.p[path.len - 1] == '/')
		path.len--;
	while (at < path.len) {
		start = ++at; /* over the slash */
		while (at < path.len && path.p[at] != '/')
			at++;
		if (ret->count == SEGMENTS_MAX)
			return false;
		ret->part[ret->count++] = (struct str){path.p + start, at - start};
	}
	return true;
}

static size_t bucket_of(const struct segments *path)
{
	uint32_t hash = 2166136261u; /* FNV-1a */

	for (size_t i = 0; i < path->part[0].len; i++)
		hash = (hash ^ (unsigned char)path->part[0].p[i]) * 16777619u;
	return hash % BUCKETS;
}

static void entry_add(struct router *router, const struct service *service, const struct route *route)
{
	struct entry *entry = &router->entries[router->count];
	size_t *bucket;

	*entry = (struct entry){.route = route, .service = service, .param = -1};
	if (!split(str_from(route->path), &entry->path))
		abort(); /* a routes table is wrong: SEGMENTS_MAX */
	for (size_t i = 0; i < entry->path.count; i++)
		if (entry->path.part[i].p[0] == '{')
			entry->param = (int)i;
	bucket = &router->bucket[bucket_of(&entry->path)];
	entry->next = *bucket;
	*bucket = ++router->count;
}

struct router *router_create(const struct service *const *services, size_t count)
{
	struct router *router;
	size_t routes = 0;

	for (size_t i = 0; i < count; i++)
		routes += services[i]->route_count;
	router = calloc(1, sizeof(*router) + routes * sizeof(router->entries[0]));
	if (router == NULL)
		return NULL;
	/* Last first, so that a bucket is read in the tables' order: fixed paths stand before {id}. */
	for (size_t i = count; i-- > 0;)
		for (size_t j = services[i]->route_count; j-- > 0;)
			entry_add(router, services[i], &services[i]->routes[j]);
	return router;
}

void router_destroy(struct router *router)
{
	free(router);
}

static bool matches(const struct entry *entry, const struct segments *path)
{
	if (entry->path.count != path->count)
		return false;
	for (size_t i = 0; i < path->count; i++) {
		if ((int)i == entry->param ? path->part[i].len == 0
					   : !str_equal(entry->path.part[i], path->part[i]))
			return false;
	}
	return true;
}

struct router_match router_find(const struct router *router, enum http_method method, struct str path)
{
	struct router_match found = {0};
	enum http_method wanted = method == HTTP_HEAD_ ? HTTP_GET_ : method;
	const struct entry *first = NULL;
	struct segments asked;

	if (!split(path, &asked))
		return found;
	for (size_t i = router->bucket[bucket_of(&asked)]; i != 0; i = router->entries[i - 1].next) {
		const struct entry *entry = &router->entries[i - 1];

		if (!matches(entry, &asked))
			continue;
		/* "/users/me" is not "/users/{id}": the first path that fits hides later ones. */
		if (first != NULL && strcmp(first->route->path, entry->route->path) != 0)
			continue;
		first = first != NULL ? first : entry;
		found.allowed |= 1u << entry->route->method;
		if (entry->route->method != wanted)
			continue;
		found.route = entry->route;
		found.service = entry->service;
		found.index = i - 1;
		found.param = entry->param >= 0 ? asked.part[entry->param] : (struct str){0};
	}
	if (found.allowed & 1u << HTTP_GET_)
		found.allowed |= 1u << HTTP_HEAD_;
	return found;
}

size_t router_count(const struct router *router)
{
	return router->count;
}

const struct route *router_route(const struct router *router, size_t index)
{
	return router->entries[index].route;
}
