/*
 * Who may do what with which booking, beyond what the routes table asks of everybody. Pure: the principal and
 * the row, nothing else. A person acts for himself; staff, and an API key that holds can_book, for every user
 * of the tenant; can_view_all_bookings is to see, not to change.
 */
#ifndef BOOKING_PERMIT_H
#define BOOKING_PERMIT_H

#include "booking/booking.h"

bool permit_acts_for(const struct principal *who, const struct uuid *user_id);
/* A booking of this user. Whom it is hidden from is answered as if it did not exist. */
bool permit_sees(const struct principal *who, const struct uuid *user_id);

/* Whose bookings does a list show? NULL: everybody's. RC_FORBIDDEN when he asks for what he may not see. */
enum rc permit_list(const struct principal *who, const struct uuid *asked, const struct uuid **ret) MUST_USE;

/* Into this status, from another one: whoever may change it cancels; only staff confirm, complete, and say
 * that nobody came. */
enum rc permit_status(const struct principal *who, enum booking_status to) MUST_USE;

#endif
