/* Working hours and schedules as instants, on quiet days and on days when clocks change. */
#include "calendar/calendar_test.h"

#include <stdlib.h>

static void test_ranges_out_of_order_are_sorted_and_merged(void **state)
{
	struct schedule schedule = schedule_of("14:00-16:00 08:00-10:00 09:00-11:00 11:00-12:00 15:00-15:30");
	const struct schedule_day *day = &schedule.days[3];

	(void)state;
	assert_int_equal(day->count, 2);
	assert_int_equal(day->ranges[0].open_s, 8 * 3600);
	assert_int_equal(day->ranges[0].close_s, 12 * 3600);
	assert_int_equal(day->ranges[1].open_s, 14 * 3600);
	assert_int_equal(day->ranges[1].close_s, 16 * 3600);
}

static void test_bad_ranges_are_refused(void **state)
{
	struct schedule schedule;

	(void)state;
	schedule_init(&schedule);
	assert_int_equal(schedule_add(&schedule, 0, (struct clock_range){3600, 3600}), RC_INVALID);
	assert_int_equal(schedule_add(&schedule, 0, (struct clock_range){7200, 3600}), RC_INVALID);
	assert_int_equal(schedule_add(&schedule, 0, (struct clock_range){-1, 3600}), RC_INVALID);
	assert_int_equal(schedule_add(&schedule, 0, (struct clock_range){0, 86401}), RC_INVALID);
	assert_int_equal(schedule_add(&schedule, -1, (struct clock_range){0, 3600}), RC_INVALID);
	assert_int_equal(schedule_add(&schedule, 7, (struct clock_range){0, 3600}), RC_INVALID);
	for (int i = 0; i < SCHEDULE_RANGES_MAX; i++)
		assert_int_equal(schedule_add(&schedule, 0, (struct clock_range){i, i + 1}), RC_OK);
	assert_int_equal(schedule_add(&schedule, 0, (struct clock_range){100, 200}), RC_INVALID);
}

static void test_weekdays(void **state)
{
	(void)state;
	assert_int_equal(hours_weekday(date("1970-01-01")), 3);
	assert_int_equal(hours_weekday(date("2025-12-01")), 0);
	assert_int_equal(hours_weekday(date("2025-12-07")), 6);
	assert_int_equal(hours_weekday(date("1969-12-28")), 6);
}

/* What is open on a date, in the schedule's ranges (NULL: as the working hours). */
struct day {
	const char *title, *zone, *date, *hours, *schedule, *open;
};

/* clang-format off */
static const struct day days[] = {
	{"a quiet day", "America/Sao_Paulo", "2025-12-05", "08:00-18:00", NULL, "2025-12-05T11:00Z/2025-12-05T21:00Z"},
	{"a schedule is cut to the working hours", "UTC", "2025-12-05", "08:00-18:00", "06:00-12:00 13:00-20:00",
	 "2025-12-05T08:00Z/2025-12-05T12:00Z 2025-12-05T13:00Z/2025-12-05T18:00Z"},
	{"a schedule outside the working hours", "UTC", "2025-12-05", "08:00-18:00", "06:00-08:00 18:00-20:00", ""},
	{"24:00 is the next midnight", "UTC", "2025-12-05", "00:00-24:00", NULL, "2025-12-05T00:00Z/2025-12-06T00:00Z"},
	{"no midnight: opens where the gap ends", "America/Sao_Paulo", "2018-11-04", "00:00-24:00", NULL,
	 "2018-11-04T03:00Z/2018-11-05T02:00Z"},
	{"no midnight at the end of the day: closes where the gap begins", "America/Sao_Paulo", "2018-11-03",
	 "00:00-24:00", NULL, "2018-11-03T03:00Z/2018-11-04T03:00Z"},
	{"opening and closing in one gap: closed", "America/Sao_Paulo", "2018-11-04", "00:15-00:45", NULL, ""},
	{"closing in a gap", "America/New_York", "2025-03-09", "01:00-02:30", NULL, "2025-03-09T06:00Z/2025-03-09T07:00Z"},
	{"the hour before midnight twice: both are of the day", "America/Sao_Paulo", "2018-02-17", "22:00-24:00", NULL,
	 "2018-02-18T00:00Z/2018-02-18T03:00Z"},
	{"midnight twice: the day before ends at the first", "America/Havana", "2025-11-01", "00:00-24:00", NULL,
	 "2025-11-01T04:00Z/2025-11-02T04:00Z"},
	{"midnight twice: the day begins at the first", "America/Havana", "2025-11-02", "00:00-24:00", NULL,
	 "2025-11-02T04:00Z/2025-11-03T05:00Z"},
	{"opening in a fold: its first occurrence", "America/New_York", "2025-11-02", "01:30-03:00", NULL,
	 "2025-11-02T05:30Z/2025-11-02T08:00Z"},
	{"closing in a fold: its first occurrence", "America/New_York", "2025-11-02", "00:00-01:30", NULL,
	 "2025-11-02T04:00Z/2025-11-02T05:30Z"},
	{"a pause within a gap is none", "America/New_York", "2025-03-09", "00:00-24:00", "00:00-02:15 02:45-06:00",
	 "2025-03-09T05:00Z/2025-03-09T10:00Z"},
	{"the longest day", "Antarctica/Troll", "2025-10-26", "00:00-24:00", NULL, "2025-10-25T22:00Z/2025-10-27T00:00Z"},
	{"half an hour more", "Australia/Lord_Howe", "2025-04-06", "00:00-24:00", NULL,
	 "2025-04-05T13:00Z/2025-04-06T13:30Z"},
	{"the day that Samoa skipped", "Pacific/Apia", "2011-12-30", "00:00-24:00", NULL, ""},
	{"the day before it", "Pacific/Apia", "2011-12-29", "08:00-24:00", NULL, "2011-12-29T18:00Z/2011-12-30T10:00Z"},
	{"the day after it", "Pacific/Apia", "2011-12-31", "00:00-12:00", NULL, "2011-12-30T10:00Z/2011-12-30T22:00Z"},
	{"clocks go back across midnight: the repeated hour is the new day's", "America/St_Johns", "2010-11-07",
	 "00:00-24:00", NULL, "2010-11-07T02:30Z/2010-11-08T03:30Z"},
	{"the same: the old day is over at midnight", "America/St_Johns", "2010-11-06", "00:00-24:00", NULL,
	 "2010-11-06T02:30Z/2010-11-07T02:30Z"},
	{"a day of 47 hours counts 26", "Pacific/Kwajalein", "1969-09-30", "00:00-24:00", NULL,
	 "1969-09-29T13:00Z/1969-09-30T15:00Z"},
};
/* clang-format on */

static void test_days(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		const struct day *day = &days[i];
		struct policy policy = policy_in(day->zone, day->hours);
		struct schedule schedule = schedule_of(day->schedule);
		struct span open[SCHEDULE_RANGES_MAX];

		print_message("%s\n", day->title);
		assert_spans(open, hours_of_day(&policy, &schedule, date(day->date), open, ARRAY_LEN(open)),
			     day->open);
		policy_done(&policy);
	}
}

static void test_a_closed_weekday_is_empty(void **state)
{
	struct policy policy = policy_in("UTC", "08:00-18:00");
	struct schedule schedule;
	struct span open[1];

	(void)state;
	schedule_init(&schedule);
	assert_int_equal(schedule_add(&schedule, 0, range("08:00-12:00")), RC_OK);
	schedule_seal(&schedule);
	assert_int_equal(hours_of_day(&policy, &schedule, date("2025-12-01"), open, 1), 1);
	assert_int_equal(hours_of_day(&policy, &schedule, date("2025-12-02"), open, 1), 0);
	policy_done(&policy);
}

static void test_no_more_spans_than_there_is_room_for(void **state)
{
	struct policy policy = policy_in("UTC", "00:00-24:00");
	struct schedule schedule = schedule_of("08:00-09:00 10:00-11:00 12:00-13:00");
	struct span open[2];

	(void)state;
	assert_spans(open, hours_of_day(&policy, &schedule, date("2025-12-01"), open, 2),
		     "2025-12-01T08:00Z/2025-12-01T09:00Z 2025-12-01T10:00Z/2025-12-01T11:00Z");
	policy_done(&policy);
}

static void test_the_day_of_an_instant(void **state)
{
	struct policy policy = policy_in("America/St_Johns", "00:00-24:00");

	(void)state;
	assert_int_equal(hours_date(policy.zone, at("2010-11-07T02:29:59Z")), date("2010-11-06"));
	assert_int_equal(hours_date(policy.zone, at("2010-11-07T02:30Z")), date("2010-11-07"));
	/* The wall shows 23:15 of the 6th again. */
	assert_int_equal(zone_date(policy.zone, at("2010-11-07T02:45Z")), date("2010-11-06"));
	assert_int_equal(hours_date(policy.zone, at("2010-11-07T02:45Z")), date("2010-11-07"));
	policy_done(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ranges_out_of_order_are_sorted_and_merged),
		cmocka_unit_test(test_bad_ranges_are_refused),
		cmocka_unit_test(test_weekdays),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_a_closed_weekday_is_empty),
		cmocka_unit_test(test_no_more_spans_than_there_is_room_for),
		cmocka_unit_test(test_the_day_of_an_instant),
	};

	return cmocka_run_group_tests_name("hours", tests, NULL, NULL);
}
