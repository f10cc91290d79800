/* What follows for users from other services' events: rows of app/consumers.c. */
#ifndef USER_EFFECTS_H
#define USER_EFFECTS_H

#include "events/consumer.h"

#define USER_EFFECT_STEPS 2

/* booking.created, booking.cancelled, booking.status_changed: the booking's user is to be told. */
enum rc user_notify(struct delivery *delivery, const struct event *event);
/* tenant.deleted: its users are removed, as DELETE /users/{id} does; nobody calls by its API keys. */
enum rc user_on_tenant_deleted(struct delivery *delivery, const struct event *event);

/* The retention: those who were deleted before that instant are erased, as POST /users/{id}/erase does; some
 * at a call. */
enum rc user_erase_long_deleted(struct ctx *cx, utime before) MUST_USE;

#endif
