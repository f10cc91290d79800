/* See events_lines.h. */
#include "app/events_lines.h"

#include "app/commands.h"
#include "json/shape.h"

#include <inttypes.h>
#include <stdio.h>

/* clang-format off */
#define EVENT_FIELDS(F, T)                                                                 \
	F(T, TEXT,    stream,      REQUIRED, "Its stream.")                                \
	F(T, INT,     sequence,    REQUIRED, "Its place there.")                           \
	F(T, UUID,    event_id,    REQUIRED, "The same wherever it is told.")              \
	F(T, TEXT,    type,        REQUIRED, "What happened.")                             \
	F(T, UUID,    tenant_id,   REQUIRED, "Where.")                                     \
	F(T, UUID,    subject_id,  REQUIRED, "To what.")                                   \
	F(T, INT,     version,     REQUIRED, "Of the subject, after it.")                  \
	F(T, INSTANT, occurred_at, REQUIRED, "When.")                                      \
	F(T, TEXT,    trace_id,    REQUIRED, "In which request.")                          \
	F(T, JSON,    payload,     REQUIRED, "What is to say about it.")

#define EVENT_LINE(F, T) EVENT_FIELDS(F, T)
SHAPE_DECLARE(event_line, EVENT_LINE);
SHAPE_DEFINE(event_line, EVENT_LINE);

#define DEAD_LINE(F, T)                                                                    \
	F(T, INT,     number,    REQUIRED, "Of the dead letter.")                          \
	F(T, TEXT,    group,     REQUIRED, "Which group could not handle it.")             \
	F(T, TEXT,    why,       REQUIRED, "What went wrong at last.")                     \
	F(T, INT,     tries,     REQUIRED, "How often it was tried.")                      \
	F(T, INSTANT, buried_at, REQUIRED, "When it was given up.")                        \
	EVENT_FIELDS(F, T)
SHAPE_DECLARE(dead_line, DEAD_LINE);
SHAPE_DEFINE(dead_line, DEAD_LINE);

#define GROUP_LINE(F, T)                                                                   \
	F(T, TEXT, group,     REQUIRED, "The group.")                                      \
	F(T, TEXT, stream,    REQUIRED, "Of this stream.")                                 \
	F(T, INT,  delivered, REQUIRED, "The place of the last event given to it.")        \
	F(T, INT,  pending,   REQUIRED, "Given, and not acknowledged.")                    \
	F(T, INT,  lag,       REQUIRED, "Not given yet.")
SHAPE_DECLARE(group_line, GROUP_LINE);
SHAPE_DEFINE(group_line, GROUP_LINE);

#define PENDING_LINE(F, T)                                                                 \
	F(T, TEXT, group,      REQUIRED, "The group.")                                     \
	F(T, TEXT, consumer,   REQUIRED, "Who has it in hand.")                            \
	F(T, TEXT, stream,     REQUIRED, "Of this stream.")                                \
	F(T, INT,  sequence,   REQUIRED, "Its place there.")                               \
	F(T, INT,  idle_ms,    REQUIRED, "Since it was given.")                            \
	F(T, INT,  deliveries, REQUIRED, "How often it was given.")
SHAPE_DECLARE(pending_line, PENDING_LINE);
SHAPE_DEFINE(pending_line, PENDING_LINE);
/* clang-format on */

/* clang-format off */
#define EVENT_OF(e)                                                                                        \
	.stream = (e)->stream, .sequence = (e)->sequence, .event_id = (e)->id, .type = (e)->type,          \
	.tenant_id = (e)->tenant_id, .subject_id = (e)->subject_id, .version = (e)->version,               \
	.occurred_at = (e)->occurred_at, .trace_id = (e)->trace_id, .payload = (e)->payload
/* clang-format on */

/* Whoever writes into a Redis must not write onto the operator's terminal. */
static const char *shown(struct ctx *cx, const char *text)
{
	char *copy = arena_text(cx->arena, str_from(text));

	for (char *p = copy; p != NULL && *p != '\0'; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
	return copy != NULL ? copy : "?";
}

enum rc line_event(const struct lines *lines, struct ctx *cx, const struct event *event)
{
	const struct event_line line = {EVENT_OF(event)};
	char when[UTIME_TEXT_MAX];

	if (lines->json)
		return command_print_json(cx, &event_line_shape, &line);
	utime_text(when, event->occurred_at, 0, true);
	printf("%s  %s %" PRId64 "  %s%s%s  %s\n", when, event->stream, event->sequence,
	       lines->colours ? "\033[1m" : "", shown(cx, event->type), lines->colours ? "\033[0m" : "",
	       shown(cx, event->payload));
	return RC_OK;
}

enum rc line_dead(const struct lines *lines, struct ctx *cx, const struct bus_dead *dead)
{
	const struct dead_line line = {.number = dead->number,
				       .group = dead->group,
				       .why = dead->why,
				       .tries = dead->tries,
				       .buried_at = dead->buried_at,
				       EVENT_OF(&dead->event)};

	if (lines->json)
		return command_print_json(cx, &dead_line_shape, &line);
	printf("%s%6" PRId64 "%s  %s: %s after %" PRId64 " tries\n        ", lines->colours ? "\033[31m" : "",
	       dead->number, lines->colours ? "\033[0m" : "", shown(cx, dead->group), shown(cx, dead->why),
	       dead->tries);
	return line_event(lines, cx, &dead->event);
}

void line_groups_head(const struct lines *lines)
{
	if (!lines->json)
		printf("%-20s %-18s %10s %10s %10s\n", "GROUP", "STREAM", "DELIVERED", "PENDING", "LAG");
}

enum rc line_group(const struct lines *lines, struct ctx *cx, const struct bus_group *group)
{
	const struct group_line line = {.group = group->name,
					.stream = group->stream,
					.delivered = group->delivered,
					.pending = group->pending,
					.lag = group->lag};

	if (lines->json)
		return command_print_json(cx, &group_line_shape, &line);
	printf("%-20s %-18s %10" PRId64 " %10" PRId64 " %10" PRId64 "\n", shown(cx, group->name),
	       group->stream, group->delivered, group->pending, group->lag);
	return RC_OK;
}

void line_pending_head(const struct lines *lines)
{
	if (!lines->json)
		printf("%-20s %-18s %10s %10s %10s  %s\n", "GROUP", "STREAM", "SEQUENCE", "IDLE MS",
		       "DELIVERIES", "CONSUMER");
}

enum rc line_pending(const struct lines *lines, struct ctx *cx, const struct bus_pending *pending)
{
	const struct pending_line line = {.group = pending->group,
					  .consumer = pending->consumer,
					  .stream = pending->stream,
					  .sequence = pending->sequence,
					  .idle_ms = pending->idle_ms,
					  .deliveries = pending->deliveries};

	if (lines->json)
		return command_print_json(cx, &pending_line_shape, &line);
	printf("%-20s %-18s %10" PRId64 " %10" PRId64 " %10" PRId64 "  %s\n", shown(cx, pending->group),
	       pending->stream, pending->sequence, pending->idle_ms, pending->deliveries,
	       shown(cx, pending->consumer));
	return RC_OK;
}
