/* Zones by name, and what clocks on the wall have done in real places. */
#include "calendar/zone.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct zone *open_zone(const char *name)
{
	struct zone *zone = NULL;

	assert_int_equal(zone_open(name, &zone), RC_OK);
	return zone;
}

static struct wire_time read_time(const char *text)
{
	struct wire_time time = {0};

	assert_true(utime_parse(str_from(text), &time));
	return time;
}

static utime at(const char *text)
{
	return read_time(text).at;
}

static void test_names_of_the_tz_database_open(void **state)
{
	static const char *const names[] = {"UTC",
					    "America/Sao_Paulo",
					    "America/Argentina/Buenos_Aires",
					    "Etc/GMT+3",
					    "EST5EDT",
					    "America/Port-au-Prince"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		zone_close(open_zone(names[i]));
	zone_close(NULL);
}

static void test_other_names_do_not(void **state)
{
	static const char *const names[] = {
		"",
		"UTC+3",
		"EST5",
		"<-03>3",
		"america/sao_paulo",
		"America",
		"America/Sao_Paulo/",
		"America//Sao_Paulo",
		"/etc/passwd",
		"../zoneinfo/UTC",
		"America/../UTC",
		"/usr/share/zoneinfo/UTC",
		"localtime",
		"posixrules",
		"posix/UTC",
		"right/UTC",
		"zone.tab",
		"leapseconds",
		":UTC",
		"America/Sao_Paulo\n",
	};
	struct zone *zone = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(zone_open(names[i], &zone), RC_INVALID);
	assert_null(zone);
}

static void test_a_name_longer_than_any_path(void **state)
{
	static char name[5000];
	struct zone *zone;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	assert_int_equal(zone_open(name, &zone), RC_INVALID);
}

static void test_utc_needs_no_database(void **state)
{
	struct zone *zone;

	(void)state;
	assert_int_equal(zone_open_in("/nowhere", "UTC", &zone), RC_OK);
	assert_int_equal(zone_offset(zone, UTIME_MIN), 0);
	assert_int_equal(zone_offset(zone, UTIME_MAX), 0);
	zone_close(zone);
	assert_int_equal(zone_open_in("/nowhere", "Europe/Paris", &zone), RC_INVALID);
}

/* How a reading of the wall fits, and the instants of it. */
struct reading {
	const char *zone, *local;
	enum zone_fit fit;
	const char *first, *second;
};

/* clang-format off */
static const struct reading readings[] = {
	{"America/Sao_Paulo",   "2025-12-05T14:00", ZONE_UNIQUE, "2025-12-05T17:00Z", "2025-12-05T17:00Z"},
	/* Midnight did not exist, and the hour before midnight came twice. */
	{"America/Sao_Paulo",   "2018-11-04T00:00", ZONE_GAP,    "2018-11-04T03:00Z", "2018-11-04T03:00Z"},
	{"America/Sao_Paulo",   "2018-11-04T00:59:59", ZONE_GAP, "2018-11-04T03:00Z", "2018-11-04T03:00Z"},
	{"America/Sao_Paulo",   "2018-11-04T01:00", ZONE_UNIQUE, "2018-11-04T03:00Z", "2018-11-04T03:00Z"},
	{"America/Sao_Paulo",   "2018-02-17T23:30", ZONE_FOLD,   "2018-02-18T01:30Z", "2018-02-18T02:30Z"},
	{"America/Sao_Paulo",   "2018-02-18T00:00", ZONE_UNIQUE, "2018-02-18T03:00Z", "2018-02-18T03:00Z"},
	{"America/Havana",      "2025-03-09T00:30", ZONE_GAP,    "2025-03-09T05:00Z", "2025-03-09T05:00Z"},
	{"America/Havana",      "2025-11-02T00:00", ZONE_FOLD,   "2025-11-02T04:00Z", "2025-11-02T05:00Z"},
	{"Asia/Beirut",         "2024-03-31T00:00", ZONE_GAP,    "2024-03-30T22:00Z", "2024-03-30T22:00Z"},
	{"Africa/Cairo",        "2024-04-26T00:00", ZONE_GAP,    "2024-04-25T22:00Z", "2024-04-25T22:00Z"},
	/* Half an hour. */
	{"Australia/Lord_Howe", "2025-10-05T02:15", ZONE_GAP,    "2025-10-04T15:30Z", "2025-10-04T15:30Z"},
	{"Australia/Lord_Howe", "2025-04-06T01:45", ZONE_FOLD,   "2025-04-05T14:45Z", "2025-04-05T15:15Z"},
	/* Two hours. */
	{"Antarctica/Troll",    "2025-03-30T02:59", ZONE_GAP,    "2025-03-30T01:00Z", "2025-03-30T01:00Z"},
	{"Antarctica/Troll",    "2025-10-26T02:00", ZONE_FOLD,   "2025-10-26T00:00Z", "2025-10-26T02:00Z"},
	/* A day that never was. */
	{"Pacific/Apia",        "2011-12-30T12:00", ZONE_GAP,    "2011-12-30T10:00Z", "2011-12-30T10:00Z"},
	{"Pacific/Kwajalein",   "1993-08-21T12:00", ZONE_GAP,    "1993-08-21T12:00Z", "1993-08-21T12:00Z"},
	/* A minute after midnight clocks went back to the day before. */
	{"America/St_Johns",    "2010-11-07T00:00", ZONE_FOLD,   "2010-11-07T02:30Z", "2010-11-07T03:30Z"},
	/* Winter is the exception there: beyond 2037 only the rule at the end of the file tells. */
	{"Europe/Dublin",       "2039-07-01T12:00", ZONE_UNIQUE, "2039-07-01T11:00Z", "2039-07-01T11:00Z"},
	{"Europe/Dublin",       "2039-03-27T01:30", ZONE_GAP,    "2039-03-27T01:00Z", "2039-03-27T01:00Z"},
	{"America/Nuuk",        "2039-03-26T23:30", ZONE_GAP,    "2039-03-27T01:00Z", "2039-03-27T01:00Z"},
	/* Four centuries make a cycle. */
	{"Europe/Lisbon",       "9998-07-01T12:00", ZONE_UNIQUE, "9998-07-01T11:00Z", "9998-07-01T11:00Z"},
	{"Europe/Lisbon",       "2440-03-25T01:30", ZONE_GAP,    "2440-03-25T01:00Z", "2440-03-25T01:00Z"},
	/* Seconds, before there were zones. */
	{"Africa/Monrovia",     "1960-01-01T00:00", ZONE_UNIQUE, "1960-01-01T00:44:30Z", "1960-01-01T00:44:30Z"},
};
/* clang-format on */

static void test_readings_of_the_wall(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(readings); i++) {
		const struct reading *r = &readings[i];
		struct zone *zone = open_zone(r->zone);
		struct zone_instants got;

		print_message("%s %s\n", r->zone, r->local);
		assert_int_equal(zone_resolve(zone, at(r->local), &got), r->fit);
		assert_int_equal(got.first, at(r->first));
		assert_int_equal(got.second, at(r->second));
		if (r->fit != ZONE_GAP) {
			assert_int_equal(zone_local(zone, got.first), at(r->local));
			assert_int_equal(zone_local(zone, got.second), at(r->local));
		}
		zone_close(zone);
	}
}

static void test_offsets_and_dates(void **state)
{
	struct zone *zone = open_zone("America/Sao_Paulo");

	(void)state;
	assert_int_equal(zone_offset(zone, at("2025-12-05T17:00Z")), -10800);
	assert_int_equal(zone_offset(zone, at("2018-12-05T17:00Z")), -7200);
	assert_int_equal(zone_date(zone, at("2025-12-05T02:59:59.999999Z")),
			 utime_days_from_civil(2025, 12, 4));
	assert_int_equal(zone_date(zone, at("2025-12-05T03:00Z")), utime_days_from_civil(2025, 12, 5));
	zone_close(zone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_of_the_tz_database_open),
		cmocka_unit_test(test_other_names_do_not),
		cmocka_unit_test(test_a_name_longer_than_any_path),
		cmocka_unit_test(test_utc_needs_no_database),
		cmocka_unit_test(test_readings_of_the_wall),
		cmocka_unit_test(test_offsets_and_dates),
	};

	return cmocka_run_group_tests_name("zone", tests, NULL, NULL);
}
