/* The lines that `marca events` prints: for people, or one JSON object a line. */
#ifndef APP_EVENTS_LINES_H
#define APP_EVENTS_LINES_H

#include "events/bus.h"

struct lines {
	bool json, colours;
};

/* RC_NO_MEMORY. */
enum rc line_event(const struct lines *lines, struct ctx *cx, const struct event *event) MUST_USE;
enum rc line_dead(const struct lines *lines, struct ctx *cx, const struct bus_dead *dead) MUST_USE;
enum rc line_group(const struct lines *lines, struct ctx *cx, const struct bus_group *group) MUST_USE;
enum rc line_pending(const struct lines *lines, struct ctx *cx, const struct bus_pending *pending) MUST_USE;

/* What stands above them; nothing above JSON. */
void line_groups_head(const struct lines *lines);
void line_pending_head(const struct lines *lines);

#endif
