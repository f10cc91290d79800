/* See otlp.h. Ids are hexadecimal, 64-bit numbers are texts, enums are numbers: the JSON mapping of OTLP. */
#include "trace/otlp.h"

#include <inttypes.h>

#define STATUS_ERROR 2

static void key(struct writer *w, const char *name, bool first)
{
	if (!first)
		write_char(w, ',');
	write_text(w, str_from(name));
	write_char(w, ':');
}

static void text(struct writer *w, const char *name, const char *value, bool first)
{
	key(w, name, first);
	write_text(w, str_from(value));
}

static void attribute(struct writer *w, const char *name, const char *value, bool first)
{
	if (!first)
		write_char(w, ',');
	write_char(w, '{');
	text(w, "key", name, true);
	write_raw(w, STR(",\"value\":{"));
	text(w, "stringValue", value, true);
	write_raw(w, STR("}}"));
}

static void number(struct writer *w, const char *name, int64_t value, bool first)
{
	if (!first)
		write_char(w, ',');
	write_char(w, '{');
	text(w, "key", name, true);
	write_format(w, ",\"value\":{\"intValue\":\"%" PRId64 "\"}}", value);
}

static void attributes(struct writer *w, const struct span *span)
{
	bool first = true;

	write_raw(w, STR(",\"attributes\":["));
	for (size_t i = 0; i < span->count; i++, first = false) {
		const struct span_attribute *one = &span->attributes[i];

		if (one->is_number)
			number(w, one->key, one->number, first);
		else
			attribute(w, one->key, one->text, first);
	}
	if (span->error[0] != '\0')
		attribute(w, "error.type", span->error, first);
	write_char(w, ']');
}

static void one(struct writer *w, const struct otlp_span *row)
{
	const struct span *span = &row->span;

	write_char(w, '{');
	text(w, "traceId", span->trace_id, true);
	text(w, "spanId", span->id, false);
	if (span->parent[0] != '\0')
		text(w, "parentSpanId", span->parent, false);
	if (row->state[0] != '\0')
		text(w, "traceState", row->state, false);
	text(w, "name", span->name, false);
	write_format(w,
		     ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRIu64 "\",\"endTimeUnixNano\":\"%" PRIu64 "\"",
		     (int)span->kind, span->began, span->ended);
	attributes(w, span);
	write_raw(w, STR(",\"status\":{"));
	if (span->error[0] != '\0')
		write_format(w, "\"code\":%d", STATUS_ERROR);
	write_raw(w, STR("}}"));
}

void otlp_write(struct writer *w, const char *service, const struct otlp_span *spans, size_t count)
{
	write_raw(w, STR("{\"resourceSpans\":[{\"resource\":{\"attributes\":["));
	attribute(w, "service.name", service, true);
	attribute(w, "service.version", MARCA_VERSION, false);
	write_raw(w, STR("]},\"scopeSpans\":[{\"scope\":{"));
	text(w, "name", "marca", true);
	text(w, "version", MARCA_VERSION, false);
	write_raw(w, STR("},\"spans\":["));
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			write_char(w, ',');
		one(w, &spans[i]);
	}
	write_raw(w, STR("]}]}]}"));
}
