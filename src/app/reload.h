/*
 * SIGHUP: the settings of config_live.def are read again and taken over, whole or not at all.
 * docs/upgrading.md.
 */
#ifndef APP_RELOAD_H
#define APP_RELOAD_H

#include "app/app.h"

struct tasks;

/* Adds the task that does it. Before the tasks start. */
enum rc app_reload_create(struct app *app, struct tasks *tasks) MUST_USE;
/* Asks for one. Async-signal-safe, until app_events_stop(). */
void app_reload_ask(const struct app *app);

#endif
