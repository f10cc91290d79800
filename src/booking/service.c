/* The booking service: its routes. */
#include "booking/booking.h"
#include "booking/counts.h"

/* clang-format off */
/* What parties_find() and booking_check() can say. */
#define RULES                                                                                              \
	RC_TENANT_UNKNOWN, RC_RESOURCE_UNKNOWN, RC_USER_UNKNOWN, RC_RESOURCE_NOT_TENANTS, RC_USER_NOT_TENANTS, \
	RC_TENANT_INACTIVE, RC_RESOURCE_UNAVAILABLE, RC_END_BEFORE_START, RC_IN_THE_PAST, RC_TOO_FAR_AHEAD, \
	RC_BAD_DURATION, RC_OUTSIDE_HOURS, RC_CLOSED_WEEKDAY, RC_OUTSIDE_SCHEDULE, RC_CONFLICT, RC_OFF_GRID, \
	RC_BAD_TRANSITION

static const struct route routes[] = {
	{
		.method = HTTP_POST_, .path = "/bookings", .id = "createBooking",
		.summary = "Book a resource for a period.", .access = ACCESS_BOOK,
		.doc = "For oneself; staff and API keys for any user of the tenant. Only staff say another `status` than `pendente`.",
		.body = &booking_new_shape, .versioned = true, .handler = booking_create,
		.replies = {{201, &booking_shape, .doc = "The new booking."}},
		.errors = {RULES, RC_CHANGED_MEANWHILE},
	}, {
		.method = HTTP_GET_, .path = "/bookings", .id = "listBookings",
		.summary = "List a tenant's bookings by their start.", .access = ACCESS_USER,
		.doc = "One's own; with `can_view_all_bookings` everybody's. To ask for another user's without it is 403. "
			"A page looks at a bounded number of bookings: where few of them fit it is short, or empty, and "
			"`X-Next-Cursor` leads on all the same.",
		.query = &booking_filter_shape, .handler = booking_list,
		.replies = {{200, &booking_shape, .list = true, .doc = "A page of bookings."}},
		.errors = {RC_TENANT_UNKNOWN, RC_FORBIDDEN},
	}, {
		.method = HTTP_GET_, .path = "/bookings/{id}", .id = "getBooking",
		.summary = "One booking.", .access = ACCESS_USER,
		.doc = "One's own; with `can_view_all_bookings` anybody's of the tenant.",
		.versioned = true, .handler = booking_get,
		.replies = {{200, &booking_shape, .doc = "The booking."}},
		.errors = {RC_BOOKING_UNKNOWN},
	}, {
		.method = HTTP_PUT_, .path = "/bookings/{id}", .id = "updateBooking",
		.summary = "Change what is sent of a booking.", .access = ACCESS_BOOK,
		.doc = "One's own; staff and API keys anybody's of the tenant. Only staff confirm or complete it.",
		.body = &booking_new_shape, .change = true, .versioned = true, .handler = booking_update,
		.replies = {{200, &booking_shape, .doc = "The booking as it is now."}},
		.errors = {RC_BOOKING_UNKNOWN, RULES, RC_CANCEL_TOO_LATE},
	}, {
		.method = HTTP_PATCH_, .path = "/bookings/{id}/cancel", .id = "cancelBooking",
		.summary = "Cancel a booking; its time is free at once.", .access = ACCESS_USER,
		.doc = "One's own; staff, and API keys with `can_book`, anybody's of the tenant. With a token, `cancelled_by` "
		       "becomes who asks: the id of the user, `api_key:` and the key's, or `operator`.",
		.body = &cancellation_shape, .body_optional = true, .query = &cancellation_query_shape,
		.versioned = true, .handler = booking_cancel,
		.replies = {{200, &booking_shape, .doc = "The booking, cancelled."}},
		.errors = {RC_BOOKING_UNKNOWN, RC_BAD_TRANSITION, RC_CANCEL_TOO_LATE, RC_FORBIDDEN},
	}, {
		.method = HTTP_DELETE_, .path = "/bookings/{id}/cancel", .id = "cancelBookingQuietly",
		.summary = "Cancel a booking, without an answer's body.", .access = ACCESS_USER,
		.doc = "As `PATCH` does.",
		.body = &cancellation_shape, .body_optional = true, .query = &cancellation_query_shape,
		.versioned = true, .handler = booking_cancel_quietly,
		.replies = {{204, .doc = "Cancelled."}},
		.errors = {RC_BOOKING_UNKNOWN, RC_BAD_TRANSITION, RC_CANCEL_TOO_LATE, RC_FORBIDDEN},
	}, {
		.method = HTTP_PATCH_, .path = "/bookings/{id}/status", .id = "setBookingStatus",
		.summary = "Confirm, complete, or cancel a booking.", .access = ACCESS_USER,
		.doc = "Staff alone confirm and complete, or say that nobody came (403); one may cancel one's own.",
		.body = &status_change_shape, .body_optional = true, .query = &status_query_shape,
		.versioned = true, .handler = booking_set_status,
		.replies = {{200, &booking_shape, .doc = "The booking as it is now."}},
		.errors = {RC_BOOKING_UNKNOWN, RC_BAD_TRANSITION, RC_CANCEL_TOO_LATE, RC_FORBIDDEN},
	},
};
/* clang-format on */

const struct service booking_service = {
	.name = "booking",
	.collection = "bookings",
	.title = "Bookings",
	.doc = "Who has what, and when.",
	.room = ROOM_booking,
	.routes = routes,
	.route_count = ARRAY_LEN(routes),
	.shared_create = booking_counts_create,
	.shared_destroy = booking_counts_destroy,
	.local_create = booking_counts_local,
	.local_destroy = booking_counts_local_end,
};
