/* For tests of the driver for Redis: a bus, and work on a task that uses it. */
#ifndef EVENTS_BUS_REDIS_FIXTURE_H
#define EVENTS_BUS_REDIS_FIXTURE_H

#include "events/bus_driver.h"
#include "events/redis_fixture.h"

/* A test's work on a task, with a bus. */
struct job {
	const char *url; /* NULL: the fixture's */
	const char *ca, *booking_stream;
	void (*fn)(struct job *job);
	struct ctx cx;
	void *bus;
	struct uuid source;
};

extern struct redis_fixture redis; /* runs, and is empty, when a test begins */

/* cmocka's: of the group, and of each test. */
int redis_group_begin(void **state);
int redis_group_end(void **state);
int redis_empty(void **state);

/* Opens the bus and adds the task: tasks_run(), or tasks_start() and tasks_stop(); then job_end(). */
struct tasks *job_begin(struct job *job, const struct world *world);
void job_end(struct job *job, struct tasks *tasks);
/* A further task on the same bus. */
void job_add(struct tasks *tasks, struct job *job);
/* All of it. */
void on_task(struct job *job);

/* Group NULL: it follows. `second` may be NULL. */
struct bus_reader *join(struct job *job, const char *group, const char *stream, const char *second);
void leave(struct job *job, struct bus_reader *reader);

struct event event_of(struct job *job, const char *stream, int64_t sequence);
enum rc publish(struct job *job, const char *stream, int64_t after, int64_t first, size_t count) MUST_USE;
/* Takes until there are so many. */
struct events take(struct job *job, struct bus_reader *reader, size_t count);
void nothing_to_take(struct job *job, struct bus_reader *reader);

/* That redis-cli's answer to those words, ended by NULL, has that in it. */
void says(const char *has, const char *const *words);
#define SAYS(has, ...) says((has), (const char *const[]){__VA_ARGS__, NULL})

#endif
