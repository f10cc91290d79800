/* See tzrule.h. */
#include "calendar/tzrule.h"

#define DAY_S  86400
#define HOUR_S 3600

#define OFFSET_HOURS_MAX 24
#define TIME_HOURS_MAX	 167

/* What is left to read. */
struct text {
	const char *at, *end;
};

static bool take(struct text *text, char c)
{
	if (text->at == text->end || *text->at != c)
		return false;
	text->at++;
	return true;
}

static bool take_number(struct text *text, int32_t min, int32_t max, int32_t *ret)
{
	const char *begin = text->at;
	int32_t value = 0;

	for (; text->at < text->end && *text->at >= '0' && *text->at <= '9'; text->at++) {
		value = value * 10 + (*text->at - '0');
		if (value > max)
			return false;
	}
	*ret = value;
	return text->at > begin && value >= min;
}

/* "EST" or "<-03>". */
static bool take_name(struct text *text)
{
	const char *begin = text->at;

	if (take(text, '<')) {
		while (text->at < text->end && *text->at != '>')
			text->at++;
		return take(text, '>');
	}
	while (text->at < text->end &&
	       ((*text->at >= 'A' && *text->at <= 'Z') || (*text->at >= 'a' && *text->at <= 'z')))
		text->at++;
	return text->at - begin >= 3;
}

/* [+|-]h[:mm[:ss]] */
static bool take_time(struct text *text, int32_t hours_max, int32_t *ret)
{
	bool negative = take(text, '-');
	int32_t hours, minutes = 0, seconds = 0;

	if (!negative)
		(void)take(text, '+');
	if (!take_number(text, 0, hours_max, &hours))
		return false;
	if (take(text, ':')) {
		if (!take_number(text, 0, 59, &minutes))
			return false;
		if (take(text, ':') && !take_number(text, 0, 59, &seconds))
			return false;
	}
	*ret = (hours * HOUR_S + minutes * 60 + seconds) * (negative ? -1 : 1);
	return true;
}

/* What POSIX writes is west of Greenwich: the other way round. */
static bool take_offset(struct text *text, int32_t *ret)
{
	int32_t west;

	if (!take_time(text, OFFSET_HOURS_MAX, &west))
		return false;
	*ret = -west;
	return true;
}

/* ",M3.5.0/1", ",J60", ",59/-2": the time is 02:00 unless told. */
static bool take_change(struct text *text, struct tzrule_change *ret)
{
	bool good;

	if (!take(text, ','))
		return false;
	*ret = (struct tzrule_change){.form = 'N', .time_s = 2 * HOUR_S};
	if (take(text, 'M')) {
		ret->form = 'M';
		good = take_number(text, 1, 12, &ret->month) && take(text, '.') &&
		       take_number(text, 1, 5, &ret->week) && take(text, '.') &&
		       take_number(text, 0, 6, &ret->day);
	} else if (take(text, 'J')) {
		ret->form = 'J';
		good = take_number(text, 1, 365, &ret->day);
	} else {
		good = take_number(text, 0, 365, &ret->day);
	}
	if (good && take(text, '/'))
		good = take_time(text, TIME_HOURS_MAX, &ret->time_s);
	return good;
}

bool tzrule_parse(struct str from, struct tzrule *ret)
{
	struct text text = {from.p, from.p + from.len};
	struct tzrule rule = {0};

	if (!take_name(&text) || !take_offset(&text, &rule.standard_s))
		return false;
	if (text.at < text.end) {
		rule.changes = true;
		rule.daylight_s = rule.standard_s + HOUR_S;
		if (!take_name(&text))
			return false;
		if (text.at < text.end && *text.at != ',' && !take_offset(&text, &rule.daylight_s))
			return false;
		if (!take_change(&text, &rule.to_daylight) || !take_change(&text, &rule.to_standard))
			return false;
	}
	if (text.at != text.end)
		return false;
	*ret = rule;
	return true;
}

/* The nth weekday of a month; the 5th is the last, be it the 4th. */
static int64_t month_day(int64_t year, const struct tzrule_change *change)
{
	int64_t first = utime_days_from_civil(year, (unsigned)change->month, 1);
	int64_t next = change->month == 12 ? utime_days_from_civil(year + 1, 1, 1)
					   : utime_days_from_civil(year, (unsigned)change->month + 1, 1);
	int64_t weekday = first + 4 - floor_div(first + 4, 7) * 7; /* 1970-01-01 was a Thursday */
	int64_t day = first + (change->day - weekday + 7) % 7 + 7 * (change->week - 1);

	return day < next ? day : day - 7;
}

static int64_t change_day(int64_t year, const struct tzrule_change *change)
{
	int64_t new_year = utime_days_from_civil(year, 1, 1);
	bool leap = utime_days_from_civil(year + 1, 1, 1) - new_year == 366;

	switch (change->form) {
	case 'M':
		return month_day(year, change);
	case 'J':
		return new_year + change->day - 1 + (leap && change->day >= 60);
	default:
		return new_year + change->day;
	}
}

void tzrule_year(const struct tzrule *rule, int64_t year, int64_t *ret_to_daylight, int64_t *ret_to_standard)
{
	/* Each change's time is read on the wall as it was just before. */
	*ret_to_daylight =
		change_day(year, &rule->to_daylight) * DAY_S + rule->to_daylight.time_s - rule->standard_s;
	*ret_to_standard =
		change_day(year, &rule->to_standard) * DAY_S + rule->to_standard.time_s - rule->daylight_s;
}
