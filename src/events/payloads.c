/* See payloads.h. */
#include "events/payloads.h"

/* clang-format off */
SHAPE_DEFINE(booking_created, BOOKING_CREATED);
SHAPE_DEFINE(booking_updated, BOOKING_UPDATED);
SHAPE_DEFINE(booking_cancelled, BOOKING_CANCELLED);
SHAPE_DEFINE(booking_status_changed, BOOKING_STATUS_CHANGED);
SHAPE_DEFINE(booking_erased, BOOKING_ERASED);
SHAPE_DEFINE(tenant_ids, TENANT_IDS);
SHAPE_DEFINE(user_ids, USER_IDS);
SHAPE_DEFINE(session_ids, SESSION_IDS);
SHAPE_DEFINE(api_key_ids, API_KEY_IDS);
SHAPE_DEFINE(provider_ids, PROVIDER_IDS);
SHAPE_DEFINE(resource_ids, RESOURCE_IDS);
SHAPE_DEFINE(category_ids, CATEGORY_IDS);

const struct event_type event_types[] = {
	{"booking.created", STREAM_BOOKINGS, &booking_created_shape, "A booking was made."},
	{"booking.updated", STREAM_BOOKINGS, &booking_updated_shape, "Something of a booking changed, besides its status."},
	{"booking.cancelled", STREAM_BOOKINGS, &booking_cancelled_shape, "A booking was cancelled, by whatever way."},
	{"booking.status_changed", STREAM_BOOKINGS, &booking_status_changed_shape, "A booking's status changed, other than by cancelling."},
	{"booking.erased", STREAM_BOOKINGS, &booking_erased_shape, "What a booking said of a person was erased at his request."},
	{"tenant.deleted", STREAM_DELETIONS, &tenant_ids_shape, "A tenant was removed."},
	{"user.deleted", STREAM_DELETIONS, &user_ids_shape, "A user was removed."},
	{"user.erased", STREAM_DELETIONS, &user_ids_shape, "What is known of a user was erased at his request; user.deleted came before."},
	{"resource.deleted", STREAM_DELETIONS, &resource_ids_shape, "A resource was removed."},
	{"tenant.settings_changed", STREAM_TENANTS, &tenant_ids_shape, "A tenant or its settings changed."},
	{"resource.changed", STREAM_TENANTS, &resource_ids_shape, "A resource changed; or its category, which is then named by category_id."},
	{"user.changed", STREAM_TENANTS, &user_ids_shape, "A user changed."},
	{"session.revoked", STREAM_TENANTS, &session_ids_shape, "A login was ended: by logging out, by whoever may change users, or because its refresh token came twice."},
	{"api_key.created", STREAM_TENANTS, &api_key_ids_shape, "A tenant's programs may call by one more API key."},
	{"api_key.revoked", STREAM_TENANTS, &api_key_ids_shape, "Nobody calls by that API key any more."},
	{"provider.changed", STREAM_TENANTS, &provider_ids_shape, "An identity provider of a tenant was registered, or changed."},
	{"provider.deleted", STREAM_TENANTS, &provider_ids_shape, "Nobody logs in by that identity provider any more."},
	{.type = NULL},
};
/* clang-format on */
