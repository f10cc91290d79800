/* Bookings in each other's way: one place, several places, edges that touch. */
#include "calendar/overlap.h"

#include "calendar/calendar_test.h"

#include <stdlib.h>

/* Spans are told in hours of one day: "8-10 9-11". */
static size_t hours_spans(const char *text, struct span ret[TEST_SPANS_MAX])
{
	size_t count = 0;
	char *end = NULL;

	for (; *text != '\0'; text = *end == ' ' ? end + 1 : end) {
		ret[count].start = strtol(text, &end, 10) * UTIME_HOUR;
		ret[count++].end = strtol(end + 1, &end, 10) * UTIME_HOUR;
	}
	return count;
}

static struct span hours_span(const char *text)
{
	struct span spans[TEST_SPANS_MAX];

	assert_int_equal(hours_spans(text, spans), 1);
	return spans[0];
}

struct row {
	const char *busy;
	int32_t capacity;
	const char *full;
	const char *wanted;
	size_t peak; /* within wanted */
};

/* clang-format off */
static const struct row rows[] = {
	{"", 1, "", "8-10", 0},
	{"8-9", 1, "8-9", "9-10", 0},
	{"8-9", 1, "8-9", "7-8", 0},
	{"8-9", 1, "8-9", "0-24", 1},
	{"8-9 9-10", 1, "8-10", "8-10", 1},
	/* What spans all that is wanted. */
	{"0-24", 1, "0-24", "12-13", 1},
	{"0-24 3-4 5-6", 1, "0-24", "10-11", 1},
	/* Left from when two were allowed. */
	{"8-10 9-11", 1, "8-11", "9-10", 2},
	/* Empty ones take nothing. */
	{"8-8 9-9", 1, "", "0-24", 0},
	{"8-10 9-9 9-10", 2, "9-10", "0-24", 2},
	/* Two places: full only where both are taken at once. */
	{"8-10", 2, "", "8-10", 1},
	{"8-10 9-11", 2, "9-10", "8-11", 2},
	{"8-9 9-10", 2, "", "8-10", 1},
	{"8-12 8-9 9-10 11-12", 2, "8-10 11-12", "10-11", 1},
	{"8-12 8-9 9-10 11-12", 2, "8-10 11-12", "8-12", 2},
	/* The one that came first ends last. */
	{"0-24 8-9 8-9 10-11 10-12", 3, "8-9 10-11", "9-10", 1},
	{"0-4 1-5 2-6 3-7", 3, "2-5", "4-7", 3},
	{"0-4 1-5 2-6 3-7", 4, "3-4", "0-7", 4},
	{"0-4 1-5 2-6 3-7", 5, "", "0-7", 4},
};
/* clang-format on */

static void test_rows(void **state)
{
	struct arena arena;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct span items[TEST_SPANS_MAX], full[TEST_SPANS_MAX], wanted = hours_span(rows[i].wanted);
		struct busy busy = {items, hours_spans(rows[i].busy, items), rows[i].capacity};
		size_t full_count = hours_spans(rows[i].full, full), peak;
		struct spans got;

		print_message("%s: %s\n", rows[i].busy, rows[i].full);
		arena_init(&arena, NULL);
		assert_int_equal(overlap_full(&arena, &busy, &got), RC_OK);
		assert_int_equal(got.count, full_count);
		if (full_count > 0)
			assert_memory_equal(got.items, full, full_count * sizeof(*full));
		assert_int_equal(overlap_peak(&arena, &busy, wanted, &peak), RC_OK);
		assert_int_equal(peak, rows[i].peak);
		assert_int_equal(overlap_check(&arena, &busy, wanted),
				 peak >= (size_t)rows[i].capacity ? RC_CONFLICT : RC_OK);
		arena_finish(&arena);
	}
}

/* Forty places and a hundred bookings make deep heaps: the peak by counting at every start. */
static void test_many_places(void **state)
{
	struct span items[100];
	struct busy busy = {items, ARRAY_LEN(items), 40};
	struct span wanted = {0, UTIME_DAY};
	struct arena arena;
	struct spans full;
	size_t peak, most = 0, now;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(items); i++)
		items[i] = (struct span){(utime)i * UTIME_MINUTE,
					 (utime)(i + 20 + i * 7919 % 50) * UTIME_MINUTE};
	arena_init(&arena, NULL);
	assert_int_equal(overlap_peak(&arena, &busy, wanted, &peak), RC_OK);
	assert_int_equal(overlap_full(&arena, &busy, &full), RC_OK);
	for (size_t i = 0; i < ARRAY_LEN(items); i++) {
		struct span instant = {items[i].start, items[i].start + 1};
		bool is_full = false;

		now = 0;
		for (size_t j = 0; j < ARRAY_LEN(items); j++)
			now += span_overlaps(items[j], instant);
		for (size_t j = 0; j < full.count; j++)
			is_full |= span_overlaps(full.items[j], instant);
		assert_int_equal(is_full, now >= 40);
		most = now > most ? now : most;
	}
	assert_int_equal(peak, most);
	assert_true(most > 40);
	arena_finish(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_many_places),
	};

	return cmocka_run_group_tests_name("overlap", tests, NULL, NULL);
}
