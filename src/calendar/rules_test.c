/* Each rule where it begins to refuse, and their order. */
#include "calendar/rules.h"

#include "calendar/calendar_test.h"

#include <stdlib.h>

/* Sao Paulo, 08:00 to 18:00, every 30 minutes, up to 30 days ahead; it is Monday noon there. */
#define NOW "2025-12-01T15:00Z"

struct row {
	const char *start, *end;
	enum rc rc;
};

/* clang-format off */
static const struct row rows[] = {
	{"2025-12-05T17:00Z", "2025-12-05T18:00Z", RC_OK},
	{"2025-12-05T11:00Z", "2025-12-05T21:00Z", RC_OK},
	{"2025-12-05T17:00Z", "2025-12-05T17:00Z", RC_END_BEFORE_START},
	{"2025-12-05T17:00Z", "2025-12-05T16:00Z", RC_END_BEFORE_START},
	{"2025-12-01T15:00Z", "2025-12-01T15:30Z", RC_IN_THE_PAST},
	{"2025-12-01T15:00:01Z", "2025-12-01T15:30:01Z", RC_OK},
	{"2025-12-31T20:30Z", "2025-12-31T21:00Z", RC_OK},
	{"2026-01-01T11:00Z", "2026-01-01T11:30Z", RC_TOO_FAR_AHEAD},
	{"2025-12-05T17:00Z", "2025-12-05T17:45Z", RC_BAD_DURATION},
	{"2025-12-05T17:00Z", "2025-12-05T17:30:00.000001Z", RC_BAD_DURATION},
	{"2025-12-05T10:30Z", "2025-12-05T11:30Z", RC_OUTSIDE_HOURS},
	{"2025-12-05T20:30Z", "2025-12-05T21:30Z", RC_OUTSIDE_HOURS},
	{"2025-12-05T20:30Z", "2025-12-06T11:30Z", RC_OUTSIDE_HOURS},
	{"2025-12-06T17:00Z", "2025-12-06T18:00Z", RC_CLOSED_WEEKDAY},
	{"2025-12-05T14:30Z", "2025-12-05T15:30Z", RC_OK},
	{"2025-12-04T14:30Z", "2025-12-04T15:30Z", RC_OUTSIDE_SCHEDULE},
	{"2025-12-04T15:00Z", "2025-12-04T15:30Z", RC_OUTSIDE_SCHEDULE},
	{"2025-12-04T14:30Z", "2025-12-04T15:00Z", RC_OK},
	/* The first that fails is told. */
	{"2025-11-30T17:10Z", "2025-11-30T17:00Z", RC_END_BEFORE_START},
	{"2025-11-30T02:00Z", "2025-11-30T02:07Z", RC_IN_THE_PAST},
	{"2026-02-01T02:00Z", "2026-02-01T02:07Z", RC_TOO_FAR_AHEAD},
	{"2025-12-06T02:00Z", "2025-12-06T02:07Z", RC_BAD_DURATION},
	{"2025-12-07T02:00Z", "2025-12-07T02:30Z", RC_OUTSIDE_HOURS},
};
/* clang-format on */

/* Open all day on weekdays, but for an hour at noon on Thursdays; closed at the weekend. */
static struct schedule weekdays(void)
{
	struct schedule schedule;

	schedule_init(&schedule);
	for (int day = 0; day < 5; day++) {
		if (day != 3) {
			assert_int_equal(schedule_add(&schedule, day, range("00:00-24:00")), RC_OK);
			continue;
		}
		assert_int_equal(schedule_add(&schedule, day, range("08:00-12:00")), RC_OK);
		assert_int_equal(schedule_add(&schedule, day, range("13:00-18:00")), RC_OK);
	}
	schedule_seal(&schedule);
	return schedule;
}

static void test_each_rule_and_their_order(void **state)
{
	struct policy policy = policy_in("America/Sao_Paulo", "08:00-18:00");
	struct schedule schedule = weekdays();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct span wanted = {at(rows[i].start), at(rows[i].end)};

		print_message("%s %s: %s\n", rows[i].start, rows[i].end, error_table[rows[i].rc].name);
		assert_int_equal(rules_check(&policy, &schedule, wanted, at(NOW)), rows[i].rc);
	}
	policy_done(&policy);
}

static void test_days_ahead_are_counted_on_the_wall(void **state)
{
	struct policy policy = policy_in("America/Sao_Paulo", "00:00-24:00");
	struct schedule schedule = schedule_of(NULL);
	struct span first = {at("2025-12-03T03:00Z"), at("2025-12-03T03:30Z")};

	(void)state;
	policy.advance_days = 1;
	/* The 3rd begins at 03:00Z. It is still the 1st one second before the 2nd begins. */
	assert_int_equal(rules_check(&policy, &schedule, first, at("2025-12-02T02:59:59Z")),
			 RC_TOO_FAR_AHEAD);
	assert_int_equal(rules_check(&policy, &schedule, first, at("2025-12-02T03:00Z")), RC_OK);
	policy.advance_days = 0;
	assert_int_equal(rules_check(&policy, &schedule, first, at("2025-12-02T23:00Z")), RC_TOO_FAR_AHEAD);
	assert_int_equal(rules_check_date(&policy, date("2025-12-01"), at("2025-12-02T23:00Z")),
			 RC_DATE_PAST);
	assert_int_equal(rules_check_date(&policy, date("2025-12-02"), at("2025-12-02T23:00Z")), RC_OK);
	assert_int_equal(rules_check_date(&policy, date("2025-12-03"), at("2025-12-02T23:00Z")),
			 RC_DATE_TOO_FAR);
	policy_done(&policy);
}

static void test_duration_is_elapsed_time(void **state)
{
	struct policy policy = policy_in("America/New_York", "00:00-24:00");
	struct schedule schedule = schedule_of(NULL);
	/* 01:00 to 02:00 on the wall, two hours long. */
	struct span autumn = {at("2025-11-02T05:00Z"), at("2025-11-02T07:00Z")};

	(void)state;
	policy.interval_min = 120;
	assert_int_equal(rules_check(&policy, &schedule, autumn, at("2025-11-01T00:00Z")), RC_OK);
	policy_done(&policy);
}

static void test_the_hour_repeated_across_midnight(void **state)
{
	struct policy policy = policy_in("America/St_Johns", "00:00-24:00");
	struct schedule schedule = schedule_of(NULL);
	/* 23:30 to 00:00 of the 6th, again: it belongs to the 7th, whose slots hold it. */
	struct span again = {at("2010-11-07T03:00Z"), at("2010-11-07T03:30Z")};

	(void)state;
	assert_int_equal(rules_check(&policy, &schedule, again, at("2010-11-01T00:00Z")), RC_OK);
	assert_true(rules_on_grid(&policy, again.start));
	policy_done(&policy);
}

static void test_the_grid_begins_at_opening(void **state)
{
	struct policy policy = policy_in("UTC", "08:10-18:00");

	(void)state;
	assert_true(rules_on_grid(&policy, at("2025-12-05T08:10Z")));
	assert_true(rules_on_grid(&policy, at("2025-12-05T09:40Z")));
	assert_false(rules_on_grid(&policy, at("2025-12-05T09:30Z")));
	assert_false(rules_on_grid(&policy, at("2025-12-05T09:40:00.000001Z")));
	assert_false(rules_on_grid(&policy, at("2025-12-05T07:40Z")));
	policy_done(&policy);
}

static void test_a_clients_time(void **state)
{
	struct policy policy = policy_in("America/New_York", "08:00-18:00");
	utime got = 42;

	(void)state;
	assert_int_equal(rules_instant(&policy, (struct wire_time){at("2025-12-05T14:00"), true}, &got),
			 RC_OK);
	assert_int_equal(got, at("2025-12-05T19:00Z"));
	assert_int_equal(rules_instant(&policy, (struct wire_time){at("2025-12-05T14:00Z"), false}, &got),
			 RC_OK);
	assert_int_equal(got, at("2025-12-05T14:00Z"));
	/* Ambiguous: the first occurrence. */
	assert_int_equal(rules_instant(&policy, (struct wire_time){at("2025-11-02T01:30"), true}, &got),
			 RC_OK);
	assert_int_equal(got, at("2025-11-02T05:30Z"));
	/* Skipped: none, and nothing is written. */
	assert_int_equal(rules_instant(&policy, (struct wire_time){at("2025-03-09T02:30"), true}, &got),
			 RC_INVALID);
	assert_int_equal(got, at("2025-11-02T05:30Z"));
	policy_done(&policy);
}

static void test_an_edge_of_a_window(void **state)
{
	struct policy policy = policy_in("America/New_York", "08:00-18:00");
	utime got = 42;

	(void)state;
	assert_int_equal(rules_edge(policy.zone, "2025-12-05", false, &got), RC_OK);
	assert_int_equal(got, at("2025-12-05T05:00Z"));
	assert_int_equal(rules_edge(policy.zone, "2025-12-05", true, &got), RC_OK);
	assert_int_equal(got, at("2025-12-06T05:00Z"));
	assert_int_equal(rules_edge(policy.zone, "2025-12-05T14:00", true, &got), RC_OK);
	assert_int_equal(got, at("2025-12-05T19:00Z"));
	assert_int_equal(rules_edge(policy.zone, "2025-12-05T14:00+01:00", false, &got), RC_OK);
	assert_int_equal(got, at("2025-12-05T13:00Z"));
	assert_int_equal(rules_edge(NULL, "2025-12-05", true, &got), RC_OK);
	assert_int_equal(got, at("2025-12-06T00:00Z"));
	assert_int_equal(rules_edge(NULL, "2025-12-05T14:00", true, &got), RC_OK);
	assert_int_equal(got, at("2025-12-05T14:00Z"));
	assert_int_equal(rules_edge(policy.zone, "2025-03-09T02:30", false, &got), RC_INVALID);
	assert_int_equal(rules_edge(policy.zone, "2025-13-09", false, &got), RC_INVALID);
	assert_int_equal(got, at("2025-12-05T14:00Z"));
	policy_done(&policy);
}

static void test_cancelling(void **state)
{
	struct policy policy = policy_in("UTC", "08:00-18:00");
	utime start = at("2025-12-05T12:00Z");

	(void)state;
	assert_true(rules_can_cancel(&policy, start, start - 24 * UTIME_HOUR));
	assert_false(rules_can_cancel(&policy, start, start - 24 * UTIME_HOUR + 1));
	policy.cancellation_hours = 0;
	assert_true(rules_can_cancel(&policy, start, start - 1));
	assert_false(rules_can_cancel(&policy, start, start));
	assert_false(rules_can_cancel(&policy, start, start + 1));
	policy_done(&policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_rule_and_their_order),
		cmocka_unit_test(test_days_ahead_are_counted_on_the_wall),
		cmocka_unit_test(test_duration_is_elapsed_time),
		cmocka_unit_test(test_the_hour_repeated_across_midnight),
		cmocka_unit_test(test_the_grid_begins_at_opening),
		cmocka_unit_test(test_a_clients_time),
		cmocka_unit_test(test_an_edge_of_a_window),
		cmocka_unit_test(test_cancelling),
	};

	return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
