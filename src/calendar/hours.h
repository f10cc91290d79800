/*
 * Hours: when a resource can be used on a local day, as instants.
 *
 * A time on the wall stands for the first instant at which the wall has reached it. So a time in a gap is the
 * instant where the gap ends, a repeated one is its first occurrence, 24:00 is the first instant of the next
 * day, and the order of the wall is kept. On a day when clocks change a range may be longer or shorter than
 * it reads, or empty.
 */
#ifndef CALENDAR_HOURS_H
#define CALENDAR_HOURS_H

#include "calendar/policy.h"

#define SCHEDULE_RANGES_MAX 48 /* a weekday */
#define CLOCK_DAY_END	    86400

struct schedule_day {
	struct clock_range ranges[SCHEDULE_RANGES_MAX];
	size_t count; /* 0: closed */
};

/* A resource's own week. */
struct schedule {
	bool always_open;	     /* the tenant's working hours, every day; the rest does not count */
	struct schedule_day days[7]; /* 0 = Monday */
};

/* Closed all week; set always_open for the other one. */
void schedule_init(struct schedule *schedule);

/* RC_INVALID: no such weekday, not 0 <= open < close <= 24:00, or too many ranges. */
enum rc schedule_add(struct schedule *schedule, int weekday, struct clock_range range) MUST_USE;

/* Call once after the last range and before any question: sorts, and merges what overlaps or touches. */
void schedule_seal(struct schedule *schedule);

/* Weekday of a date, 0 = Monday. */
int hours_weekday(int64_t date);

/* The instant of a time on the wall, 0 to 86400 seconds after midnight. Never decreases in either argument.
 */
utime hours_instant(const struct zone *zone, int64_t date, int32_t clock_s);

/*
 * The local day that an instant counts to: from its first instant up to the next day's. That is the
 * date on the wall, but where clocks go back across midnight (St. John's, 00:01 to 23:01) the
 * repeated hour counts to the day that had already begun.
 */
int64_t hours_date(const struct zone *zone, utime at);

/* The working hours of a date: [opening, closing). Empty (start == end) e.g. on a day that was skipped. */
struct span hours_working(const struct policy *policy, int64_t date);

/*
 * The schedule of that date's weekday within the working hours: sorted, disjoint, merged, none empty.
 * Returns the count; writes at most max (SCHEDULE_RANGES_MAX always suffices).
 */
size_t hours_of_day(const struct policy *policy, const struct schedule *schedule, int64_t date,
		    struct span *ret, size_t max);

#endif
