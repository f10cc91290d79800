/*
 * Slots: what a resource still offers on a local day. They lie on a grid that begins when the tenant
 * opens that day and steps by the interval in elapsed time, so that none is zero or two hours long
 * when clocks change.
 */
#ifndef CALENDAR_SLOTS_H
#define CALENDAR_SLOTS_H

#include "calendar/hours.h"
#include "calendar/overlap.h"

/* Of the longest day at the shortest interval. */
#define SLOTS_INTERVAL_MIN 5
#define SLOTS_MAX	   (26 * 60 / SLOTS_INTERVAL_MIN)

/*
 * The slots [g, g + interval) that lie inside one span of hours_of_day(), start after now, and
 * have a free place at each of their instants. In order. A slot that is offered passes rules_check(),
 * rules_on_grid() and overlap_check(), provided that rules_check_date() passes. RC_NO_MEMORY. O(slots + busy
 * log capacity).
 */
enum rc slots_of_day(struct arena *arena, const struct policy *policy, const struct schedule *schedule,
		     int64_t date, const struct busy *busy, utime now, struct spans *ret) MUST_USE;

#endif
