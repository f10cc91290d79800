/*
 * Entries: how an event lies in a stream of Redis, where programs that are not marca read it too. The fields
 * are event_type, payload and metadata (JSON); the id is <place>-0. A dead letter has a field more, `dead`.
 */
#ifndef EVENTS_REDIS_ENTRY_H
#define EVENTS_REDIS_ENTRY_H

#include "events/event.h"
#include "events/redis_reply.h"
#include "json/shape.h"

/* Redis's own order of entries. */
struct entry_id {
	uint64_t first, second;
};

bool entry_id_parse(struct str text, struct entry_id *ret) MUST_USE;
bool entry_id_before(struct entry_id a, struct entry_id b);
/* The place of what has that id: its first number, as far as it goes. */
int64_t entry_id_place(struct entry_id id);

/* As it came; a field that is not there is absent. */
struct entry {
	const char *id_text;
	struct entry_id id;
	struct str type, payload, metadata, dead;
};

/* From an element of XRANGE's reply, and of others. False when it is none. */
bool entry_read(const struct redis_reply *reply, struct entry *ret) MUST_USE;

/* RC_INVALID: it is no event. Texts lie in the reply, and in the arena. */
enum rc entry_event(struct arena *arena, const struct entry *entry, const char *stream,
		    struct event *ret) MUST_USE;

/* For the log: it is no event. */
void entry_tell(const struct entry *entry, const char *stream);

/* As much of the event as there is. */
enum rc entry_remains(struct arena *arena, const struct entry *entry, const char *stream,
		      struct event *ret) MUST_USE;

/* The event's metadata up to the place, which, and a }, are still to follow. NULL: memory. */
const char *entry_metadata(struct arena *arena, const struct event *event) MUST_USE;

#define DEAD_LETTER(F, T)                                                  \
	F(T, TEXT, stream, REQUIRED, "The event's, as marca calls it.")    \
	F(T, TEXT, entry, REQUIRED, "Its id there.")                       \
	F(T, TEXT, group, REQUIRED, "Whose consumer could not handle it.") \
	F(T, TEXT, why, REQUIRED, "Why not.")                              \
	F(T, INT, tries, REQUIRED, "How often it tried.")                  \
	F(T, WHEN, buried_at, REQUIRED, "When it gave up.")
SHAPE_DECLARE(dead_letter, DEAD_LETTER);

/* The entry's `dead`. RC_INVALID: it has none that can be read. */
enum rc entry_dead(struct arena *arena, const struct entry *entry, const struct dead_letter **ret) MUST_USE;
/* As JSON. NULL: memory. */
const char *dead_letter_text(struct arena *arena, const struct dead_letter *letter) MUST_USE;

#endif
