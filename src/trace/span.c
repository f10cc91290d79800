/* See span.h. */
#include "trace/span.h"

#include "trace/tracer.h"

#include <stdio.h>
#include <time.h>

uint64_t span_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct span *make(struct ctx *cx, enum span_kind kind, const char *name)
{
	struct span *span = arena_alloc(cx->arena, sizeof(*span));
	unsigned char random[SPAN_ID_LEN / 2];

	if (span == NULL)
		return NULL;
	*span = (struct span){.tracer = cx->tracer, .kind = kind, .began = span_clock()};
	cx->world->random(cx->world, random, sizeof(random));
	hex_text(span->id, random, sizeof(random));
	snprintf(span->name, sizeof(span->name), "%s", name);
	return span;
}

struct span *span_start(struct ctx *cx, enum span_kind kind, const char *name)
{
	struct span *span = make(cx, kind, name);

	if (span == NULL)
		return NULL;
	span->cx = cx;
	span->state = cx->trace_state;
	memcpy(span->trace_id, cx->trace_id, sizeof(span->trace_id));
	memcpy(span->parent, cx->span_id, sizeof(span->parent));
	memcpy(cx->span_id, span->id, sizeof(span->id));
	return span;
}

struct span *span_of_trace(struct ctx *cx, const char *trace_id, enum span_kind kind, const char *name,
			   uint64_t began)
{
	struct span *span;

	if (cx->tracer == NULL || strlen(trace_id) != TRACE_ID_LEN || !tracer_samples(cx->tracer, trace_id))
		return NULL;
	span = make(cx, kind, name);
	if (span == NULL)
		return NULL;
	memcpy(span->trace_id, trace_id, sizeof(span->trace_id));
	span->began = began;
	return span;
}

static struct span_attribute *next(struct span *span, const char *key)
{
	struct span_attribute *attribute;

	if (span == NULL || span->count == SPAN_ATTRIBUTES)
		return NULL;
	attribute = &span->attributes[span->count++];
	attribute->key = key;
	return attribute;
}

void span_text(struct span *span, const char *key, const char *text)
{
	struct span_attribute *attribute = next(span, key);

	if (attribute != NULL)
		snprintf(attribute->text, sizeof(attribute->text), "%s", text);
}

void span_number(struct span *span, const char *key, int64_t number)
{
	struct span_attribute *attribute = next(span, key);

	if (attribute == NULL)
		return;
	attribute->is_number = true;
	attribute->number = number;
}

void span_since(struct span *span, uint64_t ns)
{
	if (span != NULL)
		span->began -= ns;
}

void span_end(struct span *span, const char *error)
{
	if (span == NULL)
		return;
	span->ended = span_clock();
	if (span->ended < span->began) /* the clock was set back */
		span->ended = span->began;
	snprintf(span->error, sizeof(span->error), "%s", error != NULL ? error : "");
	if (span->cx != NULL)
		memcpy(span->cx->span_id, span->parent, sizeof(span->parent));
	tracer_take(span->tracer, span);
}
