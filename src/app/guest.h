/*
 * What an operator's command does: opens some of the stores beside the marca that serves them, does one piece
 * of work on a fiber, and closes them.
 */
#ifndef APP_GUEST_H
#define APP_GUEST_H

#include "app/app.h"

struct bus;
struct task;

struct guest {
	struct app *app;
	struct task *task;
	struct bus *bus; /* NULL where it was not asked for */
};

/* Within `rooms`. */
#define GUEST_ROOM(room) (1u << (room))
#define GUEST_ALL_ROOMS	 (GUEST_ROOM(ROOM_COUNT) - 1)

typedef enum rc guest_fn(const struct guest *guest, struct ctx *cx, void *arg);

/*
 * After app_init(). With the stores of `rooms`, and the bus when `with_bus` (whose store, where it has one,
 * must be of them). Returns the exit status: 0; 1 when a store cannot be opened or fn fails, having said why
 * on standard error.
 */
int guest_run(struct app *app, unsigned rooms, bool with_bus, guest_fn *fn, void *arg) MUST_USE;

#endif
