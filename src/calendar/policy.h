/*
 * Policy: how one tenant takes bookings, in the units that the rules count in.
 */
#ifndef CALENDAR_POLICY_H
#define CALENDAR_POLICY_H

#include "calendar/zone.h"

/* A period, half-open: [start, end). */
struct span {
	utime start, end;
};

/* A part of a local day in seconds since midnight on the wall: [open_s, close_s). 86400 closes at 24:00. */
struct clock_range {
	int32_t open_s, close_s;
};

struct policy {
	const struct zone *zone;    /* borrowed */
	struct clock_range hours;   /* the working hours of every day; open_s < close_s */
	int32_t interval_min;	    /* 5 to 480 */
	int32_t advance_days;	    /* 0 to 365 */
	int32_t cancellation_hours; /* 0 to 168 */
	bool auto_confirm;
};

/*
 * No booking is longer, and a local day's working hours are cut to it: the longest day of our time
 * is Antarctica/Troll's 26 hours. A search for overlaps need not look further back than this.
 */
#define BOOKING_LENGTH_MAX (26 * UTIME_HOUR)

static inline bool span_within(struct span inner, struct span outer)
{
	return outer.start <= inner.start && inner.end <= outer.end;
}

static inline bool span_overlaps(struct span a, struct span b)
{
	return a.start < b.end && b.start < a.end;
}

#endif
