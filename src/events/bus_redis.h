/* Inside the driver for Redis: bus_redis.c is its outside, bus_redis_read.c its readers, bus_redis_operator.c
 * what an operator asks for. */
#ifndef EVENTS_BUS_REDIS_H
#define EVENTS_BUS_REDIS_H

#include "events/bus_driver.h"
#include "events/redis_entry.h"
#include "events/redis_link.h"

#define DEAD_STREAM "marca:dead"

enum script_id {
	SCRIPT_LAST,
	SCRIPT_PUBLISH,
	SCRIPT_BURY,
	SCRIPT_REVIVE,
	SCRIPT_SEEK,
	SCRIPT_FORGET,
	SCRIPT_END,
	SCRIPT_COUNT
};

#define SHA_TEXT_MAX 41

struct bus_redis {
	struct tasks *tasks;
	struct arena arena; /* as long as the bus */
	struct redis_url url;
	struct tls_trust *trust;	       /* NULL: in the clear */
	struct redis_link *link;	       /* for all but the readers */
	const char *names[STREAM_COUNT];       /* of stream_names[] in Redis */
	const char *sources[STREAM_COUNT];     /* the hash beside each */
	const char *dead;		       /* the stream of dead letters */
	char shas[SCRIPT_COUNT][SHA_TEXT_MAX]; /* by which Redis knows the scripts */
};

struct redis_reader {
	struct bus_reader base;
	struct redis_link *link;
	int index[READER_STREAMS_MAX]; /* of its streams */
	/* One that follows: the last that it read. Of a group: where to go on looking for what to claim. */
	struct entry_id cursors[READER_STREAMS_MAX];
	size_t turn; /* the stream to begin with */
	size_t shy;  /* so many were too much at once for a claim; 0: it was not so lately */
};

/* The index of a stream in the lists above; -1: marca has none of that name. */
int bus_redis_stream(const char *stream);

/* <place>-0, in the arena. */
const char *bus_redis_id(struct ctx *cx, int64_t place);

/* One command of some words, ended by NULL. */
enum rc bus_redis_ask(struct bus_redis *bus, struct ctx *cx, const struct redis_reply **ret, ...) MUST_USE
	__attribute__((sentinel));

/* `words`: as many keys, then arguments. */
enum rc bus_redis_script(struct bus_redis *bus, struct redis_link *link, struct ctx *cx, enum script_id id,
			 size_t keys, const struct str *words, size_t count,
			 const struct redis_reply **ret) MUST_USE;

/* The stream, or its group, is not there. */
bool bus_redis_missing(const struct redis_reply *reply);

/* A list of up to max entries behind that id, or fewer when max is large. */
enum rc bus_redis_range(struct bus_redis *bus, struct ctx *cx, const char *key, const char *after, size_t max,
			const struct redis_reply **ret) MUST_USE;

/* --- Of the driver -------------------------------------------------------------- */

enum rc bus_redis_reader_open(void *self, struct ctx *cx, struct bus_reader *base, const int64_t *after);
void bus_redis_reader_close(void *self, struct bus_reader *base);
enum rc bus_redis_take(void *self, struct ctx *cx, struct bus_reader *base, size_t max, int wait_ms,
		       struct events *ret);
enum rc bus_redis_claim(void *self, struct ctx *cx, struct bus_reader *base, size_t max, int idle_ms,
			struct events *ret);
enum rc bus_redis_ack(void *self, struct ctx *cx, struct bus_reader *base, const struct event *events,
		      size_t count);
enum rc bus_redis_bury(void *self, struct ctx *cx, struct bus_reader *base, const struct event *event,
		       const char *why, int64_t tries);
enum rc bus_redis_groups(void *self, struct ctx *cx, struct bus_group **ret, size_t *ret_count);
enum rc bus_redis_pending(void *self, struct ctx *cx, const char *group, size_t max, struct bus_pending **ret,
			  size_t *ret_count);
enum rc bus_redis_dead(void *self, struct ctx *cx, int64_t after, size_t max, struct bus_dead **ret,
		       size_t *ret_count);
enum rc bus_redis_revive(void *self, struct ctx *cx, int64_t number, bool *ret_found);
enum rc bus_redis_drop(void *self, struct ctx *cx, int64_t number, bool *ret_found);
enum rc bus_redis_seek(void *self, struct ctx *cx, const char *stream, const char *group, int64_t after,
		       bool *ret_found);
enum rc bus_redis_trim(void *self, struct ctx *cx, const char *stream, utime before, int64_t *ret_dropped);
enum rc bus_redis_floor(void *self, struct ctx *cx, const char *stream, int64_t *ret);
enum rc bus_redis_remove(void *self, struct ctx *cx, const char *stream, const int64_t *places, size_t count);
enum rc bus_redis_end(void *self, struct ctx *cx, const char *stream, int64_t *ret);

#endif
