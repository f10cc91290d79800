/* Times as text: tables of what is read and what is not, and how instants are written. */
#include "base/utime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define AT(seconds, micros) (INT64_C(seconds) * UTIME_SECOND + (micros))

struct good {
	const char *text;
	utime at;
	bool local;
};

static const struct good goods[] = {
	{"1970-01-01T00:00:00Z", 0, false},
	{"1969-12-31T23:59:59.999999Z", -1, false},
	{"2025-12-05T14:00:00Z", AT(1764943200, 0), false},
	{"2025-12-05t14:00:00z", AT(1764943200, 0), false},
	{"2025-12-05 14:00:00Z", AT(1764943200, 0), false},
	{"2025-12-05T14:00Z", AT(1764943200, 0), false},
	{"2025-12-05T11:00:00-03:00", AT(1764943200, 0), false},
	{"2025-12-05T11:00:00-0300", AT(1764943200, 0), false},
	{"2025-12-05T19:45+05:45", AT(1764943200, 0), false},
	{"2025-12-06T13:59:00+23:59", AT(1764943200, 0), false},
	{"2025-12-05T14:00:00-00:00", AT(1764943200, 0), false},
	{"2025-12-05T14:00:00.5Z", AT(1764943200, 500000), false},
	{"2025-12-05T14:00:00.000001Z", AT(1764943200, 1), false},
	{"2025-12-05T14:00:00.1234567Z", AT(1764943200, 123456), false},
	{"2025-12-05T14:00:00.999999999+00:00", AT(1764943200, 999999), false},
	{"2025-12-05T14:00:00", AT(1764943200, 0), true},
	{"2025-12-05T14:00", AT(1764943200, 0), true},
	{"2025-12-05 14:00:00.25", AT(1764943200, 250000), true},
	{"2024-02-29T00:00Z", AT(1709164800, 0), false},
	{"2000-02-29T00:00Z", AT(951782400, 0), false},
	{"0001-01-01T00:00:00Z", UTIME_MIN, false},
	{"9999-12-31T23:59:59.999999Z", UTIME_MAX, false},
};

static const char *const bads[] = {
	"",
	"2025-12-05",
	"2025-12-05T",
	"2025-12-05T14",
	"2025-12-05T14:00:",
	"2025-12-05T1:00:00Z",
	"2025-12-05T14:0:00Z",
	"2025-12-05T14:00:0Z",
	"2025-12-05T14:00:00.Z",
	"2025-12-05T14:00:00.",
	"2025-12-05T14:00:00.1234567890Z",
	"2025-12-05T14:00:00,5Z",
	"2025-12-05T14:00.5Z",
	"2025-12-05T24:00:00Z",
	"2025-12-05T25:00:00Z",
	"2025-12-05T14:60:00Z",
	"2025-12-05T14:00:60Z",
	"2025-13-05T14:00:00Z",
	"2025-00-05T14:00:00Z",
	"2025-12-00T14:00:00Z",
	"2025-12-32T14:00:00Z",
	"2025-02-29T14:00:00Z",
	"1900-02-29T14:00:00Z",
	"2025-04-31T14:00:00Z",
	"0000-01-01T00:00:00Z",
	"0001-01-01T00:00:00+00:01",
	"9999-12-31T23:59:59-00:01",
	"-2025-12-05T14:00:00Z",
	"+2025-12-05T14:00:00Z",
	"20251205T140000Z",
	"2025-12-5T14:00:00Z",
	"2025/12/05T14:00:00Z",
	"2025-12-05X14:00:00Z",
	"2025-12-05  14:00:00Z",
	"2025-12-05T14:00:00Z ",
	" 2025-12-05T14:00:00Z",
	"2025-12-05T14:00:00ZZ",
	"2025-12-05T14:00:00+",
	"2025-12-05T14:00:00+03",
	"2025-12-05T14:00:00+3:00",
	"2025-12-05T14:00:00+24:00",
	"2025-12-05T14:00:00+03:60",
	"2025-12-05T14:00:00 03:00",
	"2025-12-05T14:00:00 Z",
	"2025-12-05T14:00:00UTC",
	"2025-12-05T14:00:00[America/Sao_Paulo]",
	"\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa5-12-05T14:00:00Z",
	"1764943200",
	"now",
};

static void good_times_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(goods); i++) {
		struct wire_time time;

		if (!utime_parse(str_from(goods[i].text), &time))
			fail_msg("\"%s\" is not taken", goods[i].text);
		if (time.at != goods[i].at || time.local != goods[i].local)
			fail_msg("\"%s\" gives %lld, local %d", goods[i].text, (long long)time.at,
				 time.local);
	}
}

static void bad_times_are_refused(void **state)
{
	(void)state;
	struct wire_time time = {.at = 7};

	for (size_t i = 0; i < ARRAY_LEN(bads); i++)
		if (utime_parse(str_from(bads[i]), &time))
			fail_msg("\"%s\" is taken", bads[i]);
	assert_false(utime_parse(STR("2025-12-05T14:00:00Z\0"), &time));
	assert_false(utime_parse((struct str){NULL, 0}, &time));
	assert_int_equal(time.at, 7); /* written only on success */
}

static void dates_are_read_and_written(void **state)
{
	(void)state;
	static const char *const bad[] = {"",		"2025-12",    "2025-12-5",  "2025-12-05T",
					  "2025-02-29", "0000-01-01", "05/12/2025", "2025-12-050",
					  "20251205",	" 2025-12-05"};
	char buf[DATE_TEXT_MAX];
	int64_t days;

	assert_true(utime_parse_date(STR("2025-12-05"), &days));
	assert_int_equal(days, 20427);
	assert_int_equal(utime_date_text(buf, days), 10);
	assert_string_equal(buf, "2025-12-05");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (utime_parse_date(str_from(bad[i]), &days))
			fail_msg("\"%s\" is taken", bad[i]);
}

static void clocks_are_read_and_written(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
		int32_t seconds;
	} good[] = {
		{"00:00", "00:00:00", 0},	 {"08:30", "08:30:00", 30600},
		{"23:59:59", "23:59:59", 86399}, {"24:00", "24:00:00", 86400},
		{"24:00:00", "24:00:00", 86400},
	};
	static const char *const bad[] = {"",		"8:00",	    "08",     "08:",   "08:0",	   "08:000",
					  "24:01",	"24:00:01", "25:00",  "08:60", "08:00:60", "08:00:",
					  "08:00:00.5", "08:00Z",   "-08:00", "08.00", " 08:00",   "8h"};
	char buf[CLOCK_TEXT_MAX];
	int32_t seconds;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_true(utime_parse_clock(str_from(good[i].in), &seconds));
		assert_int_equal(seconds, good[i].seconds);
		assert_int_equal(utime_clock_text(buf, seconds), 8);
		assert_string_equal(buf, good[i].out);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (utime_parse_clock(str_from(bad[i]), &seconds))
			fail_msg("\"%s\" is taken", bad[i]);
}

static void instants_are_written(void **state)
{
	(void)state;
	static const struct {
		utime at;
		int32_t offset;
		bool zulu;
		const char *text;
	} rows[] = {
		{0, 0, true, "1970-01-01T00:00:00Z"},
		{0, 0, false, "1970-01-01T00:00:00+00:00"},
		{-1, 0, true, "1969-12-31T23:59:59.999999Z"},
		{AT(1764943200, 0), -3 * 3600, true, "2025-12-05T11:00:00-03:00"},
		{AT(1764943200, 0), 5 * 3600 + 45 * 60, false, "2025-12-05T19:45:00+05:45"},
		{AT(1764943200, 0), -(9 * 3600 + 30 * 60), false, "2025-12-05T04:30:00-09:30"},
		{AT(1764943200, 500000), 0, true, "2025-12-05T14:00:00.500000Z"},
		{AT(1764943200, 1), 3600, false, "2025-12-05T15:00:00.000001+01:00"},
		{AT(1764982800, 0), 14 * 3600, false, "2025-12-06T15:00:00+14:00"},
		{UTIME_MIN, 0, true, "0001-01-01T00:00:00Z"},
		{UTIME_MAX, 0, true, "9999-12-31T23:59:59.999999Z"},
	};
	char buf[UTIME_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(utime_text(buf, rows[i].at, rows[i].offset, rows[i].zulu),
				 strlen(rows[i].text));
		assert_string_equal(buf, rows[i].text);
	}
}

/* Every day of RFC 3339 has one date, and the next day is the next date. */
static void dates_follow_one_another(void **state)
{
	(void)state;
	int64_t first = utime_days_from_civil(1, 1, 1), last = utime_days_from_civil(9999, 12, 31);
	int64_t year, before = 0;
	unsigned month, day;

	assert_int_equal(first * UTIME_DAY, UTIME_MIN);
	assert_int_equal((last + 1) * UTIME_DAY - 1, UTIME_MAX);
	for (int64_t days = first; days <= last; days++) {
		int64_t key;

		utime_civil_from_days(days, &year, &month, &day);
		key = year * 10000 + month * 100 + day;
		if (utime_days_from_civil(year, month, day) != days || key <= before)
			fail_msg("day %lld", (long long)days);
		before = key;
	}
}

static void division_rounds_down(void **state)
{
	(void)state;
	assert_int_equal(floor_div(7, 2), 3);
	assert_int_equal(floor_div(-7, 2), -4);
	assert_int_equal(floor_div(-6, 2), -3);
	assert_int_equal(floor_div(7, -2), -4);
	assert_int_equal(floor_div(-7, -2), 3);
	assert_int_equal(floor_div(0, 5), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_times_are_read),	      cmocka_unit_test(bad_times_are_refused),
		cmocka_unit_test(dates_are_read_and_written), cmocka_unit_test(clocks_are_read_and_written),
		cmocka_unit_test(instants_are_written),	      cmocka_unit_test(dates_follow_one_another),
		cmocka_unit_test(division_rounds_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
