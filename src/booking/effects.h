/* What follows for bookings from other services' events: rows of app/consumers.c. See cascade.c. */
#ifndef BOOKING_EFFECTS_H
#define BOOKING_EFFECTS_H

#include "events/consumer.h"

#define BOOKING_EFFECT_STEPS 1 /* what is more is done before, in scripts of its own */

enum rc booking_on_resource_deleted(struct delivery *delivery, const struct event *event);
enum rc booking_on_user_deleted(struct delivery *delivery, const struct event *event);
/* Nothing in the store says any more what the user's bookings said of him; a booking.erased each. */
enum rc booking_on_user_erased(struct delivery *delivery, const struct event *event);
/* All before it is in the stream by now: the janitor may look for it. */
enum rc booking_on_erased(struct delivery *delivery, const struct event *event);
enum rc booking_on_tenant_deleted(struct delivery *delivery, const struct event *event);

#endif
