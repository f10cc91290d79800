/*
 * calendar_probe: asks src/calendar what the lines of standard input say, one answer a line, so that a test
 * in another language can compare. Numbers are the units of the headers: microseconds, days, seconds,
 * minutes.
 *
 * The first four set what the others are asked about:
 *   zone NAME [FOLDER]                                 OK or the failure's name; FOLDER of tz database files
 *   policy OPEN CLOSE INTERVAL ADVANCE CANCELLATION    OK
 *   schedule always | schedule {WEEKDAY OPEN CLOSE}    OK or the failure's name
 *   busy CAPACITY {START END}                          OK
 *   local AT               offset, local reading, date
 *   resolve LOCAL          unique|gap|fold, first, second
 *   instant LOCAL          the instant, or the failure's name (rules_instant)
 *   day AT                 hours_date
 *   working DATE           start, end
 *   hours DATE             {start end}
 *   slots DATE NOW         {start end}
 *   bookable FROM UNTIL STEP NOW  every start FROM, FROM + STEP, ... of a booking of one interval that all
 * rules allow check START END NOW    the verdict of rules 2 to 7 grid START             1 or 0 conflict START
 * END     the verdict of rule 8 peak START END         the most bookings at once date DATE NOW          the
 * verdict on asking for a date cancel START NOW       1 or 0
 */
#include "calendar/rules.h"
#include "calendar/slots.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define NUMBERS_MAX 8192

struct probe {
	struct zone *zone;
	struct policy policy;
	struct schedule schedule;
	struct span spans[NUMBERS_MAX / 2];
	struct busy busy;
	struct arena_pool pool;
	struct arena arena;
};

struct request {
	const char *word, *second; /* the first two arguments, as text */
	int64_t n[NUMBERS_MAX];
	size_t count;
};

static const char *name(enum rc rc)
{
	return error_table[rc].name;
}

static void print_spans(const struct span *spans, size_t count)
{
	for (size_t i = 0; i < count; i++)
		printf("%" PRId64 " %" PRId64 " ", spans[i].start, spans[i].end);
	putchar('\n');
}

static void do_zone(struct probe *probe, const struct request *request)
{
	struct zone *zone;
	enum rc rc = request->second != NULL ? zone_open_in(request->second, request->word, &zone)
					     : zone_open(request->word, &zone);

	puts(name(rc));
	if (rc != RC_OK)
		return;
	zone_close(probe->zone);
	probe->zone = zone;
	probe->policy.zone = zone;
}

static void do_policy(struct probe *probe, const struct request *request)
{
	const int64_t *n = request->n;

	probe->policy = (struct policy){
		.zone = probe->zone,
		.hours = {(int32_t)n[0], (int32_t)n[1]},
		.interval_min = (int32_t)n[2],
		.advance_days = (int32_t)n[3],
		.cancellation_hours = (int32_t)n[4],
	};
	puts("OK");
}

static void do_schedule(struct probe *probe, const struct request *request)
{
	enum rc rc = RC_OK;

	schedule_init(&probe->schedule);
	probe->schedule.always_open = request->word != NULL && strcmp(request->word, "always") == 0;
	for (size_t i = 0; i + 2 < request->count && rc == RC_OK; i += 3) {
		const int64_t *n = request->n + i;

		rc = schedule_add(&probe->schedule, (int)n[0],
				  (struct clock_range){(int32_t)n[1], (int32_t)n[2]});
	}
	schedule_seal(&probe->schedule);
	puts(name(rc));
}

static void do_busy(struct probe *probe, const struct request *request)
{
	size_t count = (request->count - 1) / 2;

	for (size_t i = 0; i < count; i++)
		probe->spans[i] = (struct span){request->n[1 + 2 * i], request->n[2 + 2 * i]};
	probe->busy = (struct busy){probe->spans, count, (int32_t)request->n[0]};
	puts("OK");
}

static void do_local(struct probe *probe, const struct request *request)
{
	printf("%" PRId32 " %" PRId64 " %" PRId64 "\n", zone_offset(probe->zone, request->n[0]),
	       zone_local(probe->zone, request->n[0]), zone_date(probe->zone, request->n[0]));
}

static void do_resolve(struct probe *probe, const struct request *request)
{
	static const char *const words[] =
		{[ZONE_UNIQUE] = "unique", [ZONE_GAP] = "gap", [ZONE_FOLD] = "fold"};
	struct zone_instants instants;
	enum zone_fit fit = zone_resolve(probe->zone, request->n[0], &instants);

	printf("%s %" PRId64 " %" PRId64 "\n", words[fit], instants.first, instants.second);
}

static void do_instant(struct probe *probe, const struct request *request)
{
	utime at;
	enum rc rc = rules_instant(&probe->policy, (struct wire_time){request->n[0], true}, &at);

	if (rc == RC_OK)
		printf("%" PRId64 "\n", at);
	else
		puts(name(rc));
}

static void do_day(struct probe *probe, const struct request *request)
{
	printf("%" PRId64 "\n", hours_date(probe->zone, request->n[0]));
}

static void do_working(struct probe *probe, const struct request *request)
{
	struct span working = hours_working(&probe->policy, request->n[0]);

	print_spans(&working, 1);
}

static void do_hours(struct probe *probe, const struct request *request)
{
	struct span open[SCHEDULE_RANGES_MAX];

	print_spans(open,
		    hours_of_day(&probe->policy, &probe->schedule, request->n[0], open, ARRAY_LEN(open)));
}

static void do_slots(struct probe *probe, const struct request *request)
{
	struct spans slots;
	enum rc rc = slots_of_day(&probe->arena, &probe->policy, &probe->schedule, request->n[0],
				  &probe->busy, request->n[1], &slots);

	if (rc == RC_OK)
		print_spans(slots.items, slots.count);
	else
		puts(name(rc));
}

static void do_bookable(struct probe *probe, const struct request *request)
{
	utime length = probe->policy.interval_min * UTIME_MINUTE;

	for (utime at = request->n[0]; at < request->n[1]; at += request->n[2]) {
		struct span wanted = {at, at + length};

		if (rules_check(&probe->policy, &probe->schedule, wanted, request->n[3]) == RC_OK &&
		    overlap_check(&probe->arena, &probe->busy, wanted) == RC_OK &&
		    rules_on_grid(&probe->policy, at))
			printf("%" PRId64 " ", at);
		arena_finish(&probe->arena);
	}
	putchar('\n');
}

static void do_check(struct probe *probe, const struct request *request)
{
	puts(name(rules_check(&probe->policy, &probe->schedule, (struct span){request->n[0], request->n[1]},
			      request->n[2])));
}

static void do_grid(struct probe *probe, const struct request *request)
{
	printf("%d\n", rules_on_grid(&probe->policy, request->n[0]));
}

static void do_conflict(struct probe *probe, const struct request *request)
{
	puts(name(overlap_check(&probe->arena, &probe->busy, (struct span){request->n[0], request->n[1]})));
}

static void do_peak(struct probe *probe, const struct request *request)
{
	size_t peak = 0;
	enum rc rc =
		overlap_peak(&probe->arena, &probe->busy, (struct span){request->n[0], request->n[1]}, &peak);

	if (rc == RC_OK)
		printf("%zu\n", peak);
	else
		puts(name(rc));
}

static void do_date(struct probe *probe, const struct request *request)
{
	puts(name(rules_check_date(&probe->policy, request->n[0], request->n[1])));
}

static void do_cancel(struct probe *probe, const struct request *request)
{
	printf("%d\n", rules_can_cancel(&probe->policy, request->n[0], request->n[1]));
}

static const struct {
	const char *name;
	size_t least; /* arguments that are numbers */
	void (*run)(struct probe *, const struct request *);
} commands[] = {
	{"zone", 0, do_zone},	    {"policy", 5, do_policy}, {"schedule", 0, do_schedule},
	{"busy", 1, do_busy},	    {"local", 1, do_local},   {"resolve", 1, do_resolve},
	{"instant", 1, do_instant}, {"day", 1, do_day},	      {"working", 1, do_working},
	{"hours", 1, do_hours},	    {"slots", 2, do_slots},   {"bookable", 4, do_bookable},
	{"check", 3, do_check},	    {"grid", 1, do_grid},     {"conflict", 2, do_conflict},
	{"peak", 2, do_peak},	    {"date", 2, do_date},     {"cancel", 2, do_cancel},
};

static void answer(struct probe *probe, struct request *request, char *line)
{
	char *rest, *command = strtok_r(line, " \n", &rest), *word;

	request->word = request->second = NULL;
	request->count = 0;
	while ((word = strtok_r(NULL, " \n", &rest)) != NULL && request->count < NUMBERS_MAX) {
		if (request->count == 0)
			request->word = word;
		else if (request->count == 1)
			request->second = word;
		request->n[request->count++] = strtoll(word, NULL, 10);
	}
	for (size_t i = 0; command != NULL && i < ARRAY_LEN(commands); i++) {
		if (strcmp(command, commands[i].name) == 0 && request->count >= commands[i].least) {
			commands[i].run(probe, request);
			arena_finish(&probe->arena);
			return;
		}
	}
	puts("no such request");
}

int main(void)
{
	static struct probe probe;
	static struct request request;
	char *line = NULL;
	size_t room = 0;

	/* The other side waits for each answer. */
	(void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	arena_init(&probe.arena, &probe.pool);
	while (getline(&line, &room, stdin) > 0)
		answer(&probe, &request, line);
	free(line);
	zone_close(probe.zone);
	arena_pool_finish(&probe.pool);
	return 0;
}
