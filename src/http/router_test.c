/* From method and path to a route: fixed paths before parameters, slashes, and which methods a path takes. */
#include "http/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct route tenant_routes[] = {
	{.method = HTTP_POST_, .path = "/tenants", .id = "create"},
	{.method = HTTP_GET_, .path = "/tenants", .id = "list"},
	{.method = HTTP_GET_, .path = "/tenants/by-domain/{domain}", .id = "brand"},
	{.method = HTTP_GET_, .path = "/tenants/me", .id = "me"},
	{.method = HTTP_GET_, .path = "/tenants/{id}", .id = "get"},
	{.method = HTTP_PUT_, .path = "/tenants/{id}", .id = "update"},
	{.method = HTTP_DELETE_, .path = "/tenants/{id}", .id = "delete"},
	{.method = HTTP_PATCH_, .path = "/tenants/{id}/settings", .id = "settings"},
};

static const struct route other_routes[] = {
	{.method = HTTP_GET_, .path = "/", .id = "landing"},
	{.method = HTTP_POST_, .path = "/a/b/c/d/{name}", .id = "five"},
};

static const struct service tenants = {.name = "tenant",
				       .routes = tenant_routes,
				       .route_count = ARRAY_LEN(tenant_routes)};
static const struct service others = {.name = "other",
				      .routes = other_routes,
				      .route_count = ARRAY_LEN(other_routes)};

static int begin(void **state)
{
	static const struct service *const services[] = {&tenants, &others};

	*state = router_create(services, ARRAY_LEN(services));
	return *state == NULL;
}

static int end(void **state)
{
	router_destroy(*state);
	return 0;
}

#define M(method) (1u << HTTP_##method##_)

struct row {
	enum http_method method;
	unsigned allowed;
	const char *path;
	const char *id;	   /* NULL: no route */
	const char *param; /* NULL: none */
};

#define COLLECTION (M(GET) | M(HEAD) | M(POST))
#define ITEM	   (M(GET) | M(HEAD) | M(PUT) | M(DELETE))
#define READ	   (M(GET) | M(HEAD))

/* clang-format off */
static const struct row rows[] = {
	{HTTP_GET_, COLLECTION, "/tenants", "list", NULL},
	{HTTP_GET_, COLLECTION, "/tenants/", "list", NULL},
	{HTTP_POST_, COLLECTION, "/tenants", "create", NULL},
	{HTTP_POST_, COLLECTION, "/tenants/", "create", NULL},
	{HTTP_HEAD_, COLLECTION, "/tenants", "list", NULL},
	{HTTP_DELETE_, COLLECTION, "/tenants", NULL, NULL},
	{HTTP_OPTIONS_, COLLECTION, "/tenants", NULL, NULL},
	{HTTP_OTHER_, COLLECTION, "/tenants/", NULL, NULL},

	{HTTP_GET_, ITEM, "/tenants/7", "get", "7"},
	{HTTP_GET_, ITEM, "/tenants/7/", "get", "7"},
	{HTTP_HEAD_, ITEM, "/tenants/7", "get", "7"},
	{HTTP_PUT_, ITEM, "/tenants/7", "update", "7"},
	{HTTP_DELETE_, ITEM, "/tenants/%37", "delete", "%37"},
	{HTTP_POST_, ITEM, "/tenants/7", NULL, NULL},
	{HTTP_PATCH_, M(PATCH), "/tenants/7/settings", "settings", "7"},
	{HTTP_HEAD_, M(PATCH), "/tenants/7/settings", NULL, NULL},

	/* A fixed path hides the parameter that comes after it, for every method. */
	{HTTP_GET_, READ, "/tenants/me", "me", NULL},
	{HTTP_PUT_, READ, "/tenants/me", NULL, NULL},
	{HTTP_GET_, READ, "/tenants/by-domain/a.com", "brand", "a.com"},
	{HTTP_GET_, READ, "/tenants/by-domain/a.com/", "brand", "a.com"},
	{HTTP_GET_, READ, "/tenants/by-domain/settings", "brand", "settings"},
	{HTTP_PATCH_, READ, "/tenants/by-domain/settings", NULL, NULL},
	{HTTP_GET_, ITEM, "/tenants/by-domain", "get", "by-domain"},

	{HTTP_GET_, READ, "/", "landing", NULL},
	{HTTP_GET_, READ, "//", "landing", NULL},
	{HTTP_POST_, M(POST), "/a/b/c/d/e", "five", "e"},
	{HTTP_POST_, M(POST), "/a/b/c/d/e/", "five", "e"},

	/* Nothing there */
	{HTTP_GET_, 0, "", NULL, NULL},
	{HTTP_GET_, 0, "/tenants//", NULL, NULL},
	{HTTP_GET_, 0, "///", NULL, NULL},
	{HTTP_GET_, 0, "//tenants", NULL, NULL},
	{HTTP_GET_, 0, "/tenants//settings", NULL, NULL},
	{HTTP_GET_, 0, "/tenants/by-domain//", NULL, NULL},
	{HTTP_GET_, 0, "/Tenants", NULL, NULL},
	{HTTP_GET_, 0, "/tenant", NULL, NULL},
	{HTTP_GET_, 0, "/tenantss", NULL, NULL},
	{HTTP_GET_, 0, "/tenants/7/other", NULL, NULL},
	{HTTP_GET_, 0, "/tenants/{id}/x", NULL, NULL},
	{HTTP_POST_, 0, "/a/b/c/d", NULL, NULL},
	{HTTP_POST_, 0, "/a/b/c/d/e/f", NULL, NULL},
	{HTTP_POST_, 0, "/a/b/c/d/e/f/g/h/i/j/k/l/m/n", NULL, NULL},
	{HTTP_POST_, 0, "/a/b/c/d//", NULL, NULL},
};
/* clang-format on */

static void check(const struct router *router, const struct row *row)
{
	struct router_match match = router_find(router, row->method, str_from(row->path));
	const char *id = match.route != NULL ? match.route->id : NULL;

	if ((id == NULL) != (row->id == NULL) || (id != NULL && strcmp(id, row->id) != 0))
		fail_msg("%d %s: %s", row->method, row->path, id != NULL ? id : "no route");
	if (match.allowed != row->allowed)
		fail_msg("%d %s: allows %#x and not %#x", row->method, row->path, match.allowed,
			 row->allowed);
	if (id == NULL)
		return;
	if (!str_equal(match.param, str_from(row->param)))
		fail_msg("%s: its parameter is \"%.*s\"", row->path, (int)match.param.len, match.param.p);
	assert_ptr_equal(router_route(router, match.index), match.route);
	assert_ptr_equal(match.service,
			 strcmp(id, "landing") == 0 || strcmp(id, "five") == 0 ? &others : &tenants);
}

static void table(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(*state, &rows[i]);
}

static void every_route_has_one_index(void **state)
{
	const struct router *router = *state;

	assert_int_equal(router_count(router), ARRAY_LEN(tenant_routes) + ARRAY_LEN(other_routes));
	for (size_t i = 0; i < router_count(router); i++)
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(router_route(router, i), router_route(router, j));
}

/* More first segments than buckets: they share, and are still told apart. */
static void many_collections(void **state)
{
	(void)state;
	enum { COUNT = 300 };
	static char paths[COUNT][32];
	static struct route routes[COUNT];
	struct service service = {.name = "many", .routes = routes, .route_count = COUNT};
	const struct service *const services[] = {&service};
	struct router *router;

	for (int i = 0; i < COUNT; i++) {
		snprintf(paths[i], sizeof(paths[i]), "/c%d/{id}", i);
		routes[i] = (struct route){.method = HTTP_GET_, .path = paths[i], .id = paths[i]};
	}
	router = router_create(services, 1);
	assert_non_null(router);
	for (int i = 0; i < COUNT; i++)
		assert_ptr_equal(router_find(router, HTTP_GET_, str_from(paths[i])).route, &routes[i]);
	assert_null(router_find(router, HTTP_GET_, STR("/c300/x")).route);
	router_destroy(router);
	router_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(table, begin, end),
		cmocka_unit_test_setup_teardown(every_route_has_one_index, begin, end),
		cmocka_unit_test(many_collections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
