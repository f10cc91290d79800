/* See client.h. The store is asked each time, here or by way of who has it. */
#include "booking/client.h"

#include "booking/queries.h"
#include "json/write.h"

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

/* Of the longest notes that there can be, a page is a fifth of what is taken of a neighbour's answer. */
#define PAGE 100

/* Pages share the request's arena: all of them go into one document there anyway. */
enum rc booking_write_of_user(struct ctx *cx, const struct uuid *tenant, const struct uuid *user,
			      struct writer *writer)
{
	struct booking_page in = {.tenant_id = *tenant,
				  .user_id = *user,
				  .earliest = UTIME_MIN,
				  .until_start = UTIME_MAX,
				  .after_start = UTIME_MIN,
				  .ends_after = UTIME_MIN,
				  .limit = PAGE};
	struct booking *rows;
	size_t count = PAGE;
	bool first = true;
	enum rc rc = RC_OK;

	write_char(writer, '[');
	while (count == PAGE && rc == RC_OK) {
		rc = q_bookings_of_user(cx, &in, &rows, &count);
		for (size_t i = 0; rc == RC_OK && i < count; i++, first = false) {
			if (!first)
				write_char(writer, ',');
			write_shape(writer, &booking_shape, &rows[i]);
			in.after_start = rows[i].start_time;
			in.after_id = rows[i].id;
		}
	}
	write_char(writer, ']');
	return rc;
}
