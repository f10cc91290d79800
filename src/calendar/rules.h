/*
 * Rules: what a booking must satisfy before the store is asked for room. Numbers are those of the
 * wire contract, "Rules, in order"; rule 1 (what exists) is the service's, rule 8 (conflicts) is
 * overlap_check().
 *
 * Instants lie within UTIME_MIN and UTIME_MAX.
 */
#ifndef CALENDAR_RULES_H
#define CALENDAR_RULES_H

#include "calendar/hours.h"

/*
 * A client's time as an instant: without offset it is the tenant's local time, and the first
 * occurrence if that is repeated. RC_INVALID: the wall never shows that time, for clocks go forward over it.
 */
enum rc rules_instant(const struct policy *policy, struct wire_time wire, utime *ret) MUST_USE;

/*
 * An edge of a window that a client asks for: a time, as above, or a day. A day opens a window at its first
 * instant and closes it at the next day's. `zone` NULL: UTC. RC_INVALID: neither, or no such time there.
 */
enum rc rules_edge(const struct zone *zone, const char *text, bool closes, utime *ret) MUST_USE;

/*
 * The first of rules 2 to 7 that fails: RC_END_BEFORE_START, RC_IN_THE_PAST, RC_TOO_FAR_AHEAD,
 * RC_BAD_DURATION, RC_OUTSIDE_HOURS, RC_CLOSED_WEEKDAY, RC_OUTSIDE_SCHEDULE.
 */
enum rc rules_check(const struct policy *policy, const struct schedule *schedule, struct span wanted,
		    utime now) MUST_USE;

/* Rule 9. Apart from the others because a conflict is told before it. */
bool rules_on_grid(const struct policy *policy, utime start);

/* Whether availability may be asked for a date: RC_DATE_PAST, RC_DATE_TOO_FAR. The same limit as rule 4. */
enum rc rules_check_date(const struct policy *policy, int64_t date, utime now) MUST_USE;

/* The window, not the status: at least cancellation_hours before the start, and never once it has begun. */
bool rules_can_cancel(const struct policy *policy, utime start, utime now);

#endif
