/* Files of the tz database that are cut short, that lie, or that say what none says today. */
#include "calendar/tzif.h"
#include "calendar/tzrule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A file without written changes, at UTC by its only type, with that rule at its end. */
static size_t file_with_rule(const char *rule, unsigned char *buf, size_t max)
{
	static const unsigned char header[44] = {'T', 'Z', 'i', 'f', '2', [39] = 1, [43] = 4};
	static const unsigned char data[] = {0, 0, 0, 0, 0, 0, 'U', 'T', 'C', 0};
	size_t size = 0;

	for (int block = 0; block < 2; block++) {
		memcpy(buf + size, header, sizeof(header));
		memcpy(buf + size + sizeof(header), data, sizeof(data));
		size += sizeof(header) + sizeof(data);
	}
	return size + (size_t)snprintf((char *)buf + size, max - size, "\n%s\n", rule);
}

static size_t read_machine_file(const char *path, unsigned char *buf, size_t max)
{
	FILE *file = fopen(path, "rb");
	size_t size;

	assert_non_null(file);
	size = fread(buf, 1, max, file);
	assert_int_equal(fclose(file), 0);
	return size;
}

static void test_a_file_cut_anywhere_is_refused(void **state)
{
	static unsigned char bytes[65536];
	size_t size = read_machine_file("/usr/share/zoneinfo/Europe/Dublin", bytes, sizeof(bytes));
	struct tz_table table;
	unsigned char *part;

	(void)state;
	for (size_t cut = 0; cut < size; cut++) {
		/* In a block of just that size, so that a sanitizer sees a step too far. */
		part = malloc(cut + 1);
		assert_non_null(part);
		memcpy(part, bytes, cut);
		assert_int_equal(tzif_read(part, cut, &table), RC_INVALID);
		free(part);
	}
	assert_int_equal(tzif_read(bytes, size, &table), RC_OK);
	tz_table_free(&table);
}

static void test_a_byte_that_lies_breaks_nothing(void **state)
{
	static unsigned char bytes[65536];
	size_t size = read_machine_file("/usr/share/zoneinfo/America/Nuuk", bytes, sizeof(bytes));
	struct tz_table table;
	unsigned char good;

	(void)state;
	for (size_t i = 0; i < size; i++) {
		good = bytes[i];
		bytes[i] ^= 0xff;
		if (tzif_read(bytes, size, &table) == RC_OK) {
			for (size_t row = 1; row < table.count; row++)
				assert_true(table.periods[row - 1].start < table.periods[row].start);
			tz_table_free(&table);
		}
		bytes[i] = good;
	}
}

static void test_leap_seconds_are_refused(void **state)
{
	static unsigned char bytes[4096];
	size_t size = file_with_rule("UTC0", bytes, sizeof(bytes));
	struct tz_table table;

	(void)state;
	assert_int_equal(tzif_read(bytes, size, &table), RC_OK);
	tz_table_free(&table);
	/* One leap second counted in the second block, and its twelve bytes. */
	memmove(bytes + 54 + 44 + 10 + 12, bytes + 54 + 44 + 10, 6);
	bytes[54 + 31] = 1;
	assert_int_equal(tzif_read(bytes, size + 12, &table), RC_INVALID);
}

static void test_rules_that_are_none(void **state)
{
	static const char *const rules[] = {
		"E0",
		"EST",
		"EST25",
		"EST5EDT",
		"EST5EDT,M3.2.0",
		"<-03",
		"EST5:60",
		"EST5EDT,M13.1.0,0",
		"EST5EDT,M3.6.0,0",
		"EST5EDT,M3.2.7,0",
		"EST5EDT,J0,0",
		"EST5EDT,366,0",
		"EST5EDT,J1,J2x",
		"EST5EDT,0/168,0",
		"EST5 EDT,0,0",
	};
	static unsigned char bytes[4096];
	struct tz_table table;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		size_t size = file_with_rule(rules[i], bytes, sizeof(bytes));

		print_message("%s\n", rules[i]);
		assert_int_equal(tzif_read(bytes, size, &table), RC_INVALID);
	}
}

/* RFC 9636: all of the year is daylight time, told by a rule whose ends meet. */
static void test_daylight_time_all_year(void **state)
{
	static unsigned char bytes[4096];
	size_t size = file_with_rule("XXX3EDT4,0/0,J365/23", bytes, sizeof(bytes));
	struct tz_table table;

	(void)state;
	assert_int_equal(tzif_read(bytes, size, &table), RC_OK);
	/* UTC as written, then four hours west, until the year that a cycle ends in. */
	assert_int_equal(table.periods[0].offset, 0);
	assert_int_equal(table.periods[1].offset, -4 * UTIME_HOUR);
	assert_in_range(table.count, 2, 3);
	tz_table_free(&table);
}

static void test_days_of_the_year(void **state)
{
	struct tzrule rule;
	int64_t to_daylight, to_standard, day = 86400;

	(void)state;
	/* J60 is 1 March in any year; 60 is 1 March in a year without 29 February, else that day's next. */
	assert_true(tzrule_parse(STR("AAA0BBB,J60/0,60/1"), &rule));
	tzrule_year(&rule, 2023, &to_daylight, &to_standard);
	assert_int_equal(to_daylight, utime_days_from_civil(2023, 3, 1) * day);
	assert_int_equal(to_standard, utime_days_from_civil(2023, 3, 2) * day);
	tzrule_year(&rule, 2024, &to_daylight, &to_standard);
	assert_int_equal(to_daylight, utime_days_from_civil(2024, 3, 1) * day);
	assert_int_equal(to_standard, utime_days_from_civil(2024, 3, 1) * day);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_cut_anywhere_is_refused),
		cmocka_unit_test(test_a_byte_that_lies_breaks_nothing),
		cmocka_unit_test(test_leap_seconds_are_refused),
		cmocka_unit_test(test_rules_that_are_none),
		cmocka_unit_test(test_daylight_time_all_year),
		cmocka_unit_test(test_days_of_the_year),
	};

	return cmocka_run_group_tests_name("tzif", tests, NULL, NULL);
}
