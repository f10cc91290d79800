/*
 * The bus over Redis Streams, of Redis 7 or Valkey.
 *
 * A stream's entries are read by programs that are not marca too; redis_entry.h says what they look like. An
 * entry's id is <place>-0, and the place also stands in its metadata as `sequence`. Places begin at 1, and
 * again in a Redis that came back empty. booking-events may have another name in Redis; nowhere else.
 *
 * Publishing is one script: it compares what the stream took last from the source (a hash beside the stream,
 * in its slot), adds all, and notes the last. So a repeat finds that it is one.
 *
 * Groups are Redis's own, made from the first entry on, and again when a Redis that lost them says NOGROUP.
 * Each reader has a link of its own, since a blocking read holds up what comes after it. Burying adds a dead
 * letter to one stream for all (marca:dead, with ids 1-0, 2-0, ...) and acknowledges, in one script, which
 * does nothing when the event is not pending: so a repeat buries once.
 *
 * That script has two keys, and a group may read several streams. So in a Redis Cluster all keys begin with
 * {marca}: and lie in one slot: a cluster is for its fail-over, and no single Redis is near its limit with
 * us.
 *
 * Nothing that comes from Redis is believed. What is no event is logged, and for groups becomes a dead letter
 * with its raw texts, since it would come again for ever.
 */
#include "events/bus_redis.h"

#include "events/redis_scripts.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define STREAM_NAME_MAX 200
#define RANGE_MORE	1000 /* entries at most in one reply */

static const char *const scripts[SCRIPT_COUNT] = {
	[SCRIPT_LAST] = script_last,	 [SCRIPT_PUBLISH] = script_publish, [SCRIPT_BURY] = script_bury,
	[SCRIPT_REVIVE] = script_revive, [SCRIPT_SEEK] = script_seek,	    [SCRIPT_FORGET] = script_forget,
	[SCRIPT_END] = script_end,
};

/* --- Words ------------------------------------------------------------------------ */

int bus_redis_stream(const char *stream)
{
	for (int i = 0; i < STREAM_COUNT; i++)
		if (strcmp(stream_names[i], stream) == 0)
			return i;
	return -1;
}

const char *bus_redis_id(struct ctx *cx, int64_t place)
{
	return arena_printf(cx->arena, "%" PRId64 "-0", place);
}

enum rc bus_redis_ask(struct bus_redis *bus, struct ctx *cx, const struct redis_reply **ret, ...)
{
	struct redis_batch batch;
	const char *word;
	va_list words;

	redis_batch_init(&batch, cx);
	va_start(words, ret);
	redis_begin(&batch, va_arg(words, const char *));
	while ((word = va_arg(words, const char *)) != NULL)
		redis_str(&batch, str_from(word));
	va_end(words);
	return redis_call(bus->link, cx, &batch, 0, ret);
}

/* By its hash; a Redis that was started again must be told the whole. */
enum rc bus_redis_script(struct bus_redis *bus, struct redis_link *link, struct ctx *cx, enum script_id id,
			 size_t keys, const struct str *words, size_t count, const struct redis_reply **ret)
{
	struct redis_batch batch;
	bool whole = false;
	enum rc rc;

	for (;;) {
		redis_batch_init(&batch, cx);
		redis_begin(&batch, whole ? "EVAL" : "EVALSHA");
		redis_words(&batch, whole ? scripts[id] : bus->shas[id], NULL);
		redis_number(&batch, (int64_t)keys);
		for (size_t i = 0; i < count; i++)
			redis_str(&batch, words[i]);
		rc = redis_call(link, cx, &batch, 0, ret);
		if (rc != RC_OK || whole || !reply_is_error(*ret, "NOSCRIPT"))
			return rc;
		whole = true;
	}
}

/* --- Writing ------------------------------------------------------------------------ */

static enum rc redis_last(void *self, struct ctx *cx, const char *stream, const struct uuid *source,
			  int64_t *ret)
{
	struct bus_redis *bus = self;
	const struct redis_reply *reply;
	int index = bus_redis_stream(stream);
	char name[UUID_TEXT_LEN + 1];
	struct entry_id last;
	enum rc rc;

	if (index < 0)
		return RC_INTERNAL;
	const struct str words[] = {str_from(bus->names[index]), str_from(bus->sources[index]),
				    str_from(uuid_text(name, source))};

	rc = bus_redis_script(bus, bus->link, cx, SCRIPT_LAST, 2, words, ARRAY_LEN(words), &reply);
	if (rc == RC_OK && reply->kind != REPLY_NIL)
		rc = redis_expect(reply, REPLY_TEXT, "last");
	if (rc != RC_OK)
		return rc;
	*ret = 0;
	/* What is no number is taken for none: publishing after 0 will be refused, so nothing is doubled. */
	if (reply->kind == REPLY_TEXT &&
	    entry_id_parse(str_from(arena_printf(cx->arena, "%s-0", reply->text.p)), &last))
		*ret = entry_id_place(last);
	return RC_OK;
}

static bool number_word(struct ctx *cx, int64_t number, struct str *ret)
{
	*ret = str_from(arena_printf(cx->arena, "%" PRId64, number));
	return ret->p != NULL;
}

static bool event_words(struct ctx *cx, const struct event *event, struct str *words)
{
	words[0] = str_from(event->type);
	words[1] = str_from(event->payload);
	words[2] = str_from(entry_metadata(cx->arena, event));
	return words[2].p != NULL;
}

static enum rc redis_publish(void *self, struct ctx *cx, const char *stream, const struct uuid *source,
			     int64_t after, const struct event *events, size_t count)
{
	struct bus_redis *bus = self;
	struct str *words = arena_array(cx->arena, 5 + 3 * count, sizeof(*words));
	const struct redis_reply *reply;
	int index = bus_redis_stream(stream);
	char name[UUID_TEXT_LEN + 1];
	enum rc rc;

	if (index < 0)
		return RC_INTERNAL;
	if (count == 0)
		return RC_OK;
	if (words == NULL || !number_word(cx, after, &words[3]) ||
	    !number_word(cx, events[count - 1].sequence, &words[4]))
		return RC_NO_MEMORY;
	words[0] = str_from(bus->names[index]);
	words[1] = str_from(bus->sources[index]);
	words[2] = str_from(uuid_text(name, source));
	for (size_t i = 0; i < count; i++)
		if (!event_words(cx, &events[i], &words[5 + 3 * i]))
			return RC_NO_MEMORY;
	rc = bus_redis_script(bus, bus->link, cx, SCRIPT_PUBLISH, 2, words, 5 + 3 * count, &reply);
	if (rc == RC_OK)
		rc = redis_expect(reply, REPLY_NUMBER, "publish");
	return rc == RC_OK && reply->number != 1 ? RC_STALE : rc;
}

/* --- Looking ------------------------------------------------------------------------ */

bool bus_redis_missing(const struct redis_reply *reply)
{
	return reply_is_error(reply, "NOGROUP") ||
	       (reply_is_error(reply, "ERR") && strstr(reply->text.p, "no such key") != NULL);
}

enum rc bus_redis_end(void *self, struct ctx *cx, const char *stream, int64_t *ret)
{
	struct bus_redis *bus = self;
	const struct redis_reply *reply;
	int index = bus_redis_stream(stream);
	struct str key;
	enum rc rc;

	if (index < 0)
		return RC_INTERNAL;
	key = str_from(bus->names[index]);
	rc = bus_redis_script(bus, bus->link, cx, SCRIPT_END, 1, &key, 1, &reply);
	if (rc == RC_OK)
		rc = redis_expect(reply, REPLY_NUMBER, "a stream's end");
	if (rc == RC_OK)
		*ret = reply->number;
	return rc;
}

enum rc bus_redis_range(struct bus_redis *bus, struct ctx *cx, const char *key, const char *after, size_t max,
			const struct redis_reply **ret)
{
	const char *from = arena_printf(cx->arena, "(%s", after),
		   *count = arena_printf(cx->arena, "%zu", max < RANGE_MORE ? max : RANGE_MORE);
	static const struct redis_reply nothing = {.kind = REPLY_LIST};
	enum rc rc;

	if (from == NULL || count == NULL)
		return RC_NO_MEMORY;
	*ret = &nothing;
	if (max == 0) /* to which Redis answers nil */
		return RC_OK;
	rc = bus_redis_ask(bus, cx, ret, "XRANGE", key, from, "+", "COUNT", count, NULL);
	return rc == RC_OK ? redis_expect(*ret, REPLY_LIST, "XRANGE") : rc;
}

/* The events among those entries. *last is the id of the last one. */
static enum rc collect(struct ctx *cx, const struct redis_reply *entries, const char *stream,
		       struct events *events, const char **last)
{
	struct entry entry;
	enum rc rc;

	for (size_t i = 0; i < entries->count; i++) {
		if (!entry_read(&entries->items[i], &entry))
			return redis_nonsense("XRANGE");
		rc = entry_event(cx->arena, &entry, stream, &events->items[events->count]);
		*last = entry.id_text;
		events->count += rc == RC_OK;
		if (rc == RC_INVALID)
			entry_tell(&entry, stream);
		else if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc redis_range(void *self, struct ctx *cx, const char *stream, int64_t after, size_t max,
			   struct events *ret)
{
	struct events events = {.items = arena_array(cx->arena, max, sizeof(struct event))};
	struct bus_redis *bus = self;
	const char *last = bus_redis_id(cx, after);
	const struct redis_reply *reply;
	int index = bus_redis_stream(stream);
	size_t asked;
	enum rc rc;

	if (index < 0)
		return RC_INTERNAL;
	if (events.items == NULL || last == NULL)
		return RC_NO_MEMORY;
	/* Again where some were no events: only the end of the stream may give less than was asked for. */
	do {
		asked = max - events.count < RANGE_MORE ? max - events.count : RANGE_MORE;
		if (asked == 0)
			break;
		rc = bus_redis_range(bus, cx, bus->names[index], last, asked, &reply);
		if (rc == RC_OK && reply->count <= asked)
			rc = collect(cx, reply, stream, &events, &last);
		if (rc != RC_OK)
			return rc;
	} while (reply->count == asked);
	*ret = events;
	return RC_OK;
}

/* --- Life --------------------------------------------------------------------------- */

/* What is wrong with a name for the bookings' stream; NULL: nothing. */
static const char *name_fault(const char *name)
{
	if (name[0] == '\0' || strlen(name) > STREAM_NAME_MAX)
		return "must have 1 to 200 characters";
	if (strcmp(name, STREAM_DELETIONS) == 0 || strcmp(name, STREAM_TENANTS) == 0 ||
	    strcmp(name, DEAD_STREAM) == 0)
		return "is the name of another stream";
	/* Braces choose the slot in a Redis Cluster, and the hash beside the stream has its own. */
	for (; *name != '\0'; name++)
		if ((unsigned char)*name <= ' ' || *name == 0x7f || *name == '{' || *name == '}')
			return "may not hold blanks, control characters or braces";
	return NULL;
}

static bool name_streams(struct bus_redis *bus, const char *booking_stream)
{
	const char *prefix = redis_key_prefix(&bus->url), *fault;

	if (booking_stream == NULL)
		booking_stream = STREAM_BOOKINGS;
	fault = name_fault(booking_stream);
	if (fault != NULL) {
		fprintf(stderr, "marca: EVENT_STREAM=%s: %s\n", booking_stream, fault);
		return false;
	}
	for (int i = 0; i < STREAM_COUNT; i++) {
		bool bookings = strcmp(stream_names[i], STREAM_BOOKINGS) == 0;

		bus->names[i] = arena_printf(&bus->arena, "%s%s", prefix,
					     bookings ? booking_stream : stream_names[i]);
		/* The braces of a cluster's prefix come first, and count. */
		bus->sources[i] = arena_printf(&bus->arena, *prefix != '\0' ? "%s:sources" : "{%s}:sources",
					       bus->names[i]);
		if (bus->names[i] == NULL || bus->sources[i] == NULL)
			return false;
	}
	bus->dead = arena_printf(&bus->arena, "%s" DEAD_STREAM, prefix);
	return bus->dead != NULL;
}

static bool hash_scripts(struct bus_redis *bus)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	size_t len = 0;

	for (int i = 0; i < SCRIPT_COUNT; i++) {
		if (EVP_Q_digest(NULL, "SHA1", NULL, scripts[i], strlen(scripts[i]), hash, &len) != 1 ||
		    len * 2 + 1 != SHA_TEXT_MAX)
			return false;
		hex_text(bus->shas[i], hash, len);
	}
	return true;
}

static void redis_close(void *self)
{
	struct bus_redis *bus = self;

	redis_link_destroy(bus->link);
	tls_trust_destroy(bus->trust);
	arena_finish(&bus->arena);
	free(bus);
}

static bool set_up(struct bus_redis *bus, const struct bus_options *options)
{
	const char *why;

	if (!redis_url_parse(&bus->arena, str_from(options->redis_url), &bus->url, &why)) {
		fprintf(stderr, "marca: REDIS_URL: %s\n", why);
		return false;
	}
	if (!name_streams(bus, options->booking_stream) || !hash_scripts(bus))
		return false;
	if (bus->url.tls)
		bus->trust = tls_trust_create(options->redis_ca);
	if (bus->url.tls && bus->trust == NULL)
		return false;
	bus->link = redis_link_create(&(struct redis_link_options){bus->tasks, &bus->url, bus->trust});
	return bus->link != NULL;
}

static enum rc redis_open(const struct bus_options *options, void **ret)
{
	struct bus_redis *bus = calloc(1, sizeof(*bus));

	if (bus == NULL)
		return RC_NO_MEMORY;
	/* Writing to a Redis that has gone is an error like any other. */
	signal(SIGPIPE, SIG_IGN);
	bus->tasks = options->tasks;
	arena_init(&bus->arena, NULL);
	if (!set_up(bus, options)) {
		redis_close(bus);
		return RC_INTERNAL;
	}
	*ret = bus;
	return RC_OK;
}

const struct bus_driver bus_redis = {
	.open = redis_open,
	.close = redis_close,
	.last = redis_last,
	.publish = redis_publish,
	.reader_size = sizeof(struct redis_reader),
	.reader_open = bus_redis_reader_open,
	.reader_close = bus_redis_reader_close,
	.take = bus_redis_take,
	.claim = bus_redis_claim,
	.ack = bus_redis_ack,
	.bury = bus_redis_bury,
	.range = redis_range,
	.end = bus_redis_end,
	.groups = bus_redis_groups,
	.pending = bus_redis_pending,
	.dead = bus_redis_dead,
	.revive = bus_redis_revive,
	.drop = bus_redis_drop,
	.seek = bus_redis_seek,
	.trim = bus_redis_trim,
	.floor = bus_redis_floor,
	.remove = bus_redis_remove,
};
