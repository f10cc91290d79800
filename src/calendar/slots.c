/* See slots.h. */
#include "calendar/slots.h"

#define MINUTES(n) ((n)*UTIME_MINUTE)

/* The first point of the grid that is at `from` or later, and after `now`. */
static utime first_point(utime anchor, utime step, utime from, utime now)
{
	utime least = from > now ? from : now + 1;

	return anchor + (least - anchor + step - 1) / step * step;
}

/* The slots of one span of opening. *next is the first full period that may still matter. */
static void offer(struct spans *slots, struct span open, utime first, utime step, const struct spans *full,
		  size_t *next)
{
	for (utime at = first; at + step <= open.end; at += step) {
		struct span slot = {at, at + step};

		while (*next < full->count && full->items[*next].end <= slot.start)
			++*next;
		if (*next == full->count || !span_overlaps(full->items[*next], slot))
			slots->items[slots->count++] = slot;
	}
}

enum rc slots_of_day(struct arena *arena, const struct policy *policy, const struct schedule *schedule,
		     int64_t date, const struct busy *busy, utime now, struct spans *ret)
{
	struct span open[SCHEDULE_RANGES_MAX], working = hours_working(policy, date);
	utime step = MINUTES(policy->interval_min);
	size_t open_count = hours_of_day(policy, schedule, date, open, ARRAY_LEN(open)), next = 0;
	struct spans full, slots = {0};
	enum rc rc = overlap_full(arena, busy, &full);

	if (rc != RC_OK)
		return rc;
	slots.items =
		arena_array(arena, (size_t)((working.end - working.start) / step), sizeof(*slots.items));
	if (slots.items == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < open_count; i++)
		offer(&slots, open[i], first_point(working.start, step, open[i].start, now), step, &full,
		      &next);
	*ret = slots;
	return RC_OK;
}
