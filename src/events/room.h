/*
 * What each room's database holds for events, besides its outbox: where its relay stands, and which events
 * its consumers have had their effect of. The queries are of relay.sql and effects.sql, made once for each
 * room; these are their structs, and the set of them that a relay or a consumer of that room is given.
 */
#ifndef EVENTS_ROOM_H
#define EVENTS_ROOM_H

#include "db/db.h"
#include "events/event.h"

/* The one row of <room>_relay. */
struct relay_state {
	struct uuid source; /* the database's own id, under which streams know it */
	struct uuid holder; /* the relay that may mark events; nil: none */
	int64_t beat;	    /* moves while the holder lives */
	int64_t sequence;   /* of the last event marked */
};

/* That a consumer group had its effect of an event. */
struct effect {
	struct uuid tenant_id;
	const char *consumer; /* the group */
	struct uuid event_id;
	utime applied_at;
};

struct relay_queries {
	enum room room;
	const struct query *read, *take, *give, *hold, *waiting, *mark, *advance, *next, *renew, *oldest,
		*purge, *backlog, *unsent;
};

struct effect_queries {
	enum room room;
	const struct query *add, *find, *purge;
};

/* Subjects that were erased, and of which a stream may still have events. */
struct erased_queries {
	enum room room;
	const char *stream;
	const struct query *next; /* in: struct erased_after, out: struct bus_subject */
	const struct query *done; /* in: struct bus_subject */
};

/* RELAY_QUERIES(booking) */
#define RELAY_QUERIES(name)                                                                             \
	{                                                                                               \
		.room = ROOM_##name, .read = &q_##name##_relay_read_query,                              \
		.take = &q_##name##_relay_take_query, .give = &q_##name##_relay_give_query,             \
		.hold = &q_##name##_relay_hold_query, .waiting = &q_##name##_relay_waiting_query,       \
		.mark = &q_##name##_relay_mark_query, .advance = &q_##name##_relay_advance_query,       \
		.next = &q_##name##_relay_next_query, .renew = &q_##name##_relay_renew_query,           \
		.oldest = &q_##name##_outbox_oldest_query, .purge = &q_##name##_outbox_purge_query,     \
		.backlog = &q_##name##_outbox_backlog_query, .unsent = &q_##name##_outbox_unsent_query, \
	}

#define EFFECT_QUERIES(name)                                                                     \
	{                                                                                        \
		.room = ROOM_##name, .add = &q_##name##_effect_add_query,                        \
		.find = &q_##name##_effect_find_query, .purge = &q_##name##_effects_purge_query, \
	}

/* What these queries take and give. */
struct relay_take {
	struct uuid holder;
	int64_t beat; /* as it was read: nobody else has been here since */
};
struct relay_holder {
	struct uuid holder;
};
/* `least`: of the database's last number; less, and it is not the one that the streams know. */
struct relay_hold {
	struct uuid holder;
	int64_t least;
};
struct relay_mark {
	struct uuid holder;
	int64_t least, limit;
};
struct relay_renew {
	struct uuid holder, source;
};
struct relay_sequence {
	int64_t sequence;
};
struct relay_next {
	const char *stream;
	int64_t sequence, limit;
};
struct outbox_oldest {
	const char *stream;
};
struct outbox_age {
	utime created_at;
};
struct outbox_limit {
	int64_t limit;
};
struct outbox_backlog {
	int64_t count;
	utime oldest; /* UTIME_NONE: none waits */
};
struct outbox_purge {
	const char *stream;
	int64_t sequence, limit;
	utime before;
};
struct effect_find {
	struct uuid tenant_id;
	const char *consumer;
	struct uuid event_id;
};
/* tenant_id nil: from the first on. */
struct erased_after {
	struct uuid tenant_id;
	int64_t limit;
};
/* What is older goes, so many rows at once. */
struct purge {
	utime before;
	int64_t limit;
};
struct effects_purge {
	struct uuid before; /* ids of version 7 begin with their time */
	int64_t limit;
};

#endif
