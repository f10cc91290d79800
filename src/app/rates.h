/* The limits of the process: shared with others where there is Redis. */
#ifndef APP_RATES_H
#define APP_RATES_H

#include "app/app.h"
#include "events/rate_share.h"

/* *ret is NULL where there is no Redis. Before the tasks start. */
enum rc app_rates_share(const struct app *app, struct tasks *tasks, struct rate_share **ret) MUST_USE;

#endif
