/* What the process does with events: its bus, the relays of its stores, its consumers. */
#ifndef APP_EVENTS_H
#define APP_EVENTS_H

#include "app/app.h"

struct bus;
struct tasks;

/* For `serve`, and for commands that look at what it does: tasks with this process's stores, which have been
 * opened, and the bus that is configured. */
enum rc app_tasks_create(struct app *app, struct tasks **ret) MUST_USE;
enum rc app_bus_create(const struct app *app, struct tasks *tasks, struct bus **ret) MUST_USE;

/* After the stores are open. On failure says why, and app_events_stop() cleans up. */
bool app_events_start(struct app *app) MUST_USE;
/* Finishes what is in hand. Before the stores are closed. */
void app_events_stop(struct app *app);
/* It could be reached some seconds ago. `app` is a struct app. On any thread. */
bool app_events_bus_works(void *app);

#endif
