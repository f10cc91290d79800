/* How the other services ask the booking service: when is this resource taken? */
#ifndef BOOKING_CLIENT_H
#define BOOKING_CLIENT_H

#include "base/ctx.h"
#include "calendar/overlap.h"

struct writer;

/*
 * The active bookings of a resource that overlap `window`, by start; in the arena. RC_BOOKINGS_DOWN when they
 * cannot be read: never "all free".
 */
enum rc booking_busy(struct ctx *cx, const struct uuid *tenant_id, const struct uuid *resource_id,
		     struct span window, struct spans *ret) MUST_USE;

/*
 * Moves whenever a booking of the resource changes; 0, and *ret_shared, when other processes may write
 * too and nothing can be told this way.
 */
uint64_t booking_version(const struct ctx *cx, const struct uuid *resource_id, bool *ret_shared);

/* All bookings of a user, as a JSON array of what GET /bookings/{id} gives. */
enum rc booking_write_of_user(struct ctx *cx, const struct uuid *tenant_id, const struct uuid *user_id,
			      struct writer *writer) MUST_USE;

#endif
