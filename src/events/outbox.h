/*
 * Outbox: the event that a change makes is a row, written by the same script
 * as the change. It exists if and only if the change was committed.
 *
 * Each room has its own outbox table; this is the row that all of them take.
 */
#ifndef EVENTS_OUTBOX_H
#define EVENTS_OUTBOX_H

#include "db/db.h"
#include "events/event.h"
#include "json/write.h"

/*
 * When a change of a row last changed at `before` happens: now, or just after it where this request began
 * before that one's was done. So the events of one subject lie in the order of its versions.
 */
utime outbox_time(const struct ctx *cx, utime before);

struct outbox_row {
	struct uuid tenant_id;
	struct uuid id;	       /* of the event */
	struct uuid change_id; /* the changed row bears it too: no change, no event */
	int64_t ordinal;       /* among the events of one change */
	const char *stream;
	const char *type;	/* "booking.created" */
	struct uuid subject_id; /* what changed */
	const char *payload;	/* JSON */
	const char *trace_id;
	utime created_at; /* the row's updated_at after the change */
};

/* The first event of a change; its payload is written next. */
struct outbox_row outbox_row(const struct ctx *cx, const char *stream, const char *type,
			     const struct uuid *tenant, const struct uuid *subject);

/* A further event of the same change. */
struct outbox_row outbox_next(const struct ctx *cx, const struct outbox_row *before, const char *type);

/* The payload from a shape. False: memory. */
bool outbox_payload(struct outbox_row *row, struct arena *arena, const struct shape *shape,
		    const void *object) MUST_USE;

/* The step that inserts the row, by the room's own query; the relay is told of the commit. */
void outbox_add(struct script *script, const struct query *query, const struct outbox_row *row);

#endif
