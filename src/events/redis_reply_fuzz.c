/*
 * Bytes as a Redis that is damaged, or is none, might send them: RESP, then entries, metadata, dead letters.
 * The same bytes come once whole and once in pieces; how they were cut may never change what is understood.
 *
 * The input's first byte says how to cut: into pieces of so many bytes.
 */
#include "events/redis_entry.h"
#include "json/arena_json.h"

#include <stdlib.h>

#define REPLIES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
	if (!fact)
		abort();
}

struct understood {
	struct redis_reply *replies[REPLIES_MAX];
	size_t count;
	bool good;
};

/* Returns whether all of it was RESP so far. */
static void understand(struct arena *arena, const char *bytes, size_t len, size_t step,
		       struct understood *ret)
{
	struct reply_reader *reader = reply_reader_create();
	struct redis_reply *reply;

	must(reader != NULL);
	*ret = (struct understood){.good = true};
	for (size_t at = 0, count; at < len && ret->good; at += count) {
		count = len - at < step ? len - at : step;
		/* A copy of the right size, so that a read beyond it is seen. */
		char *piece = malloc(count);

		must(piece != NULL);
		memcpy(piece, bytes + at, count);
		ret->good = reply_reader_feed(reader, piece, count);
		free(piece);
		while (ret->good && ret->count < REPLIES_MAX) {
			ret->good = reply_reader_next(reader, arena, &reply);
			if (!ret->good || reply == NULL)
				break;
			ret->replies[ret->count++] = reply;
		}
	}
	must(ret->good || reply_reader_why(reader) != NULL);
	reply_reader_destroy(reader);
}

static void must_agree(const struct redis_reply *a, const struct redis_reply *b)
{
	must(a->kind == b->kind && a->number == b->number && a->count == b->count);
	must(str_equal(a->text, b->text));
	must(a->text.p == NULL || a->text.p[a->text.len] == '\0');
	for (size_t i = 0; i < a->count; i++)
		must_agree(&a->items[i], &b->items[i]);
}

/* What the driver makes of an entry. */
static void use_entry(struct arena *arena, const struct redis_reply *reply)
{
	const struct dead_letter *letter;
	struct entry entry;
	struct event event;

	if (!entry_read(reply, &entry))
		return;
	if (entry_event(arena, &entry, STREAM_BOOKINGS, &event) == RC_OK) {
		must(event.sequence > 0 && strlen(event.type) == entry.type.len);
		must(strlen(event.payload) == entry.payload.len && event.trace_id != NULL);
		must(entry_metadata(arena, &event) != NULL);
	}
	must(entry_remains(arena, &entry, STREAM_BOOKINGS, &event) == RC_OK);
	must(event.type != NULL && event.payload != NULL && event.trace_id != NULL);
	if (entry_dead(arena, &entry, &letter) == RC_OK)
		must(letter->stream != NULL && letter->why != NULL &&
		     dead_letter_text(arena, letter) != NULL);
}

static void use(struct arena *arena, const struct redis_reply *reply)
{
	use_entry(arena, reply);
	(void)reply_is_error(reply, "NOGROUP");
	must(reply_member(reply, "name") != NULL);
	for (size_t i = 0; i < reply->count; i++)
		use(arena, &reply->items[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct understood whole, pieces;
	struct arena arena;

	if (size < 2)
		return 0;
	arena_json_init();
	arena_init(&arena, NULL);
	understand(&arena, (const char *)data + 1, size - 1, size - 1, &whole);
	understand(&arena, (const char *)data + 1, size - 1, data[0] % 32 + 1, &pieces);
	must(whole.good == pieces.good || whole.count == REPLIES_MAX);
	must(whole.count == pieces.count);
	for (size_t i = 0; i < whole.count; i++) {
		must_agree(whole.replies[i], pieces.replies[i]);
		use(&arena, whole.replies[i]);
	}
	arena_finish(&arena);
	return 0;
}
