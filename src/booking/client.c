/* See client.h. In process: the store is asked at once. */
#include "booking/client.h"

#include "booking/queries.h"

enum rc booking_busy(struct ctx *cx, const struct uuid *tenant, const struct uuid *resource,
		     struct span window, struct spans *ret)
{
	const struct q_bookings_busy_in in = {.tenant_id = *tenant,
					      .resource_id = *resource,
					      .start_time = window.start,
					      .end_time = window.end};
	enum rc rc = q_bookings_busy(cx, &in, &ret->items, &ret->count);

	return rc == RC_STORE_DOWN ? RC_BOOKINGS_DOWN : rc;
}

uint64_t booking_version(const struct ctx *cx, const struct uuid *resource, bool *ret_shared)
{
	const struct db_port *port = cx->ports[ROOM_booking];

	*ret_shared = db_shared(port);
	return db_version(port, resource);
}
