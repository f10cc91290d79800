/* What the calendar's unit tests share: tenants somewhere, and times as a person writes them. */
#ifndef CALENDAR_CALENDAR_TEST_H
#define CALENDAR_CALENDAR_TEST_H

#include "calendar/hours.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TEST_SPANS_MAX 64

/* "2025-12-05T14:00Z", or without Z a reading of the wall. */
static inline utime at(const char *text)
{
	struct wire_time time = {0};

	assert_true(utime_parse(str_from(text), &time));
	return time.at;
}

static inline int64_t date(const char *text)
{
	int64_t days = 0;

	assert_true(utime_parse_date(str_from(text), &days));
	return days;
}

/* "08:00-18:00" */
static inline struct clock_range range(const char *text)
{
	struct clock_range range = {0};

	assert_true(utime_parse_clock((struct str){text, 5}, &range.open_s));
	assert_true(utime_parse_clock((struct str){text + 6, 5}, &range.close_s));
	return range;
}

/* Intervals of 30 minutes, 30 days ahead, 24 hours to cancel. */
static inline struct policy policy_in(const char *zone_name, const char *hours)
{
	struct zone *zone = NULL;

	assert_int_equal(zone_open(zone_name, &zone), RC_OK);
	return (struct policy){zone, range(hours), 30, 30, 24, false};
}

static inline void policy_done(struct policy *policy)
{
	zone_close((struct zone *)(uintptr_t)policy->zone);
	policy->zone = NULL;
}

/* "08:00-12:00 13:00-18:00" on every weekday; NULL is the working hours. */
static inline struct schedule schedule_of(const char *ranges)
{
	struct schedule schedule;

	schedule_init(&schedule);
	schedule.always_open = ranges == NULL;
	for (const char *r = ranges; r != NULL; r = r[11] == ' ' ? r + 12 : NULL) {
		for (int day = 0; day < 7; day++)
			assert_int_equal(schedule_add(&schedule, day, range(r)), RC_OK);
	}
	schedule_seal(&schedule);
	return schedule;
}

/* "2025-12-05T14:00Z/2025-12-05T15:00Z ...", with one space between. */
static inline size_t spans_of(const char *text, struct span ret[TEST_SPANS_MAX])
{
	const char *slash, *end;
	struct wire_time start, stop;
	size_t count = 0;

	for (; *text != '\0'; text = *end == ' ' ? end + 1 : end) {
		slash = strchr(text, '/');
		end = slash + strcspn(slash, " ");
		assert_true(utime_parse((struct str){text, (size_t)(slash - text)}, &start));
		assert_true(utime_parse((struct str){slash + 1, (size_t)(end - slash - 1)}, &stop));
		ret[count++] = (struct span){start.at, stop.at};
	}
	return count;
}

static inline void assert_spans(const struct span *got, size_t count, const char *expected)
{
	struct span wanted[TEST_SPANS_MAX];

	assert_int_equal(count, spans_of(expected, wanted));
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(got[i].start, wanted[i].start);
		assert_int_equal(got[i].end, wanted[i].end);
	}
}

#endif
