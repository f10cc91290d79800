/* The resource service: its routes, and what it keeps for each thread. */
#include "resource/client.h"
#include "resource/resource.h"

/* clang-format off */
static const struct route routes[] = {
	{
		.method = HTTP_POST_, .path = "/categories", .id = "createCategory",
		.summary = "Add a category.", .access = ACCESS_RESOURCES,
		.body = &category_new_shape, .versioned = true, .handler = category_create,
		.replies = {{201, &category_shape, .doc = "The new category."}},
		.errors = {RC_TENANT_UNKNOWN},
	}, {
		.method = HTTP_GET_, .path = "/categories", .id = "listCategories",
		.summary = "List the categories of a tenant.", .access = ACCESS_USER,
		.query = &category_filter_shape, .handler = category_list,
		.replies = {{200, &category_shape, .list = true, .doc = "A page of categories."}},
		.errors = {RC_TENANT_UNKNOWN},
	}, {
		.method = HTTP_GET_, .path = "/categories/{id}", .id = "getCategory",
		.summary = "One category.", .access = ACCESS_USER,
		.versioned = true, .handler = category_get,
		.replies = {{200, &category_shape, .doc = "The category."}},
		.errors = {RC_CATEGORY_UNKNOWN},
	}, {
		.method = HTTP_PUT_, .path = "/categories/{id}", .id = "updateCategory",
		.summary = "Change what is sent of a category.", .access = ACCESS_RESOURCES,
		.body = &category_new_shape, .change = true, .versioned = true, .handler = category_update,
		.replies = {{200, &category_shape, .doc = "The category as it is now."}},
		.errors = {RC_CATEGORY_UNKNOWN},
	}, {
		.method = HTTP_DELETE_, .path = "/categories/{id}", .id = "deleteCategory",
		.summary = "Remove a category that no resource is of.", .access = ACCESS_RESOURCES,
		.versioned = true, .handler = category_delete,
		.replies = {{204, .doc = "Removed."}},
		.errors = {RC_CATEGORY_UNKNOWN, RC_CATEGORY_IN_USE},
	}, {
		.method = HTTP_POST_, .path = "/resources", .id = "createResource",
		.summary = "Add something that can be booked.", .access = ACCESS_RESOURCES,
		.body = &resource_new_shape, .versioned = true, .handler = resource_create,
		.replies = {{201, &resource_shape, .doc = "The new resource."}},
		.errors = {RC_TENANT_UNKNOWN, RC_CATEGORY_UNKNOWN, RC_CHANGED_MEANWHILE},
	}, {
		.method = HTTP_GET_, .path = "/resources", .id = "listResources",
		.summary = "List the resources of a tenant.", .access = ACCESS_USER,
		.query = &resource_filter_shape, .handler = resource_list,
		.replies = {{200, &resource_shape, .list = true, .doc = "A page of resources."}},
		.errors = {RC_TENANT_UNKNOWN},
	}, {
		.method = HTTP_GET_, .path = "/resources/{id}", .id = "getResource",
		.summary = "One resource.", .access = ACCESS_USER,
		.versioned = true, .handler = resource_get,
		.replies = {{200, &resource_shape, .doc = "The resource."}},
		.errors = {RC_RESOURCE_UNKNOWN},
	}, {
		.method = HTTP_PUT_, .path = "/resources/{id}", .id = "updateResource",
		.summary = "Change what is sent of a resource.", .access = ACCESS_RESOURCES,
		.body = &resource_new_shape, .change = true, .versioned = true, .handler = resource_update,
		.replies = {{200, &resource_shape, .doc = "The resource as it is now."}},
		.errors = {RC_RESOURCE_UNKNOWN, RC_CATEGORY_UNKNOWN},
	}, {
		.method = HTTP_DELETE_, .path = "/resources/{id}", .id = "deleteResource",
		.summary = "Remove a resource; its future bookings are cancelled.", .access = ACCESS_RESOURCES,
		.versioned = true, .handler = resource_delete,
		.replies = {{204, .doc = "Removed."}},
		.errors = {RC_RESOURCE_UNKNOWN},
	}, {
		.method = HTTP_GET_, .path = "/resources/{id}/availability", .id = "getAvailability",
		.summary = "What can still be booked of a resource on one day.", .access = ACCESS_USER,
		.doc = "The resource's schedule of that local day within the tenant's working hours, on the grid of "
		       "its booking interval, without what is booked and without the past. Every slot offered "
		       "can be booked.",
		.query = &availability_query_shape, .handler = resource_availability,
		.replies = {{200, &availability_shape, .doc = "The free slots, in order."}},
		.errors = {RC_RESOURCE_UNKNOWN, RC_TENANT_UNKNOWN, RC_BAD_DATE, RC_RESOURCE_UNAVAILABLE, RC_DATE_PAST,
			   RC_DATE_TOO_FAR, RC_BOOKINGS_DOWN},
	},
};
/* clang-format on */

const struct service resource_service = {
	.name = "resource",
	.collection = "resources",
	.title = "Resources",
	.doc = "Categories, resources, and when they are free.",
	.room = ROOM_resource,
	.routes = routes,
	.route_count = ARRAY_LEN(routes),
	.local_create = resource_local_create,
	.local_destroy = resource_local_destroy,
};
