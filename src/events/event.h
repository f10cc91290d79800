/* An event: something that changed, as the outbox keeps it, a stream carries it and a consumer takes it. */
#ifndef EVENTS_EVENT_H
#define EVENTS_EVENT_H

#include "base/uuid.h"

#define STREAM_BOOKINGS	 "booking-events"
#define STREAM_DELETIONS "deletion-events"
#define STREAM_TENANTS	 "tenant-events"

#define STREAM_COUNT 3
extern const char *const stream_names[STREAM_COUNT];

struct event {
	struct uuid id;
	struct uuid tenant_id;
	struct uuid subject_id; /* what changed */
	const char *type;	/* "booking.created" */
	const char *payload;	/* JSON */
	const char *trace_id;
	utime occurred_at;
	int64_t version; /* of the subject after the change */
	int64_t ordinal; /* among the events of one change */
	/*
	 * In the outbox: the relay's count of this database's events, in commit order. In a stream: its place
	 * there, 1, 2, ... without gaps.
	 */
	int64_t sequence;
	const char *stream; /* STREAM_...: whatever the bus calls it outside */
};

struct events {
	struct event *items;
	size_t count;
};

#endif
