/*
 * Outbox: the event that a change makes is a row, written by the same script
 * as the change. It exists if and only if the change was committed.
 *
 * Each room has its own outbox table; this is the row that all of them take.
 */
#ifndef EVENTS_OUTBOX_H
#define EVENTS_OUTBOX_H

#include "base/ctx.h"
#include "json/write.h"

#define STREAM_BOOKINGS	 "booking-events"
#define STREAM_DELETIONS "deletion-events"
#define STREAM_TENANTS	 "tenant-events"

struct outbox_row {
	struct uuid tenant_id;
	struct uuid id;		/* of the event; the changed row keeps it as change_id */
	const char *stream;
	const char *type;	/* "booking.created" */
	struct uuid subject_id; /* what changed */
	const char *payload;	/* JSON */
	const char *trace_id;
	utime created_at;
};

/* A new event of that type; its payload is written next. */
struct outbox_row outbox_row(const struct ctx *cx, const char *stream, const char *type, const struct uuid *tenant,
			     const struct uuid *subject);

/* The payload from a shape. False: memory. */
bool outbox_payload(struct outbox_row *row, struct arena *arena, const struct shape *shape, const void *object) MUST_USE;

#endif
