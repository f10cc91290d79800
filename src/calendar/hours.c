/* See hours.h. */
#include "calendar/hours.h"

#include <stdlib.h>

void schedule_init(struct schedule *schedule)
{
	schedule->always_open = false;
	for (size_t i = 0; i < ARRAY_LEN(schedule->days); i++)
		schedule->days[i].count = 0;
}

enum rc schedule_add(struct schedule *schedule, int weekday, struct clock_range range)
{
	struct schedule_day *day;

	if (weekday < 0 || weekday >= (int)ARRAY_LEN(schedule->days) || range.open_s < 0 ||
	    range.open_s >= range.close_s || range.close_s > CLOCK_DAY_END)
		return RC_INVALID;
	day = &schedule->days[weekday];
	if (day->count == ARRAY_LEN(day->ranges))
		return RC_INVALID;
	day->ranges[day->count++] = range;
	return RC_OK;
}

static int by_opening(const void *a, const void *b)
{
	const struct clock_range *left = a, *right = b;

	return (left->open_s > right->open_s) - (left->open_s < right->open_s);
}

static void day_seal(struct schedule_day *day)
{
	struct clock_range *last = day->ranges;

	if (day->count == 0)
		return;
	qsort(day->ranges, day->count, sizeof(day->ranges[0]), by_opening);
	for (size_t i = 1; i < day->count; i++) {
		struct clock_range range = day->ranges[i];

		if (range.open_s > last->close_s)
			*++last = range;
		else if (range.close_s > last->close_s)
			last->close_s = range.close_s;
	}
	day->count = (size_t)(last - day->ranges) + 1;
}

void schedule_seal(struct schedule *schedule)
{
	for (size_t i = 0; i < ARRAY_LEN(schedule->days); i++)
		day_seal(&schedule->days[i]);
}

int hours_weekday(int64_t date)
{
	int64_t days = date + 3; /* 1970-01-01 was a Thursday */

	return (int)(days - floor_div(days, 7) * 7);
}

utime hours_instant(const struct zone *zone, int64_t date, int32_t clock_s)
{
	struct zone_instants instants;

	/* Whether it is unique, in a gap or repeated, the first is the instant at which the wall gets there.
	 */
	(void)zone_resolve(zone, date * UTIME_DAY + clock_s * UTIME_SECOND, &instants);
	return instants.first;
}

int64_t hours_date(const struct zone *zone, utime at)
{
	int64_t date = zone_date(zone, at);

	return hours_instant(zone, date + 1, 0) <= at ? date + 1 : date;
}

struct span hours_working(const struct policy *policy, int64_t date)
{
	utime start = hours_instant(policy->zone, date, policy->hours.open_s);
	utime end = hours_instant(policy->zone, date, policy->hours.close_s);

	return (struct span){start, end - start > BOOKING_LENGTH_MAX ? start + BOOKING_LENGTH_MAX : end};
}

static struct span span_common(struct span a, struct span b)
{
	return (struct span){a.start > b.start ? a.start : b.start, a.end < b.end ? a.end : b.end};
}

size_t hours_of_day(const struct policy *policy, const struct schedule *schedule, int64_t date,
		    struct span *ret, size_t max)
{
	static const struct schedule_day whole = {.ranges = {{0, CLOCK_DAY_END}}, .count = 1};
	const struct schedule_day *day =
		schedule->always_open ? &whole : &schedule->days[hours_weekday(date)];
	struct span working = hours_working(policy, date), open;
	size_t count = 0;

	for (size_t i = 0; i < day->count; i++) {
		open = (struct span){hours_instant(policy->zone, date, day->ranges[i].open_s),
				     hours_instant(policy->zone, date, day->ranges[i].close_s)};
		open = span_common(open, working);
		if (open.start >= open.end)
			continue;
		/* A pause that falls into a gap is none. */
		if (count > 0 && ret[count - 1].end == open.start)
			ret[count - 1].end = open.end;
		else if (count < max)
			ret[count++] = open;
	}
	return count;
}
