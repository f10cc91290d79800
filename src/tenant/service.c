/* The tenant service: its routes, and what it keeps for each thread. */
#include "tenant/client.h"
#include "tenant/tenant.h"

/* clang-format off */
static const struct route routes[] = {
	{
		.method = HTTP_POST_, .path = "/tenants", .id = "createTenant",
		.summary = "Register an organisation.", .access = ACCESS_OPERATOR,
		.body = &tenant_new_shape, .versioned = true, .handler = tenant_create,
		.replies = {{201, &tenant_shape, .doc = "The new tenant."}},
		.errors = {RC_DOMAIN_TAKEN},
	}, {
		.method = HTTP_GET_, .path = "/tenants", .id = "listTenants",
		.summary = "List organisations.", .access = ACCESS_OPERATOR,
		.query = &tenant_filter_shape, .handler = tenant_list,
		.replies = {{200, &tenant_shape, .list = true, .doc = "A page of tenants."}},
	}, {
		.method = HTTP_GET_, .path = "/tenants/by-domain/{domain}", .id = "getBrand",
		.summary = "What a booking page shows of an organisation.", .access = ACCESS_PUBLIC,
		.handler = tenant_by_domain,
		.replies = {{200, &brand_shape, .doc = "Its public brand."}},
		.errors = {RC_TENANT_UNKNOWN},
	}, {
		.method = HTTP_GET_, .path = "/tenants/{id}", .id = "getTenant",
		.summary = "One organisation.", .access = ACCESS_USER,
		.versioned = true, .handler = tenant_get,
		.replies = {{200, &tenant_shape, .doc = "The tenant."}},
		.errors = {RC_TENANT_UNKNOWN},
	}, {
		.method = HTTP_PUT_, .path = "/tenants/{id}", .id = "updateTenant",
		.summary = "Change what is sent of an organisation.", .access = ACCESS_ADMIN,
		.doc = "`domain`, `plan` and `is_active` are changed by the operator alone (403).",
		.body = &tenant_new_shape, .change = true, .versioned = true, .handler = tenant_update,
		.replies = {{200, &tenant_shape, .doc = "The tenant as it is now."}},
		.errors = {RC_TENANT_UNKNOWN, RC_DOMAIN_TAKEN},
	}, {
		.method = HTTP_DELETE_, .path = "/tenants/{id}", .id = "deleteTenant",
		.summary = "Remove an organisation with all that it has.", .access = ACCESS_OPERATOR,
		.versioned = true, .handler = tenant_delete,
		.replies = {{204, .doc = "Removed."}},
		.errors = {RC_TENANT_UNKNOWN},
	}, {
		.method = HTTP_GET_, .path = "/tenants/{id}/settings", .id = "getSettings",
		.summary = "The rules of booking of an organisation.", .access = ACCESS_USER,
		.versioned = true, .handler = settings_get,
		.replies = {{200, &settings_shape, .doc = "Its settings."}},
		.errors = {RC_TENANT_UNKNOWN, RC_SETTINGS_UNKNOWN},
	}, {
		.method = HTTP_PUT_, .path = "/tenants/{id}/settings", .id = "updateSettings",
		.summary = "Change what is sent of the rules of booking.", .access = ACCESS_ADMIN,
		.body = &settings_new_shape, .change = true, .versioned = true, .handler = settings_update,
		.replies = {{200, &settings_shape, .doc = "The settings as they are now."}},
		.errors = {RC_TENANT_UNKNOWN},
	},
};
/* clang-format on */

const struct service tenant_service = {
	.name = "tenant",
	.collection = "tenants",
	.title = "Tenants",
	.doc = "Organisations, their brand and their rules of booking.",
	.room = ROOM_tenant,
	.routes = routes,
	.route_count = ARRAY_LEN(routes),
	.local_create = tenant_local_create,
	.local_destroy = tenant_local_destroy,
};
