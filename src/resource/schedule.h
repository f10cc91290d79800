/*
 * A resource's week as clients write it, in any of the three forms of api.md, section 4. One reader
 * serves the check on writing and the rules of booking, so that both take it for the same.
 */
#ifndef RESOURCE_SCHEDULE_H
#define RESOURCE_SCHEDULE_H

#include "calendar/hours.h"
#include "json/issue.h"

struct json_t;

/* For shape.h: .check = schedule_check */
void schedule_check(const struct json_t *value, const struct loc *loc, struct issues *issues);

/* What was stored; NULL is always open. RC_NO_MEMORY; RC_INTERNAL when it is not what was checked once. */
enum rc schedule_load(struct arena *arena, const char *text, struct schedule *ret) MUST_USE;

#endif
