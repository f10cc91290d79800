/* See rules.h. */
#include "calendar/rules.h"

static enum rc instant_in(const struct zone *zone, struct wire_time wire, utime *ret)
{
	struct zone_instants instants;

	if (!wire.local || zone == NULL) {
		*ret = wire.at;
		return RC_OK;
	}
	if (zone_resolve(zone, wire.at, &instants) == ZONE_GAP)
		return RC_INVALID;
	*ret = instants.first;
	return RC_OK;
}

enum rc rules_instant(const struct policy *policy, struct wire_time wire, utime *ret)
{
	return instant_in(policy->zone, wire, ret);
}

enum rc rules_edge(const struct zone *zone, const char *text, bool closes, utime *ret)
{
	struct wire_time when;
	int64_t date;

	if (utime_parse_date(str_from(text), &date)) {
		date += closes;
		*ret = zone != NULL ? hours_instant(zone, date, 0) : date * UTIME_DAY;
		return RC_OK;
	}
	return utime_parse(str_from(text), &when) ? instant_in(zone, when, ret) : RC_INVALID;
}

static utime interval(const struct policy *policy)
{
	return policy->interval_min * UTIME_MINUTE;
}

static int64_t last_date(const struct policy *policy, utime now)
{
	return hours_date(policy->zone, now) + policy->advance_days;
}

/* Rule 7, for what lies within the working hours. */
static enum rc check_schedule(const struct policy *policy, const struct schedule *schedule, int64_t date,
			      struct span wanted)
{
	struct span open[SCHEDULE_RANGES_MAX];
	size_t count;

	if (!schedule->always_open && schedule->days[hours_weekday(date)].count == 0)
		return RC_CLOSED_WEEKDAY;
	count = hours_of_day(policy, schedule, date, open, ARRAY_LEN(open));
	for (size_t i = 0; i < count; i++) {
		if (span_within(wanted, open[i]))
			return RC_OK;
	}
	return RC_OUTSIDE_SCHEDULE;
}

enum rc rules_check(const struct policy *policy, const struct schedule *schedule, struct span wanted,
		    utime now)
{
	int64_t date;

	if (wanted.end <= wanted.start)
		return RC_END_BEFORE_START;
	if (wanted.start <= now)
		return RC_IN_THE_PAST;
	date = hours_date(policy->zone, wanted.start);
	if (date > last_date(policy, now))
		return RC_TOO_FAR_AHEAD;
	if ((wanted.end - wanted.start) % interval(policy) != 0)
		return RC_BAD_DURATION;
	if (!span_within(wanted, hours_working(policy, date)))
		return RC_OUTSIDE_HOURS;
	return check_schedule(policy, schedule, date, wanted);
}

bool rules_on_grid(const struct policy *policy, utime start)
{
	utime anchor = hours_working(policy, hours_date(policy->zone, start)).start;

	return start >= anchor && (start - anchor) % interval(policy) == 0;
}

enum rc rules_check_date(const struct policy *policy, int64_t date, utime now)
{
	if (date < hours_date(policy->zone, now))
		return RC_DATE_PAST;
	if (date > last_date(policy, now))
		return RC_DATE_TOO_FAR;
	return RC_OK;
}

bool rules_can_cancel(const struct policy *policy, utime start, utime now)
{
	return start > now && start - now >= policy->cancellation_hours * UTIME_HOUR;
}
