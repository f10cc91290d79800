/* Spans, where OTEL_EXPORTER_OTLP_ENDPOINT says where to. */
#ifndef APP_TRACES_H
#define APP_TRACES_H

#include "app/app.h"

/* False: a setting is no good, or memory; said why on standard error. */
bool app_traces_open(struct app *app) MUST_USE;
/* Once nobody makes spans any more. */
void app_traces_close(struct app *app);

#endif
