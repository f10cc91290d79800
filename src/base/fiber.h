/*
 * Fiber: a request's own stack, so that a handler reads top to bottom even
 * where it waits for a store or for another service.
 *
 * A fiber runs on one thread all its life. It gives the thread back only in
 * fiber_wait(); whoever finishes what it waits for calls fiber_wake(), from any
 * thread, exactly once for each wait. Stacks are reused; one costs memory only as deep
 * as it was used. Decision: docs/decisions/0001-fibers.md.
 */
#ifndef BASE_FIBER_H
#define BASE_FIBER_H

#include "base/errors.h"
#include "base/mailbox.h"

struct fiber;
struct fiber_pool; /* one a thread */

/* Woken fibers go on when `home` is opened. NULL when memory is short. */
struct fiber_pool *fiber_pool_create(struct mailbox *home) MUST_USE;

/* No fiber may still be waiting. */
void fiber_pool_destroy(struct fiber_pool *pool);

/* Runs fn(arg) at once, until it ends or waits for the first time. RC_NO_MEMORY: it never ran. */
enum rc fiber_run(struct fiber_pool *pool, void (*fn)(void *arg), void *arg) MUST_USE;

/* The fiber that runs now on this thread; NULL outside of any. */
struct fiber *fiber_self(void);

/* A pointer that belongs to the fiber that runs now; outside of any, to the thread. NULL when it begins. */
void **fiber_own(void);

void fiber_wait(void);
void fiber_wake(struct fiber *fiber);

#endif
