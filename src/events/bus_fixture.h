/*
 * What the scenes of bus_test.c share: a bus of either driver that starts empty, tasks to play on it, and
 * what is done to a bus again and again. Nothing here knows more of it than bus.h.
 */
#ifndef EVENTS_BUS_FIXTURE_H
#define EVENTS_BUS_FIXTURE_H

#include "db/db.h"
#include "events/bus.h"

#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants those before it. */
#include <cmocka.h>

struct bed {
	struct world world;
	bool redis;
	char folder[64], url[128]; /* of the embedded bus's store, or of the server */
	struct db *db;
	struct db_port *port;
	struct tasks *tasks;
	struct bus *bus;
};

typedef void bed_body(struct bed *bed, struct ctx *cx);

#define BODIES_MAX 5

/* The bodies of an act are tasks beside one another; between two acts everything is closed. */
struct scene {
	const char *name;
	bed_body *first[BODIES_MAX], *then[BODIES_MAX];
	bool stopped; /* the first act's tasks are asked to end; its body asserts nothing, being on a thread
		       */
};

/* Each ends with one without a name. Those of `embedded` ask more than bus.h: its clock, and other processes.
 */
extern const struct scene bus_scenes_writing[], bus_scenes_reading[], bus_scenes_operator[],
	bus_scenes_embedded[];

/* Once, for redis. False: there is no redis-server. */
bool redis_start(void) MUST_USE;
void redis_stop(void);

struct bed *bed_create(bool redis);
void bed_play(struct bed *bed, bed_body *const *bodies, bool stop);
void bed_destroy(struct bed *bed);

/* --- Done again and again; what fails, fails the test ------------------------------ */

extern const struct uuid source_a, source_b;

/* So many, numbered from after + 1 on, one a microsecond from `at` on. */
struct event *make_events(struct ctx *cx, int64_t after, size_t count, utime at);
/* Publishes so many from source_a. */
void put(struct bed *bed, struct ctx *cx, const char *stream, size_t count);
void put_at(struct bed *bed, struct ctx *cx, const char *stream, size_t count, utime at);

/* Of booking-events, and of all. */
struct bus_reader *join(struct bed *bed, struct ctx *cx, const char *group, const char *consumer);
struct bus_reader *join_all(struct bed *bed, struct ctx *cx, const char *group, const char *consumer);

struct events take(struct ctx *cx, struct bus_reader *reader, size_t max);
/* That these are the next, whatever else there is; none when count is 0. */
struct events take_these(struct ctx *cx, struct bus_reader *reader, int64_t first, size_t count);
void ack(struct ctx *cx, struct bus_reader *reader, struct events events);
/* That these can be claimed, and no more. */
struct events claim_these(struct ctx *cx, struct bus_reader *reader, int idle_ms, int64_t first,
			  size_t count);

/* That the stream holds these places and no others. */
void check_range(struct bed *bed, struct ctx *cx, const char *stream, int64_t first, size_t count);
int64_t end_of(struct bed *bed, struct ctx *cx, const char *stream);
/* Found, or the test fails. */
struct bus_group group_of(struct bed *bed, struct ctx *cx, const char *stream, const char *name);
void check_same(const struct event *a, const struct event *b);

#endif
