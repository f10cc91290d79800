/* See bus_redis.c: what an operator asks for, and the janitor. */
#include "events/bus_redis.h"

#include <inttypes.h>
#include <stdlib.h>

#define TRIM_ROUNDS	2 /* looks at the oldest entries, 1000 each */
#define TRIM_LOOK	1000
#define LONG_IDLE	STR("86400000") /* ms: a day */
#define GROUPS_MAX	1000		/* that are looked at */
#define PENDING_COLUMNS 4

/* A list of up to `max` rows that grows as replies come. */
struct rows {
	struct ctx *cx;
	char *items;
	size_t size, count, room;
};

static void *add_row(struct rows *rows)
{
	if (rows->count == rows->room) {
		size_t room = rows->room * 2 + 16;
		char *items = arena_array(rows->cx->arena, room, rows->size);

		if (items == NULL)
			return NULL;
		if (rows->count > 0)
			memcpy(items, rows->items, rows->count * rows->size);
		rows->items = items;
		rows->room = room;
	}
	return rows->items + rows->count++ * rows->size;
}

/* --- Groups ----------------------------------------------------------------------- */

/* A group as XINFO GROUPS has it. False: it is none. */
static bool group_read(const struct redis_reply *row, int64_t end, struct bus_group *ret)
{
	const struct redis_reply *name = reply_member(row, "name"), *pending = reply_member(row, "pending"),
				 *delivered = reply_member(row, "last-delivered-id"),
				 *lag = reply_member(row, "lag");
	struct entry_id id;

	if (name->kind != REPLY_TEXT || pending->kind != REPLY_NUMBER || delivered->kind != REPLY_TEXT ||
	    !entry_id_parse(delivered->text, &id))
		return false;
	ret->name = name->text.p;
	ret->pending = pending->number;
	ret->delivered = entry_id_place(id);
	/* By places, which is never too little. Redis knows of deletions, but not after each of them, nor
	 * after a seek; and a replica that has become the master tells too much for ever. */
	ret->lag = end > ret->delivered ? end - ret->delivered : 0;
	if (lag->kind == REPLY_NUMBER && lag->number < ret->lag)
		ret->lag = lag->number;
	return true;
}

static enum rc add_groups(struct bus_redis *bus, struct ctx *cx, int index, struct rows *rows)
{
	const struct redis_reply *reply;
	struct bus_group *group;
	int64_t end = 0;
	enum rc rc = bus_redis_end(bus, cx, stream_names[index], &end);

	if (rc == RC_OK)
		rc = bus_redis_ask(bus, cx, &reply, "XINFO", "GROUPS", bus->names[index], NULL);
	if (rc != RC_OK || bus_redis_missing(reply))
		return rc;
	rc = redis_expect(reply, REPLY_LIST, "XINFO GROUPS");
	for (size_t i = 0; rc == RC_OK && i < reply->count && i < GROUPS_MAX; i++) {
		group = add_row(rows);
		if (group == NULL)
			return RC_NO_MEMORY;
		group->stream = stream_names[index];
		if (!group_read(&reply->items[i], end, group))
			rc = redis_nonsense("XINFO GROUPS");
	}
	return rc;
}

enum rc bus_redis_groups(void *self, struct ctx *cx, struct bus_group **ret, size_t *ret_count)
{
	struct rows rows = {.cx = cx, .size = sizeof(struct bus_group)};
	enum rc rc = RC_OK;

	for (int i = 0; i < STREAM_COUNT && rc == RC_OK; i++)
		rc = add_groups(self, cx, i, &rows);
	if (rc != RC_OK)
		return rc;
	*ret = (struct bus_group *)(void *)rows.items;
	*ret_count = rows.count;
	return RC_OK;
}

/* --- What is pending ---------------------------------------------------------------- */

/* [id, consumer, idle, deliveries]. False: it is none. */
static bool pending_read(const struct redis_reply *row, struct bus_pending *ret)
{
	struct entry_id id;

	if (row->kind != REPLY_LIST || row->count < PENDING_COLUMNS || row->items[0].kind != REPLY_TEXT ||
	    row->items[1].kind != REPLY_TEXT || row->items[2].kind != REPLY_NUMBER ||
	    row->items[3].kind != REPLY_NUMBER || !entry_id_parse(row->items[0].text, &id))
		return false;
	ret->sequence = entry_id_place(id);
	ret->consumer = row->items[1].text.p;
	ret->idle_ms = row->items[2].number;
	ret->deliveries = row->items[3].number;
	return true;
}

static enum rc add_pending(struct bus_redis *bus, struct ctx *cx, const char *stream, const char *group,
			   size_t max, struct rows *rows)
{
	const char *name = bus->names[bus_redis_stream(stream)], *count = arena_printf(cx->arena, "%zu", max);
	const struct redis_reply *reply;
	struct bus_pending *pending;
	enum rc rc;

	if (count == NULL)
		return RC_NO_MEMORY;
	rc = bus_redis_ask(bus, cx, &reply, "XPENDING", name, group, "-", "+", count, NULL);
	if (rc != RC_OK || bus_redis_missing(reply))
		return rc;
	rc = redis_expect(reply, REPLY_LIST, "XPENDING");
	for (size_t i = 0; rc == RC_OK && i < reply->count && i < max; i++) {
		pending = add_row(rows);
		if (pending == NULL)
			return RC_NO_MEMORY;
		pending->stream = stream;
		pending->group = group;
		if (!pending_read(&reply->items[i], pending))
			rc = redis_nonsense("XPENDING");
	}
	return rc;
}

static int older_first(const void *left, const void *right)
{
	const struct bus_pending *a = left, *b = right;
	int stream_a = bus_redis_stream(a->stream), stream_b = bus_redis_stream(b->stream);

	if (a->sequence != b->sequence)
		return a->sequence < b->sequence ? -1 : 1;
	return stream_a != stream_b ? stream_a - stream_b : strcmp(a->group, b->group);
}

enum rc bus_redis_pending(void *self, struct ctx *cx, const char *group, size_t max, struct bus_pending **ret,
			  size_t *ret_count)
{
	struct rows rows = {.cx = cx, .size = sizeof(struct bus_pending)};
	struct bus_group *groups;
	size_t count;
	enum rc rc = bus_redis_groups(self, cx, &groups, &count);

	for (size_t i = 0; rc == RC_OK && i < count; i++)
		if (group == NULL || strcmp(groups[i].name, group) == 0)
			rc = add_pending(self, cx, groups[i].stream, groups[i].name, max, &rows);
	if (rc != RC_OK)
		return rc;
	if (rows.count > 0)
		qsort(rows.items, rows.count, rows.size, older_first);
	*ret = (struct bus_pending *)(void *)rows.items;
	*ret_count = rows.count < max ? rows.count : max;
	return RC_OK;
}

/* --- Dead letters ------------------------------------------------------------------- */

/* A letter whose `dead` cannot be read is still one, so that it can be seen and dropped. */
static enum rc dead_read(struct ctx *cx, const struct redis_reply *reply, struct bus_dead *ret)
{
	static const struct dead_letter none = {.stream = "", .entry = "0-0", .group = "", .why = ""};
	const struct dead_letter *letter = &none;
	struct entry entry;
	int stream;
	enum rc rc;

	if (!entry_read(reply, &entry))
		return redis_nonsense("XRANGE");
	ret->number = entry_id_place(entry.id);
	rc = entry_dead(cx->arena, &entry, &letter);
	if (rc != RC_OK && rc != RC_INVALID)
		return rc;
	stream = bus_redis_stream(letter->stream);
	ret->group = letter->group;
	ret->why = letter->why;
	ret->tries = letter->tries;
	ret->buried_at = letter->buried_at.at;
	if (!entry_id_parse(str_from(letter->entry), &entry.id))
		entry.id = (struct entry_id){.first = 0};
	return entry_remains(cx->arena, &entry, stream < 0 ? "" : stream_names[stream], &ret->event);
}

enum rc bus_redis_dead(void *self, struct ctx *cx, int64_t after, size_t max, struct bus_dead **ret,
		       size_t *ret_count)
{
	struct bus_redis *bus = self;
	const char *from = bus_redis_id(cx, after);
	const struct redis_reply *reply;
	struct bus_dead *letters;
	enum rc rc;

	if (from == NULL)
		return RC_NO_MEMORY;
	rc = bus_redis_range(bus, cx, bus->dead, from, max, &reply);
	if (rc != RC_OK)
		return rc;
	letters = arena_array(cx->arena, reply->count + 1, sizeof(*letters));
	if (letters == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < reply->count && rc == RC_OK; i++)
		rc = dead_read(cx, &reply->items[i], &letters[i]);
	if (rc != RC_OK)
		return rc;
	*ret = letters;
	*ret_count = reply->count;
	return RC_OK;
}

/* The letter of that number, if it says whose it was. */
static enum rc find_letter(struct bus_redis *bus, struct ctx *cx, const char *id,
			   const struct dead_letter **ret)
{
	const struct redis_reply *reply;
	struct entry entry;
	enum rc rc = bus_redis_ask(bus, cx, &reply, "XRANGE", bus->dead, id, id, NULL);

	if (rc == RC_OK)
		rc = redis_expect(reply, REPLY_LIST, "XRANGE");
	if (rc != RC_OK)
		return rc;
	*ret = NULL;
	if (reply->count != 1 || !entry_read(&reply->items[0], &entry))
		return RC_OK;
	rc = entry_dead(cx->arena, &entry, ret);
	return rc == RC_INVALID ? RC_OK : rc;
}

enum rc bus_redis_revive(void *self, struct ctx *cx, int64_t number, bool *ret_found)
{
	struct bus_redis *bus = self;
	const struct dead_letter *letter;
	const struct redis_reply *reply;
	const char *id = bus_redis_id(cx, number);
	enum rc rc = id != NULL ? find_letter(bus, cx, id, &letter) : RC_NO_MEMORY;
	int stream;

	if (rc != RC_OK)
		return rc;
	*ret_found = false;
	stream = letter != NULL ? bus_redis_stream(letter->stream) : -1;
	if (stream < 0)
		return RC_OK;
	const struct str words[] = {
		str_from(bus->names[stream]), str_from(bus->dead), str_from(letter->group),
		str_from(letter->entry),      str_from(id),	   LONG_IDLE,
	};

	rc = bus_redis_script(bus, bus->link, cx, SCRIPT_REVIVE, 2, words, ARRAY_LEN(words), &reply);
	if (rc != RC_OK || bus_redis_missing(reply))
		return rc;
	rc = redis_expect(reply, REPLY_NUMBER, "revive");
	*ret_found = rc == RC_OK && reply->number == 1;
	return rc;
}

enum rc bus_redis_drop(void *self, struct ctx *cx, int64_t number, bool *ret_found)
{
	struct bus_redis *bus = self;
	const struct redis_reply *reply;
	const char *id = bus_redis_id(cx, number);
	enum rc rc = id != NULL ? bus_redis_ask(bus, cx, &reply, "XDEL", bus->dead, id, NULL) : RC_NO_MEMORY;

	if (rc == RC_OK)
		rc = redis_expect(reply, REPLY_NUMBER, "XDEL");
	if (rc == RC_OK)
		*ret_found = reply->number == 1;
	return rc;
}

/* --- Seeking and trimming ----------------------------------------------------------- */

enum rc bus_redis_seek(void *self, struct ctx *cx, const char *stream, const char *group, int64_t after,
		       bool *ret_found)
{
	struct bus_redis *bus = self;
	int index = bus_redis_stream(stream);
	const char *place = arena_printf(cx->arena, "%" PRId64, after > 0 ? after : 0);
	const struct redis_reply *reply;
	enum rc rc;

	if (index < 0 || place == NULL)
		return index < 0 ? RC_INTERNAL : RC_NO_MEMORY;
	const struct str words[] = {str_from(bus->names[index]), str_from(group), str_from(place)};

	rc = bus_redis_script(bus, bus->link, cx, SCRIPT_SEEK, 1, words, ARRAY_LEN(words), &reply);
	if (rc != RC_OK)
		return rc;
	*ret_found = false;
	if (bus_redis_missing(reply))
		return RC_OK;
	rc = redis_expect(reply, REPLY_NUMBER, "seek");
	*ret_found = rc == RC_OK && reply->number == 1;
	return rc;
}

/*
 * The first entry that a group may still want. What was delivered is asked first: whatever is delivered
 * between the two questions is then either pending, or lies behind.
 */
static enum rc lower_floor(struct bus_redis *bus, struct ctx *cx, int index, const struct redis_reply *row,
			   struct entry_id *floor)
{
	const struct redis_reply *name = reply_member(row, "name"),
				 *delivered = reply_member(row, "last-delivered-id"), *pending;
	struct entry_id id;
	enum rc rc;

	if (name->kind != REPLY_TEXT || delivered->kind != REPLY_TEXT ||
	    !entry_id_parse(delivered->text, &id))
		return redis_nonsense("XINFO GROUPS");
	if (++id.second == 0)
		id.first++;
	if (entry_id_before(id, *floor))
		*floor = id;
	rc = bus_redis_ask(bus, cx, &pending, "XPENDING", bus->names[index], name->text.p, NULL);
	if (rc != RC_OK || bus_redis_missing(pending))
		return rc;
	/* [how many, the first one, ...] */
	if (pending->kind != REPLY_LIST || pending->count < 2)
		return redis_nonsense("XPENDING");
	if (pending->items[1].kind == REPLY_TEXT && entry_id_parse(pending->items[1].text, &id) &&
	    entry_id_before(id, *floor))
		*floor = id;
	return RC_OK;
}

static enum rc find_floor(struct bus_redis *bus, struct ctx *cx, int index, struct entry_id *ret)
{
	const struct redis_reply *groups;
	enum rc rc = bus_redis_ask(bus, cx, &groups, "XINFO", "GROUPS", bus->names[index], NULL);

	*ret = (struct entry_id){UINT64_MAX, UINT64_MAX};
	if (rc != RC_OK || bus_redis_missing(groups))
		return rc;
	rc = redis_expect(groups, REPLY_LIST, "XINFO GROUPS");
	for (size_t i = 0; rc == RC_OK && i < groups->count; i++)
		rc = lower_floor(bus, cx, index, &groups->items[i], ret);
	return rc;
}

/* When an event happened, or a letter was buried. UTIME_NONE: it does not say, and so counts as old. */
static enum rc time_of(struct ctx *cx, const struct entry *entry, bool letters, utime *ret)
{
	const struct dead_letter *letter;
	struct event event;
	enum rc rc =
		letters ? entry_dead(cx->arena, entry, &letter) : entry_event(cx->arena, entry, "", &event);

	*ret = UTIME_NONE;
	if (rc == RC_OK)
		*ret = letters ? letter->buried_at.at : event.occurred_at;
	return rc == RC_INVALID ? RC_OK : rc;
}

/* Among the oldest, the last of those that may go. */
static enum rc find_old(struct bus_redis *bus, struct ctx *cx, const char *key, bool letters, utime before,
			struct entry_id floor, struct entry_id *ret)
{
	const struct redis_reply *reply;
	const char *last = "0-0";
	struct entry entry;
	utime at;
	enum rc rc;

	*ret = (struct entry_id){.first = 0};
	for (int round = 0; round < TRIM_ROUNDS; round++) {
		rc = bus_redis_range(bus, cx, key, last, TRIM_LOOK, &reply);
		for (size_t i = 0; rc == RC_OK && i < reply->count; i++) {
			if (!entry_read(&reply->items[i], &entry))
				return redis_nonsense("XRANGE");
			rc = time_of(cx, &entry, letters, &at);
			if (rc != RC_OK || at >= before || !entry_id_before(entry.id, floor))
				return rc;
			*ret = entry.id;
			last = entry.id_text;
		}
		if (rc != RC_OK || reply->count < TRIM_LOOK)
			return rc;
	}
	return RC_OK;
}

/* Drops all up to that one. */
static enum rc cut_off(struct bus_redis *bus, struct ctx *cx, const char *key, struct entry_id last,
		       int64_t *ret_dropped)
{
	const struct redis_reply *reply;
	const char *kept;
	enum rc rc;

	*ret_dropped = 0;
	if (last.first == 0 && last.second == 0)
		return RC_OK;
	if (++last.second == 0)
		last.first++;
	kept = arena_printf(cx->arena, "%" PRIu64 "-%" PRIu64, last.first, last.second);
	if (kept == NULL)
		return RC_NO_MEMORY;
	rc = bus_redis_ask(bus, cx, &reply, "XTRIM", key, "MINID", "=", kept, NULL);
	if (rc == RC_OK)
		rc = redis_expect(reply, REPLY_NUMBER, "XTRIM");
	if (rc == RC_OK)
		*ret_dropped = reply->number;
	return rc;
}

/* Each process's consumers have names of their own, which would pile up. */
static enum rc forget_consumers(struct bus_redis *bus, struct ctx *cx, int index)
{
	const struct str words[] = {str_from(bus->names[index]), LONG_IDLE};
	const struct redis_reply *reply;
	enum rc rc = bus_redis_script(bus, bus->link, cx, SCRIPT_FORGET, 1, words, ARRAY_LEN(words), &reply);

	return rc == RC_OK ? redis_expect(reply, REPLY_NUMBER, "forget") : rc;
}

enum rc bus_redis_trim(void *self, struct ctx *cx, const char *stream, utime before, int64_t *ret_dropped)
{
	static const struct entry_id all = {UINT64_MAX, UINT64_MAX};
	struct bus_redis *bus = self;
	int index = bus_redis_stream(stream);
	struct entry_id floor, last, last_letter;
	int64_t dropped, letters;
	enum rc rc;

	if (index < 0)
		return RC_INTERNAL;
	rc = find_floor(bus, cx, index, &floor);
	if (rc == RC_OK)
		rc = find_old(bus, cx, bus->names[index], false, before, floor, &last);
	if (rc == RC_OK)
		rc = cut_off(bus, cx, bus->names[index], last, &dropped);
	if (rc == RC_OK)
		rc = find_old(bus, cx, bus->dead, true, before, all, &last_letter);
	if (rc == RC_OK)
		rc = cut_off(bus, cx, bus->dead, last_letter, &letters);
	if (rc == RC_OK)
		rc = forget_consumers(bus, cx, index);
	if (rc == RC_OK)
		*ret_dropped = dropped;
	return rc;
}

enum rc bus_redis_floor(void *self, struct ctx *cx, const char *stream, int64_t *ret)
{
	int index = bus_redis_stream(stream);
	struct entry_id floor;
	enum rc rc = index >= 0 ? find_floor(self, cx, index, &floor) : RC_INTERNAL;

	if (rc != RC_OK)
		return rc;
	/* Our entries are <place>-0. */
	*ret = floor.first >= INT64_MAX ? INT64_MAX : (int64_t)floor.first + (floor.second > 0);
	return RC_OK;
}

enum rc bus_redis_remove(void *self, struct ctx *cx, const char *stream, const int64_t *places, size_t count)
{
	struct bus_redis *bus = self;
	int index = bus_redis_stream(stream);
	const struct redis_reply *reply;
	struct redis_batch batch;
	enum rc rc;

	if (index < 0)
		return RC_INTERNAL;
	redis_batch_init(&batch, cx);
	redis_begin(&batch, "XDEL");
	redis_words(&batch, bus->names[index], NULL);
	for (size_t i = 0; i < count; i++)
		redis_str(&batch, str_from(bus_redis_id(cx, places[i])));
	rc = redis_call(bus->link, cx, &batch, 0, &reply);
	return rc == RC_OK ? redis_expect(reply, REPLY_NUMBER, "XDEL") : rc;
}
