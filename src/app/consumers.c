/* See consumers.h. */
#include "app/consumers.h"

#include "audit/audit.h"
#include "audit/queries.h"
#include "booking/effects.h"
#include "booking/queries.h"
#include "resource/effects.h"
#include "resource/queries.h"
#include "user/effects.h"
#include "user/queries.h"

const struct consumer_group app_groups[] = {
	{.name = "user-service", .effects = EFFECT_QUERIES(user), .steps = USER_EFFECT_STEPS},
	{
		.name = "resource-service",
		.effects = EFFECT_QUERIES(resource),
		.steps = RESOURCE_EFFECT_STEPS,
		.begin = resource_counts_begin,
		.finish = resource_counts_finish,
	},
	{.name = "booking-service", .effects = EFFECT_QUERIES(booking), .steps = BOOKING_EFFECT_STEPS},
	{.name = "audit",
	 .effects = EFFECT_QUERIES(audit),
	 .steps = AUDIT_STEPS,
	 .begin = audit_begin,
	 .finish = audit_finish},
};
const size_t app_group_count = ARRAY_LEN(app_groups);
_Static_assert(ARRAY_LEN(app_groups) <= APP_GROUPS_MAX, "room for every group");

const struct consumer app_consumers[] = {
	{"user-service", STREAM_BOOKINGS, "booking.created", user_notify},
	{"user-service", STREAM_BOOKINGS, "booking.cancelled", user_notify},
	{"user-service", STREAM_BOOKINGS, "booking.status_changed", user_notify},
	{"user-service", STREAM_DELETIONS, "tenant.deleted", user_on_tenant_deleted},

	{"resource-service", STREAM_BOOKINGS, "booking.created", resource_count},
	{"resource-service", STREAM_BOOKINGS, "booking.cancelled", resource_count},
	{"resource-service", STREAM_BOOKINGS, "booking.updated", resource_count},
	{"resource-service", STREAM_DELETIONS, "tenant.deleted", resource_on_tenant_deleted},

	{"booking-service", STREAM_DELETIONS, "resource.deleted", booking_on_resource_deleted},
	{"booking-service", STREAM_DELETIONS, "user.deleted", booking_on_user_deleted},
	{"booking-service", STREAM_DELETIONS, "user.erased", booking_on_user_erased},
	{"booking-service", STREAM_BOOKINGS, "booking.erased", booking_on_erased},
	{"booking-service", STREAM_DELETIONS, "tenant.deleted", booking_on_tenant_deleted},

	{"audit", STREAM_BOOKINGS, NULL, audit_record},
	{"audit", STREAM_DELETIONS, NULL, audit_record},
	{"audit", STREAM_TENANTS, NULL, audit_record},
};
const size_t app_consumer_count = ARRAY_LEN(app_consumers);
