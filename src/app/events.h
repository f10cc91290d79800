/* What the process does with events: its bus, the relays of its stores, its consumers. */
#ifndef APP_EVENTS_H
#define APP_EVENTS_H

#include "app/app.h"

struct writer;

/* After the stores are open. On failure says why, and app_events_stop() cleans up. */
bool app_events_start(struct app *app) MUST_USE;
/* Finishes what is in hand. Before the stores are closed. */
void app_events_stop(struct app *app);

/* For /metrics. `app` is a struct app. */
void app_events_metrics(void *app, struct writer *writer);

#endif
