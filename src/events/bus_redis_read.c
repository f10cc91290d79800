/* See bus_redis.c: readers, of groups and such that follow. */
#include "base/log.h"
#include "events/bus_redis.h"

#include <inttypes.h>

#define SLICE_MS   50 /* of a wait, where not all streams can be waited for at once */
#define UNREADABLE "unreadable"

static const char *id_text(struct ctx *cx, struct entry_id id)
{
	return arena_printf(cx->arena, "%" PRIu64 "-%" PRIu64, id.first, id.second);
}

/* --- Readers ------------------------------------------------------------------------ */

static const char *name_of(const struct bus_redis *bus, const struct redis_reader *reader, size_t i)
{
	return bus->names[reader->index[i]];
}

static enum rc make_groups(struct bus_redis *bus, struct ctx *cx, struct redis_reader *reader)
{
	const struct redis_reply *replies[READER_STREAMS_MAX];
	struct redis_batch batch;
	enum rc rc;

	redis_batch_init(&batch, cx);
	for (size_t i = 0; i < reader->base.count; i++) {
		redis_begin(&batch, "XGROUP");
		redis_words(&batch, "CREATE", name_of(bus, reader, i), reader->base.group, "0", "MKSTREAM",
			    NULL);
	}
	rc = redis_call(reader->link, cx, &batch, 0, replies);
	for (size_t i = 0; rc == RC_OK && i < reader->base.count; i++)
		if (!reply_is_error(replies[i], "BUSYGROUP"))
			rc = redis_expect(replies[i], REPLY_STATUS, "XGROUP CREATE");
	return rc;
}

/* UNBLOCKED: the stream went while it was waited for. */
static bool lacks_group(const struct redis_reply *const *replies, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (reply_is_error(replies[i], "NOGROUP") || reply_is_error(replies[i], "UNBLOCKED"))
			return true;
	return false;
}

/* As redis_call(); a Redis that has lost the groups gets them anew, and is asked again. */
static enum rc ask(struct bus_redis *bus, struct ctx *cx, struct redis_reader *reader,
		   struct redis_batch *batch, int wait_ms, const struct redis_reply **replies)
{
	enum rc rc = redis_call(reader->link, cx, batch, wait_ms, replies);

	if (rc != RC_OK || reader->base.group == NULL || !lacks_group(replies, batch->count))
		return rc;
	LOG(WARN, "Redis has lost a group; it is made anew", LOG_TEXT("group", reader->base.group));
	rc = make_groups(bus, cx, reader);
	return rc == RC_OK ? redis_call(reader->link, cx, batch, wait_ms, replies) : rc;
}

enum rc bus_redis_reader_open(void *self, struct ctx *cx, struct bus_reader *base, const int64_t *after)
{
	struct redis_reader *reader = (struct redis_reader *)(void *)base;
	struct bus_redis *bus = self;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < base->count; i++) {
		reader->index[i] = bus_redis_stream(base->streams[i]);
		if (reader->index[i] < 0)
			return RC_INTERNAL;
		if (base->group == NULL)
			reader->cursors[i].first = (uint64_t)after[i];
	}
	reader->link = redis_link_create(
		&(struct redis_link_options){.tasks = bus->tasks, .url = &bus->url, .trust = bus->trust});
	if (reader->link == NULL)
		return RC_NO_MEMORY;
	if (base->group != NULL)
		rc = make_groups(bus, cx, reader);
	if (rc != RC_OK)
		redis_link_destroy(reader->link);
	return rc;
}

void bus_redis_reader_close(void *self, struct bus_reader *base)
{
	(void)self;
	redis_link_destroy(((struct redis_reader *)(void *)base)->link);
}

/* --- Burying ------------------------------------------------------------------------ */

/* A field that is not there lies empty in the dead letter. */
static struct str raw(struct str field)
{
	return field.p != NULL ? field : STR("");
}

/* `entry` has the id and the fields. */
static enum rc bury(struct bus_redis *bus, struct ctx *cx, struct redis_reader *reader, size_t i,
		    const struct entry *entry, const char *why, int64_t tries)
{
	const struct dead_letter letter = {
		.stream = reader->base.streams[i],
		.entry = entry->id_text,
		.group = reader->base.group,
		.why = why,
		.tries = tries,
		.buried_at = {.at = cx->now},
	};
	const char *text = dead_letter_text(cx->arena, &letter);
	const struct str words[] = {
		str_from(name_of(bus, reader, i)),
		str_from(bus->dead),
		str_from(reader->base.group),
		str_from(entry->id_text),
		raw(entry->type),
		raw(entry->payload),
		raw(entry->metadata),
		str_from(text),
	};
	const struct redis_reply *reply;
	enum rc rc;

	if (text == NULL || entry->id_text == NULL)
		return RC_NO_MEMORY;
	rc = bus_redis_script(bus, reader->link, cx, SCRIPT_BURY, 2, words, ARRAY_LEN(words), &reply);
	if (rc == RC_OK && reply_is_error(reply, "NOGROUP"))
		return RC_OK; /* with the group went what it had pending */
	return rc == RC_OK ? redis_expect(reply, REPLY_NUMBER, "bury") : rc;
}

/* Which of the reader's streams; its count when it is none of them. */
static size_t stream_of(const struct redis_reader *reader, const char *stream)
{
	size_t i = 0;

	while (i < reader->base.count && strcmp(reader->base.streams[i], stream) != 0)
		i++;
	return i;
}

enum rc bus_redis_bury(void *self, struct ctx *cx, struct bus_reader *base, const struct event *event,
		       const char *why, int64_t tries)
{
	struct redis_reader *reader = (struct redis_reader *)(void *)base;
	const char *metadata = entry_metadata(cx->arena, event);
	size_t i = stream_of(reader, event->stream);
	struct entry entry = {
		.id_text = bus_redis_id(cx, event->sequence),
		.type = str_from(event->type),
		.payload = str_from(event->payload),
	};

	if (i == base->count)
		return RC_INTERNAL;
	if (metadata == NULL)
		return RC_NO_MEMORY;
	entry.metadata = str_from(arena_printf(cx->arena, "%s%" PRId64 "}", metadata, event->sequence));
	return bury(self, cx, reader, i, &entry, why, tries);
}

/* --- Taking ------------------------------------------------------------------------- */

/* One entry that Redis gave. *ret_good: it is an event. */
static enum rc take_entry(struct bus_redis *bus, struct ctx *cx, struct redis_reader *reader, size_t i,
			  const struct redis_reply *reply, struct event *ret, bool *ret_good)
{
	struct entry entry;
	enum rc rc;

	*ret_good = false;
	if (!entry_read(reply, &entry)) {
		LOG(WARN, "Redis gave what is no entry", LOG_TEXT("stream", reader->base.streams[i]));
		return RC_OK;
	}
	rc = entry_event(cx->arena, &entry, reader->base.streams[i], ret);
	*ret_good = rc == RC_OK;
	if (reader->base.group == NULL && entry_id_before(reader->cursors[i], entry.id))
		reader->cursors[i] = entry.id;
	if (rc != RC_INVALID)
		return rc;
	entry_tell(&entry, reader->base.streams[i]);
	return reader->base.group != NULL ? bury(bus, cx, reader, i, &entry, UNREADABLE, 1) : RC_OK;
}

/* --- Reading ------------------------------------------------------------------------ */

/* Of n streams, from the one on whose turn it is. */
static void read_words(struct redis_batch *batch, struct bus_redis *bus, struct ctx *cx,
		       const struct redis_reader *reader, size_t n)
{
	const struct bus_reader *base = &reader->base;

	redis_words(batch, "STREAMS", NULL);
	for (size_t i = 0; i < n; i++)
		redis_words(batch, name_of(bus, reader, (reader->turn + i) % base->count), NULL);
	for (size_t i = 0; i < n; i++) {
		struct entry_id cursor = reader->cursors[(reader->turn + i) % base->count];

		redis_str(batch, str_from(base->group != NULL ? ">" : id_text(cx, cursor)));
	}
}

static enum rc read_some(struct bus_redis *bus, struct ctx *cx, struct redis_reader *reader, size_t n,
			 size_t each, int wait_ms, const struct redis_reply **ret)
{
	const struct bus_reader *base = &reader->base;
	struct redis_batch batch;
	enum rc rc;

	redis_batch_init(&batch, cx);
	redis_begin(&batch, base->group != NULL ? "XREADGROUP" : "XREAD");
	if (base->group != NULL)
		redis_words(&batch, "GROUP", base->group, base->consumer, NULL);
	redis_words(&batch, "COUNT", NULL);
	redis_number(&batch, (int64_t)each);
	if (wait_ms > 0) { /* a BLOCK of 0 is for ever */
		redis_words(&batch, "BLOCK", NULL);
		redis_number(&batch, wait_ms);
	}
	read_words(&batch, bus, cx, reader, n);
	rc = ask(bus, cx, reader, &batch, wait_ms, ret);
	if (rc != RC_OK || (*ret)->kind == REPLY_NIL)
		return rc;
	return redis_expect(*ret, REPLY_LIST, base->group != NULL ? "XREADGROUP" : "XREAD");
}

/* One stream's part of a reply: its name and its entries. */
static enum rc take_stream(struct bus_redis *bus, struct ctx *cx, struct redis_reader *reader,
			   const struct redis_reply *pair, size_t max, struct events *events)
{
	const struct redis_reply *entries;
	enum rc rc = RC_OK;
	size_t i = 0;
	bool good;

	if (pair->kind != REPLY_LIST || pair->count < 2 || pair->items[0].kind != REPLY_TEXT ||
	    pair->items[1].kind != REPLY_LIST)
		return redis_nonsense("a read's reply");
	while (i < reader->base.count && !str_equal(pair->items[0].text, str_from(name_of(bus, reader, i))))
		i++;
	if (i == reader->base.count)
		return RC_OK;
	entries = &pair->items[1];
	for (size_t k = 0; k < entries->count && events->count < max && rc == RC_OK; k++) {
		rc = take_entry(bus, cx, reader, i, &entries->items[k], &events->items[events->count], &good);
		events->count += good;
	}
	return rc;
}

/* The streams of a Redis that came back empty may not reach yet what one that follows read last. */
static enum rc look_back(struct bus_redis *bus, struct ctx *cx, struct redis_reader *reader)
{
	enum rc rc = RC_OK;
	int64_t end;

	for (size_t i = 0; i < reader->base.count && rc == RC_OK; i++) {
		rc = bus_redis_end(bus, cx, reader->base.streams[i], &end);
		if (rc == RC_OK && end < entry_id_place(reader->cursors[i]))
			reader->cursors[i] = (struct entry_id){.first = 0};
	}
	return rc;
}

/* One read. COUNT is of each stream; with room for less than one of each they take turns. */
static enum rc take_round(struct bus_redis *bus, struct ctx *cx, struct redis_reader *reader, size_t max,
			  int wait_ms, struct events *events)
{
	size_t n = max < reader->base.count ? max : reader->base.count;
	const struct redis_reply *reply;
	enum rc rc = read_some(bus, cx, reader, n, max / n, wait_ms, &reply);

	reader->turn = (reader->turn + n) % reader->base.count;
	if (rc != RC_OK || reply->kind == REPLY_NIL)
		return rc;
	for (size_t i = 0; i < reply->count && rc == RC_OK; i++)
		rc = take_stream(bus, cx, reader, &reply->items[i], max, events);
	return rc;
}

/* All streams at once wait as long as there is time; those that take turns are all looked at first. */
static int patience(const struct redis_reader *reader, size_t max, size_t round, uint64_t left)
{
	if (max >= reader->base.count)
		return (int)left;
	if (round * max < reader->base.count)
		return 0;
	return left < SLICE_MS ? (int)left : SLICE_MS;
}

enum rc bus_redis_take(void *self, struct ctx *cx, struct bus_reader *base, size_t max, int wait_ms,
		       struct events *ret)
{
	struct redis_reader *reader = (struct redis_reader *)(void *)base;
	struct events events = {.items = arena_array(cx->arena, max, sizeof(struct event))};
	struct bus_redis *bus = self;
	struct task *task = task_self();
	uint64_t now = tasks_clock(bus->tasks), until = now + (wait_ms > 0 ? (uint64_t)wait_ms : 0);
	size_t round = 0;
	enum rc rc = events.items != NULL ? RC_OK : RC_NO_MEMORY;

	if (task_stopping(task) || max == 0)
		until = now;
	while (rc == RC_OK && max > 0) {
		rc = take_round(bus, cx, reader, max, patience(reader, max, round++, until - now), &events);
		now = tasks_clock(bus->tasks);
		if (events.count > 0 || task_stopping(task) || (now >= until && round * max >= base->count))
			break;
		if (now > until)
			now = until;
	}
	if (rc == RC_BUS_DOWN && until > now && task_stopping(task))
		rc = RC_OK;
	if (rc == RC_OK && events.count == 0 && base->group == NULL && !task_stopping(task))
		rc = look_back(bus, cx, reader);
	if (rc == RC_OK)
		*ret = events;
	return rc;
}

/* --- Claiming ----------------------------------------------------------------------- */

/*
 * How many to claim at once. Among what is pending may be an entry that is longer than any answer may be, and
 * every claim that has it in hand fails: its neighbours are then taken one by one, two by two and so on.
 */
static size_t claim_count(const struct redis_reader *reader, size_t max)
{
	return reader->shy > 0 && reader->shy < max ? reader->shy : max;
}

static void learn(struct redis_reader *reader, size_t max, enum rc rc)
{
	if (rc != RC_OK)
		reader->shy = 1;
	else
		reader->shy = reader->shy < max ? reader->shy * 2 : 0;
}

/* From where the last look at this stream ended; [where this one ends, entries, ids of deleted ones]. */
static enum rc claim_entries(struct bus_redis *bus, struct ctx *cx, struct redis_reader *reader, size_t i,
			     size_t max, int idle_ms, const struct redis_reply **ret)
{
	const struct redis_reply *reply;
	struct redis_batch batch;
	enum rc rc;

	redis_batch_init(&batch, cx);
	redis_begin(&batch, "XAUTOCLAIM");
	redis_words(&batch, name_of(bus, reader, i), reader->base.group, reader->base.consumer, NULL);
	redis_number(&batch, idle_ms);
	redis_str(&batch, str_from(id_text(cx, reader->cursors[i])));
	redis_words(&batch, "COUNT", NULL);
	redis_number(&batch, (int64_t)claim_count(reader, max));
	rc = ask(bus, cx, reader, &batch, 0, &reply);
	learn(reader, max, rc);
	if (rc == RC_OK)
		rc = redis_expect(reply, REPLY_LIST, "XAUTOCLAIM");
	if (rc != RC_OK)
		return rc;
	if (reply->count < 2 || reply->items[0].kind != REPLY_TEXT ||
	    !entry_id_parse(reply->items[0].text, &reader->cursors[i]))
		return redis_nonsense("XAUTOCLAIM");
	*ret = &reply->items[1];
	return redis_expect(*ret, REPLY_LIST, "XAUTOCLAIM");
}

static enum rc claim_stream(struct bus_redis *bus, struct ctx *cx, struct redis_reader *reader, size_t i,
			    size_t max, int idle_ms, struct events *ret)
{
	bool midway = reader->cursors[i].first > 0, good;
	const struct redis_reply *entries;
	size_t room = max - ret->count;
	enum rc rc = claim_entries(bus, cx, reader, i, room, idle_ms, &entries);

	/* The end was reached and nothing found: perhaps there is something before where this look began. */
	if (rc == RC_OK && entries->count == 0 && midway && reader->cursors[i].first == 0)
		rc = claim_entries(bus, cx, reader, i, room, idle_ms, &entries);
	for (size_t k = 0; rc == RC_OK && k < entries->count && ret->count < max; k++) {
		rc = take_entry(bus, cx, reader, i, &entries->items[k], &ret->items[ret->count], &good);
		ret->count += good;
	}
	return rc;
}

enum rc bus_redis_claim(void *self, struct ctx *cx, struct bus_reader *base, size_t max, int idle_ms,
			struct events *ret)
{
	struct redis_reader *reader = (struct redis_reader *)(void *)base;
	struct events events = {arena_array(cx->arena, max, sizeof(*events.items)), 0};
	enum rc rc = events.items != NULL ? RC_OK : RC_NO_MEMORY;

	for (size_t i = 0; rc == RC_OK && i < base->count && events.count < max; i++)
		rc = claim_stream(self, cx, reader, i, max, idle_ms, &events);
	if (rc == RC_OK)
		*ret = events;
	return rc;
}

enum rc bus_redis_ack(void *self, struct ctx *cx, struct bus_reader *base, const struct event *events,
		      size_t count)
{
	struct redis_reader *reader = (struct redis_reader *)(void *)base;
	const struct redis_reply *replies[READER_STREAMS_MAX];
	struct redis_batch batch;
	enum rc rc;

	redis_batch_init(&batch, cx);
	for (size_t i = 0; i < base->count; i++) {
		bool begun = false;

		for (size_t k = 0; k < count; k++) {
			if (strcmp(events[k].stream, base->streams[i]) != 0)
				continue;
			if (!begun) {
				redis_begin(&batch, "XACK");
				redis_words(&batch, name_of(self, reader, i), base->group, NULL);
			}
			begun = true;
			redis_str(&batch, str_from(bus_redis_id(cx, events[k].sequence)));
		}
	}
	rc = redis_call(reader->link, cx, &batch, 0, replies);
	for (size_t i = 0; rc == RC_OK && i < batch.count; i++)
		rc = redis_expect(replies[i], REPLY_NUMBER, "XACK");
	return rc;
}
