/* Slots on quiet days and on days when clocks change, with bookings, with now in the midst of the day. */
#include "calendar/slots.h"

#include "calendar/calendar_test.h"
#include "calendar/rules.h"

#include <stdlib.h>

struct day {
	const char *title, *zone, *date, *hours, *schedule;
	int32_t interval_min, capacity;
	const char *busy;  /* NULL: nothing */
	const char *now;   /* NULL: long ago */
	const char *slots; /* NULL: only the count is known */
	size_t count;
};

/* clang-format off */
static const struct day days[] = {
	{"the seed's tenant", "America/Sao_Paulo", "2025-12-05", "08:00-18:00", NULL, 60, 1, NULL, NULL, NULL, 10},
	{"what is booked is not offered, what touches is", "UTC", "2025-12-05", "08:00-12:00", NULL, 60, 1,
	 "2025-12-05T09:00Z/2025-12-05T10:00Z", NULL,
	 "2025-12-05T08:00Z/2025-12-05T09:00Z 2025-12-05T10:00Z/2025-12-05T11:00Z 2025-12-05T11:00Z/2025-12-05T12:00Z", 3},
	{"a booking off the grid takes both slots that it meets", "UTC", "2025-12-05", "08:00-12:00", NULL, 60, 1,
	 "2025-12-05T08:30Z/2025-12-05T09:30Z", NULL,
	 "2025-12-05T10:00Z/2025-12-05T11:00Z 2025-12-05T11:00Z/2025-12-05T12:00Z", 2},
	{"a booking longer than the day", "UTC", "2025-12-05", "08:00-12:00", NULL, 60, 1,
	 "2025-12-04T08:00Z/2025-12-06T09:30Z", NULL, "", 0},
	{"a slot that begins now is past", "UTC", "2025-12-05", "08:00-10:00", NULL, 60, 1, NULL, "2025-12-05T08:00Z",
	 "2025-12-05T09:00Z/2025-12-05T10:00Z", 1},
	{"a slot that is about to begin is not", "UTC", "2025-12-05", "08:00-10:00", NULL, 60, 1, NULL,
	 "2025-12-05T07:59:59.999999Z", NULL, 2},
	{"the rest of a day that is over", "UTC", "2025-12-05", "08:00-10:00", NULL, 60, 1, NULL, "2025-12-09T00:00Z", "", 0},
	{"what does not fit before closing", "UTC", "2025-12-05", "08:00-10:20", NULL, 45, 1, NULL, NULL,
	 "2025-12-05T08:00Z/2025-12-05T08:45Z 2025-12-05T08:45Z/2025-12-05T09:30Z 2025-12-05T09:30Z/2025-12-05T10:15Z", 3},
	{"the grid goes through the pause", "UTC", "2025-12-05", "08:00-18:00", "08:00-09:30 10:15-12:00", 60, 1, NULL, NULL,
	 "2025-12-05T08:00Z/2025-12-05T09:00Z 2025-12-05T11:00Z/2025-12-05T12:00Z", 2},
	{"two places, one of them taken", "UTC", "2025-12-05", "08:00-10:00", NULL, 60, 2,
	 "2025-12-05T08:00Z/2025-12-05T10:00Z", NULL, NULL, 2},
	{"two places, the last seat gone for an hour", "UTC", "2025-12-05", "08:00-10:00", NULL, 60, 2,
	 "2025-12-05T08:00Z/2025-12-05T10:00Z 2025-12-05T09:00Z/2025-12-05T10:00Z", NULL,
	 "2025-12-05T08:00Z/2025-12-05T09:00Z", 1},
	{"two places, two bookings one after the other", "UTC", "2025-12-05", "08:00-10:00", NULL, 120, 2,
	 "2025-12-05T08:00Z/2025-12-05T09:00Z 2025-12-05T09:00Z/2025-12-05T10:00Z", NULL, NULL, 1},
	{"spring: no slot of no length", "America/New_York", "2025-03-09", "01:00-04:00", NULL, 60, 1, NULL, NULL,
	 "2025-03-09T06:00Z/2025-03-09T07:00Z 2025-03-09T07:00Z/2025-03-09T08:00Z", 2},
	{"autumn: the second hour of the fold is offered", "America/New_York", "2025-11-02", "01:00-03:00", NULL, 60, 1, NULL,
	 NULL,
	 "2025-11-02T05:00Z/2025-11-02T06:00Z 2025-11-02T06:00Z/2025-11-02T07:00Z 2025-11-02T07:00Z/2025-11-02T08:00Z", 3},
	{"autumn: a booking of the first hour leaves the second", "America/New_York", "2025-11-02", "01:00-02:00", NULL, 60, 1,
	 "2025-11-02T05:00Z/2025-11-02T06:00Z", NULL, "2025-11-02T06:00Z/2025-11-02T07:00Z", 1},
	{"opening in a gap: the grid begins where it ends", "America/Sao_Paulo", "2018-11-04", "00:30-03:00", NULL, 60, 1, NULL,
	 NULL, "2018-11-04T03:00Z/2018-11-04T04:00Z 2018-11-04T04:00Z/2018-11-04T05:00Z", 2},
	{"half an hour is skipped: the grid leaves the full hours", "Australia/Lord_Howe", "2025-10-05", "01:00-04:30", NULL,
	 60, 1, NULL, NULL,
	 "2025-10-04T14:30Z/2025-10-04T15:30Z 2025-10-04T15:30Z/2025-10-04T16:30Z 2025-10-04T16:30Z/2025-10-04T17:30Z", 3},
	{"the day that Samoa skipped", "Pacific/Apia", "2011-12-30", "00:00-24:00", NULL, 60, 1, NULL, NULL, "", 0},
	{"a whole day of 25 hours", "America/Sao_Paulo", "2018-02-17", "00:00-24:00", NULL, 60, 1, NULL, NULL, NULL, 25},
	{"the longest day at the shortest interval", "Antarctica/Troll", "2025-10-26", "00:00-24:00", NULL,
	 SLOTS_INTERVAL_MIN, 1, NULL, NULL, NULL, SLOTS_MAX},
};
/* clang-format on */

/* Availability and booking agree: what is offered passes every rule. */
static void assert_bookable(struct arena *arena, struct policy *policy, const struct schedule *schedule,
			    const struct busy *busy, const struct spans *slots, utime now)
{
	policy->advance_days = 365;
	for (size_t i = 0; i < slots->count; i++) {
		struct span slot = slots->items[i];

		if (now == UTIME_MIN)
			now = slot.start - 1;
		assert_int_equal(rules_check(policy, schedule, slot, now), RC_OK);
		assert_true(rules_on_grid(policy, slot.start));
		assert_int_equal(overlap_check(arena, busy, slot), RC_OK);
	}
}

static void test_days(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		const struct day *day = &days[i];
		struct policy policy = policy_in(day->zone, day->hours);
		struct schedule schedule = schedule_of(day->schedule);
		struct span items[TEST_SPANS_MAX];
		struct busy busy = {items, day->busy != NULL ? spans_of(day->busy, items) : 0, day->capacity};
		utime now = day->now != NULL ? at(day->now) : UTIME_MIN;
		struct arena arena;
		struct spans slots;

		print_message("%s\n", day->title);
		policy.interval_min = day->interval_min;
		arena_init(&arena, NULL);
		assert_int_equal(slots_of_day(&arena, &policy, &schedule, date(day->date), &busy, now,
					      &slots),
				 RC_OK);
		assert_int_equal(slots.count, day->count);
		if (day->slots != NULL)
			assert_spans(slots.items, slots.count, day->slots);
		assert_bookable(&arena, &policy, &schedule, &busy, &slots, now);
		arena_finish(&arena);
		policy_done(&policy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_days),
	};

	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
