/*
 * Inside the embedded bus: bus_embedded.c has what relays and consumers call, bus_embedded_operator.c what an
 * operator and the janitor do.
 */
#ifndef EVENTS_BUS_EMBEDDED_H
#define EVENTS_BUS_EMBEDDED_H

#include "db/db.h"
#include "events/bus_driver.h"

/* On the stack of a task that waits in take(). */
struct waiter {
	struct waiter *next;
	struct task *task;
};

/* All on the tasks' one thread: no lock. */
struct embedded {
	struct waiter *waiters;
};

/* A store's troubles as the bus's. */
enum rc embedded_rc(enum rc rc) MUST_USE;
/* All scripts lie under one key: they are run in the order in which they come. */
void embedded_script(struct script *script, struct ctx *cx);
/* Whoever waits for an event looks again. */
void embedded_ring(const struct embedded *bus);
/* Several results, of items of that size, as one. */
enum rc embedded_gather(struct arena *arena, const struct rows *rows, size_t count, size_t size,
			struct rows *ret) MUST_USE;

/* bus_embedded_operator.c, as in struct bus_driver */
enum rc embedded_range(void *self, struct ctx *cx, const char *stream, int64_t after, size_t max,
		       struct events *ret);
enum rc embedded_end(void *self, struct ctx *cx, const char *stream, int64_t *ret);
enum rc embedded_groups(void *self, struct ctx *cx, struct bus_group **ret, size_t *ret_count);
enum rc embedded_pending(void *self, struct ctx *cx, const char *group, size_t max, struct bus_pending **ret,
			 size_t *ret_count);
enum rc embedded_dead(void *self, struct ctx *cx, int64_t after, size_t max, struct bus_dead **ret,
		      size_t *ret_count);
enum rc embedded_revive(void *self, struct ctx *cx, int64_t number, bool *ret_found);
enum rc embedded_drop(void *self, struct ctx *cx, int64_t number, bool *ret_found);
enum rc embedded_seek(void *self, struct ctx *cx, const char *stream, const char *group, int64_t after,
		      bool *ret_found);
enum rc embedded_trim(void *self, struct ctx *cx, const char *stream, utime before, int64_t *ret_dropped);
enum rc embedded_floor(void *self, struct ctx *cx, const char *stream, int64_t *ret);
enum rc embedded_remove(void *self, struct ctx *cx, const char *stream, const int64_t *places, size_t count);

#endif
