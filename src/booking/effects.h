/* What follows for bookings from other services' events: rows of app/consumers.c. See cascade.c. */
#ifndef BOOKING_EFFECTS_H
#define BOOKING_EFFECTS_H

#include "events/consumer.h"

#define BOOKING_EFFECT_STEPS 0 /* all is done before, in scripts of its own */

enum rc booking_on_resource_deleted(struct delivery *delivery, const struct event *event);
enum rc booking_on_user_deleted(struct delivery *delivery, const struct event *event);
enum rc booking_on_tenant_deleted(struct delivery *delivery, const struct event *event);

#endif
