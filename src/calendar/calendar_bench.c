/* calendar_bench: the cost of the questions that every request asks, in nanoseconds: the median of nine
 * rounds. */
#include "calendar/rules.h"
#include "calendar/slots.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS 9
#define TIMES  200000

#define NOW INT64_C(1764590400000000) /* 2025-12-01T12:00Z */

struct bench {
	struct zone *zone;
	struct policy policy;
	struct schedule schedule;
	struct span bookings[14];
	struct busy busy;
	int64_t date;
	struct arena_pool pool;
};

/* Each returns something of its result, so that the compiler cannot leave the work out. */
static int64_t do_offset(struct bench *bench, int64_t i)
{
	return zone_offset(bench->zone, NOW + i * UTIME_HOUR);
}

static int64_t do_resolve(struct bench *bench, int64_t i)
{
	struct zone_instants instants;

	return (int64_t)zone_resolve(bench->zone, NOW + i * UTIME_HOUR, &instants) + instants.first;
}

static int64_t do_slots(struct bench *bench, int64_t i)
{
	struct spans slots = {0};
	struct arena arena;
	enum rc rc;

	arena_init(&arena, &bench->pool);
	rc = slots_of_day(&arena, &bench->policy, &bench->schedule, bench->date, &bench->busy, NOW + i,
			  &slots);
	arena_finish(&arena);
	return rc == RC_OK ? (int64_t)slots.count : -1;
}

static int64_t do_check(struct bench *bench, int64_t i)
{
	struct span wanted = bench->bookings[i % 14];

	return rules_check(&bench->policy, &bench->schedule, wanted, NOW) +
	       rules_on_grid(&bench->policy, wanted.start);
}

static int64_t do_open(struct bench *bench, int64_t i)
{
	struct zone *zone;

	(void)bench;
	if (zone_open("America/New_York", &zone) != RC_OK)
		return -1;
	i += zone_offset(zone, NOW);
	zone_close(zone);
	return i;
}

static double nanoseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	const double *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void measure(const char *name, struct bench *bench, int64_t (*run)(struct bench *, int64_t),
		    int64_t times)
{
	double rounds[ROUNDS], began;
	int64_t sum = 0;

	for (size_t round = 0; round < ROUNDS; round++) {
		began = nanoseconds();
		for (int64_t i = 0; i < times; i++)
			sum += run(bench, i % 8760);
		rounds[round] = (nanoseconds() - began) / (double)times;
	}
	qsort(rounds, ROUNDS, sizeof(rounds[0]), by_size);
	printf("%-44s %8.1f ns   (sum %" PRId64 ")\n", name, rounds[ROUNDS / 2], sum);
}

/* A day from 08:00 to 18:00 at 30 minutes: 20 slots, 14 of them taken. */
static bool prepare(struct bench *bench)
{
	utime opening;

	*bench = (struct bench){.schedule = {.always_open = true}};
	if (zone_open("America/New_York", &bench->zone) != RC_OK)
		return false;
	bench->policy = (struct policy){bench->zone, {8 * 3600, 18 * 3600}, 30, 30, 24, false};
	bench->date = zone_date(bench->zone, NOW + 4 * UTIME_DAY);
	opening = hours_working(&bench->policy, bench->date).start;
	for (int i = 0; i < 14; i++)
		bench->bookings[i] =
			(struct span){opening + i * 30 * UTIME_MINUTE, opening + (i + 1) * 30 * UTIME_MINUTE};
	bench->busy = (struct busy){bench->bookings, ARRAY_LEN(bench->bookings), 1};
	return true;
}

int main(void)
{
	static struct bench bench;

	if (!prepare(&bench)) {
		fputs("calendar_bench: America/New_York does not open\n", stderr);
		return 1;
	}
	measure("zone_offset", &bench, do_offset, TIMES);
	measure("zone_resolve", &bench, do_resolve, TIMES);
	measure("slots_of_day, 20 slots, 14 bookings", &bench, do_slots, TIMES);
	bench.busy.capacity = 3;
	measure("slots_of_day, the same, 3 places", &bench, do_slots, TIMES);
	measure("rules_check + rules_on_grid", &bench, do_check, TIMES);
	measure("zone_open", &bench, do_open, TIMES / 100);
	arena_pool_finish(&bench.pool);
	zone_close(bench.zone);
	return 0;
}
