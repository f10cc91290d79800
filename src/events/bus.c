/* See bus.h. */
#include "events/bus_driver.h"

#include <stdlib.h>

struct bus {
	const struct bus_driver *driver;
	void *self;
};

enum rc bus_create(const struct bus_options *options, struct bus **ret)
{
	struct bus *bus = calloc(1, sizeof(*bus));
	enum rc rc;

	if (bus == NULL)
		return RC_NO_MEMORY;
	bus->driver = options->redis_url != NULL ? &bus_redis : &bus_embedded;
	rc = bus->driver->open(options, &bus->self);
	if (rc != RC_OK) {
		free(bus);
		return rc;
	}
	*ret = bus;
	return RC_OK;
}

void bus_destroy(struct bus *bus)
{
	if (bus == NULL)
		return;
	bus->driver->close(bus->self);
	free(bus);
}

enum rc bus_last(struct bus *bus, struct ctx *cx, const char *stream, const struct uuid *source, int64_t *ret)
{
	return bus->driver->last(bus->self, cx, stream, source, ret);
}

enum rc bus_publish(struct bus *bus, struct ctx *cx, const char *stream, const struct uuid *source,
		    int64_t after, const struct event *events, size_t count)
{
	return bus->driver->publish(bus->self, cx, stream, source, after, events, count);
}

/* --- Readers ------------------------------------------------------------------ */

/* `group` NULL: one that follows. The names are the caller's, and stand as long as the reader. */
static enum rc reader_open(struct bus *bus, struct ctx *cx, const struct bus_reader *wanted,
			   const int64_t *after, struct bus_reader **ret)
{
	struct bus_reader *reader = calloc(1, bus->driver->reader_size);
	enum rc rc;

	if (reader == NULL)
		return RC_NO_MEMORY;
	*reader = *wanted;
	rc = bus->driver->reader_open(bus->self, cx, reader, after);
	if (rc != RC_OK) {
		free(reader);
		return rc;
	}
	*ret = reader;
	return RC_OK;
}

enum rc bus_join(struct bus *bus, struct ctx *cx, const char *group, const char *consumer,
		 const char *const *streams, size_t count, struct bus_reader **ret)
{
	struct bus_reader wanted = {.bus = bus, .group = group, .consumer = consumer, .count = count};

	memcpy(wanted.streams, streams, count * sizeof(streams[0]));
	return reader_open(bus, cx, &wanted, NULL, ret);
}

enum rc bus_follow(struct bus *bus, struct ctx *cx, const char *const *streams, size_t count,
		   const int64_t *after, struct bus_reader **ret)
{
	struct bus_reader wanted = {.bus = bus, .count = count};
	int64_t ends[READER_STREAMS_MAX];
	enum rc rc = RC_OK;

	memcpy(wanted.streams, streams, count * sizeof(streams[0]));
	for (size_t i = 0; after == NULL && rc == RC_OK && i < count; i++)
		rc = bus_end(bus, cx, streams[i], &ends[i]);
	if (rc != RC_OK)
		return rc;
	return reader_open(bus, cx, &wanted, after != NULL ? after : ends, ret);
}

void bus_leave(struct bus_reader *reader)
{
	if (reader == NULL)
		return;
	reader->bus->driver->reader_close(reader->bus->self, reader);
	free(reader);
}

enum rc bus_take(struct bus_reader *reader, struct ctx *cx, size_t max, int wait_ms, struct events *ret)
{
	return reader->bus->driver->take(reader->bus->self, cx, reader, max, wait_ms, ret);
}

enum rc bus_claim(struct bus_reader *reader, struct ctx *cx, size_t max, int idle_ms, struct events *ret)
{
	return reader->bus->driver->claim(reader->bus->self, cx, reader, max, idle_ms, ret);
}

enum rc bus_ack(struct bus_reader *reader, struct ctx *cx, const struct event *events, size_t count)
{
	return reader->bus->driver->ack(reader->bus->self, cx, reader, events, count);
}

enum rc bus_bury(struct bus_reader *reader, struct ctx *cx, const struct event *event, const char *why,
		 int64_t tries)
{
	return reader->bus->driver->bury(reader->bus->self, cx, reader, event, why, tries);
}

const struct bus_driver *bus_driver(const struct bus *bus)
{
	return bus->driver;
}

void *bus_self(const struct bus *bus)
{
	return bus->self;
}

/* --- For the operator ----------------------------------------------------------- */

enum rc bus_range(struct bus *bus, struct ctx *cx, const char *stream, int64_t after, size_t max,
		  struct events *ret)
{
	return bus->driver->range(bus->self, cx, stream, after, max, ret);
}

enum rc bus_end(struct bus *bus, struct ctx *cx, const char *stream, int64_t *ret)
{
	return bus->driver->end(bus->self, cx, stream, ret);
}

enum rc bus_groups(struct bus *bus, struct ctx *cx, struct bus_group **ret, size_t *ret_count)
{
	return bus->driver->groups(bus->self, cx, ret, ret_count);
}

enum rc bus_pending(struct bus *bus, struct ctx *cx, const char *group, size_t max, struct bus_pending **ret,
		    size_t *ret_count)
{
	return bus->driver->pending(bus->self, cx, group, max, ret, ret_count);
}

enum rc bus_dead(struct bus *bus, struct ctx *cx, int64_t after, size_t max, struct bus_dead **ret,
		 size_t *ret_count)
{
	return bus->driver->dead(bus->self, cx, after, max, ret, ret_count);
}

enum rc bus_revive(struct bus *bus, struct ctx *cx, int64_t number, bool *ret_found)
{
	return bus->driver->revive(bus->self, cx, number, ret_found);
}

enum rc bus_drop(struct bus *bus, struct ctx *cx, int64_t number, bool *ret_found)
{
	return bus->driver->drop(bus->self, cx, number, ret_found);
}

enum rc bus_seek(struct bus *bus, struct ctx *cx, const char *stream, const char *group, int64_t after,
		 bool *ret_found)
{
	return bus->driver->seek(bus->self, cx, stream, group, after, ret_found);
}

enum rc bus_trim(struct bus *bus, struct ctx *cx, const char *stream, utime before, int64_t *ret_dropped)
{
	return bus->driver->trim(bus->self, cx, stream, before, ret_dropped);
}
