/* See traces.h. */
#include "app/traces.h"

#include "trace/tracer.h"

#include <stdio.h>
#include <stdlib.h>

static bool read_ratio(const char *text, double *ret)
{
	char *end;

	*ret = strtod(text, &end);
	if (end != text && *end == '\0' && *ret >= 0 && *ret <= 1)
		return true;
	fprintf(stderr, "marca: OTEL_TRACES_SAMPLER_ARG=%s: must be a number from 0 to 1\n", text);
	return false;
}

bool app_traces_open(struct app *app)
{
	const struct config *config = &app->config;
	struct tracer_options options = {
		.endpoint = config->otlp_endpoint,
		.service = config->otel_service,
		.headers = config->otlp_headers,
		.ca_file = config->outgoing_ca,
	};
	const char *fault;

	if (config->otlp_endpoint == NULL)
		return true;
	fault = tracer_fault(&options);
	if (fault != NULL) {
		fprintf(stderr, "marca: OTEL_EXPORTER_OTLP_ENDPOINT: %s; set http://host:4318\n", fault);
		return false;
	}
	if (!read_ratio(config->otel_ratio, &options.ratio))
		return false;
	app->tracer = tracer_create(&options);
	if (app->tracer == NULL)
		fprintf(stderr, "marca: no memory for spans\n");
	return app->tracer != NULL;
}

void app_traces_close(struct app *app)
{
	tracer_destroy(app->tracer);
	app->tracer = NULL;
}
