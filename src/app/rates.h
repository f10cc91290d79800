/* The limits of the process: shared with others where there is Redis, and told to /metrics. */
#ifndef APP_RATES_H
#define APP_RATES_H

#include "app/app.h"
#include "events/rate_share.h"

struct writer;

/* *ret is NULL where there is no Redis. Before the tasks start. */
enum rc app_rates_share(const struct app *app, struct tasks *tasks, struct rate_share **ret) MUST_USE;
void app_rates_metrics(const struct app *app, const struct rate_share *share, struct writer *writer);

#endif
