/*
 * Inside the bus: what a driver gives (bus_embedded.c, bus_redis.c). bus.h says what each must do; bus.c only
 * hands the calls on. bus_test.c holds every driver to it.
 */
#ifndef EVENTS_BUS_DRIVER_H
#define EVENTS_BUS_DRIVER_H

#include "events/bus.h"

#define READER_STREAMS_MAX STREAM_COUNT

/* The first member of a driver's own reader. */
struct bus_reader {
	struct bus *bus;
	const char *group, *consumer; /* NULL: it follows */
	const char *streams[READER_STREAMS_MAX];
	size_t count;
};

struct bus_driver {
	enum rc (*open)(const struct bus_options *options, void **ret);
	void (*close)(void *self);

	enum rc (*last)(void *self, struct ctx *cx, const char *stream, const struct uuid *source,
			int64_t *ret);
	enum rc (*publish)(void *self, struct ctx *cx, const char *stream, const struct uuid *source,
			   int64_t after, const struct event *events, size_t count);

	/* *reader has its members set, as zeroed memory behind that up to reader_size; it is the driver's to
	 * fill that, and to make the groups. `after`: one place a stream, of one that follows. */
	size_t reader_size;
	enum rc (*reader_open)(void *self, struct ctx *cx, struct bus_reader *reader, const int64_t *after);
	void (*reader_close)(void *self, struct bus_reader *reader);
	enum rc (*take)(void *self, struct ctx *cx, struct bus_reader *reader, size_t max, int wait_ms,
			struct events *ret);
	enum rc (*claim)(void *self, struct ctx *cx, struct bus_reader *reader, size_t max, int idle_ms,
			 struct events *ret);
	enum rc (*ack)(void *self, struct ctx *cx, struct bus_reader *reader, const struct event *events,
		       size_t count);
	enum rc (*bury)(void *self, struct ctx *cx, struct bus_reader *reader, const struct event *event,
			const char *why, int64_t tries);

	enum rc (*range)(void *self, struct ctx *cx, const char *stream, int64_t after, size_t max,
			 struct events *ret);
	enum rc (*end)(void *self, struct ctx *cx, const char *stream, int64_t *ret);
	enum rc (*groups)(void *self, struct ctx *cx, struct bus_group **ret, size_t *ret_count);
	enum rc (*pending)(void *self, struct ctx *cx, const char *group, size_t max,
			   struct bus_pending **ret, size_t *ret_count);
	enum rc (*dead)(void *self, struct ctx *cx, int64_t after, size_t max, struct bus_dead **ret,
			size_t *ret_count);
	enum rc (*revive)(void *self, struct ctx *cx, int64_t number, bool *ret_found);
	enum rc (*drop)(void *self, struct ctx *cx, int64_t number, bool *ret_found);
	enum rc (*seek)(void *self, struct ctx *cx, const char *stream, const char *group, int64_t after,
			bool *ret_found);
	enum rc (*trim)(void *self, struct ctx *cx, const char *stream, utime before, int64_t *ret_dropped);
	/* The first place that some group has still to acknowledge; INT64_MAX: no group waits for anything.
	 */
	enum rc (*floor)(void *self, struct ctx *cx, const char *stream, int64_t *ret);
	/* Those entries, whatever their age. */
	enum rc (*remove)(void *self, struct ctx *cx, const char *stream, const int64_t *places,
			  size_t count);
};

/* bus.c, for what is done by any driver's means (forget.c). */
const struct bus_driver *bus_driver(const struct bus *bus);
void *bus_self(const struct bus *bus);

extern const struct bus_driver bus_embedded, bus_redis;

#endif
