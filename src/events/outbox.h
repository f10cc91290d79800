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
	struct uuid id; /* of the event */
	struct uuid
		change_id; /* the changed row bears it, so that the event exists only if the change does */
	int64_t ordinal;   /* among the events of one change */
	const char *stream;
	const char *type;	/* "booking.created" */
	struct uuid subject_id; /* what changed */
	const char *payload;	/* JSON */
	const char *trace_id;
	utime created_at;
};

/* The first event of a change; its payload is written next. */
struct outbox_row outbox_row(const struct ctx *cx, const char *stream, const char *type,
			     const struct uuid *tenant, const struct uuid *subject);

/* A further event of the same change. */
struct outbox_row outbox_next(const struct ctx *cx, const struct outbox_row *before, const char *type);

/* The payload from a shape. False: memory. */
bool outbox_payload(struct outbox_row *row, struct arena *arena, const struct shape *shape,
		    const void *object) MUST_USE;

#endif
