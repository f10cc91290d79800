/* See utime.h. The civil-date arithmetic is Howard Hinnant's "chrono-Compatible Low-Level Date Algorithms".
 */
#include "base/utime.h"

int64_t utime_days_from_civil(int64_t year, unsigned month, unsigned day)
{
	int64_t era, y = month <= 2 ? year - 1 : year;
	unsigned yoe, doy, doe;

	era = floor_div(y, 400);
	yoe = (unsigned)(y - era * 400);
	doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

void utime_civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	int64_t era;
	unsigned doe, yoe, doy, mp;

	days += 719468;
	era = floor_div(days, 146097);
	doe = (unsigned)(days - era * 146097);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*ret_day = doy - (153 * mp + 2) / 5 + 1;
	*ret_month = mp < 10 ? mp + 3 : mp - 9;
	*ret_year = (int64_t)yoe + era * 400 + (*ret_month <= 2);
}

/* Exactly `count` digits at *at. */
static bool digits(struct str text, size_t *at, int count, int *ret)
{
	int value = 0;

	for (int i = 0; i < count; i++, (*at)++) {
		if (*at >= text.len || text.p[*at] < '0' || text.p[*at] > '9')
			return false;
		value = value * 10 + (text.p[*at] - '0');
	}
	*ret = value;
	return true;
}

static bool literal(struct str text, size_t *at, char c)
{
	if (*at >= text.len || text.p[*at] != c)
		return false;
	(*at)++;
	return true;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool date_at(struct str text, size_t *at, int64_t *ret_days)
{
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day;

	if (!digits(text, at, 4, &year) || !literal(text, at, '-') || !digits(text, at, 2, &month) ||
	    !literal(text, at, '-') || !digits(text, at, 2, &day))
		return false;
	if (year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > month_days[month - 1] + (month == 2 && is_leap(year)))
		return false;
	*ret_days = utime_days_from_civil(year, (unsigned)month, (unsigned)day);
	return true;
}

/* "HH:MM[:SS]" */
static bool clock_at(struct str text, size_t *at, int32_t *ret_seconds)
{
	int hour, minute, second = 0;

	if (!digits(text, at, 2, &hour) || !literal(text, at, ':') || !digits(text, at, 2, &minute))
		return false;
	if (literal(text, at, ':') && !digits(text, at, 2, &second))
		return false;
	if (hour > 24 || minute > 59 || second > 59 || (hour == 24 && (minute > 0 || second > 0)))
		return false;
	*ret_seconds = hour * 3600 + minute * 60 + second;
	return true;
}

/* ".5": up to nine digits, of which we keep microseconds. */
static bool fraction_at(struct str text, size_t *at, int64_t *ret_micros)
{
	int64_t micros = 0;
	int count = 0;

	for (; *at < text.len && text.p[*at] >= '0' && text.p[*at] <= '9'; (*at)++, count++)
		if (count < 6)
			micros = micros * 10 + (text.p[*at] - '0');
	if (count < 1 || count > 9)
		return false;
	for (int i = count; i < 6; i++)
		micros *= 10;
	*ret_micros = micros;
	return true;
}

/* "Z" or "+HH:MM" or "-HH:MM" (or without the colon). */
static bool offset_at(struct str text, size_t *at, int32_t *ret_seconds)
{
	int hour, minute, sign;

	if (literal(text, at, 'Z') || literal(text, at, 'z')) {
		*ret_seconds = 0;
		return true;
	}
	if (literal(text, at, '+'))
		sign = 1;
	else if (literal(text, at, '-'))
		sign = -1;
	else
		return false;
	if (!digits(text, at, 2, &hour))
		return false;
	literal(text, at, ':');
	if (!digits(text, at, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*ret_seconds = sign * (hour * 3600 + minute * 60);
	return true;
}

bool utime_parse(struct str text, struct wire_time *ret)
{
	int64_t days, micros = 0;
	int32_t seconds, offset = 0;
	size_t at = 0, clock_start;
	bool local;
	utime t;

	if (!date_at(text, &at, &days))
		return false;
	if (!literal(text, &at, 'T') && !literal(text, &at, 't') && !literal(text, &at, ' '))
		return false;
	clock_start = at;
	if (!clock_at(text, &at, &seconds) || seconds == 24 * 3600)
		return false;
	if (at - clock_start == 8 && literal(text, &at, '.') && !fraction_at(text, &at, &micros))
		return false;
	local = at == text.len;
	if (!local && (!offset_at(text, &at, &offset) || at != text.len))
		return false;
	t = days * UTIME_DAY + (int64_t)(seconds - offset) * UTIME_SECOND + micros;
	if (t < UTIME_MIN || t > UTIME_MAX)
		return false;
	*ret = (struct wire_time){.at = t, .local = local};
	return true;
}

bool utime_parse_date(struct str text, int64_t *ret_days)
{
	int64_t days;
	size_t at = 0;

	if (!date_at(text, &at, &days) || at != text.len)
		return false;
	*ret_days = days;
	return true;
}

bool utime_parse_clock(struct str text, int32_t *ret_seconds)
{
	int32_t seconds;
	size_t at = 0;

	if (!clock_at(text, &at, &seconds) || at != text.len)
		return false;
	*ret_seconds = seconds;
	return true;
}

static char *put_digits(char *at, int64_t value, int count)
{
	for (int i = count - 1; i >= 0; i--, value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + count;
}

static char *put_date(char *at, int64_t days)
{
	int64_t year;
	unsigned month, day;

	utime_civil_from_days(days, &year, &month, &day);
	at = put_digits(at, year, 4);
	*at++ = '-';
	at = put_digits(at, month, 2);
	*at++ = '-';
	return put_digits(at, day, 2);
}

static char *put_clock(char *at, int64_t seconds)
{
	at = put_digits(at, seconds / 3600, 2);
	*at++ = ':';
	at = put_digits(at, seconds / 60 % 60, 2);
	*at++ = ':';
	return put_digits(at, seconds % 60, 2);
}

size_t utime_text(char buf[UTIME_TEXT_MAX], utime at, int32_t offset_seconds, bool zulu)
{
	utime local = at + (int64_t)offset_seconds * UTIME_SECOND;
	int64_t days = floor_div(local, UTIME_DAY);
	int64_t micros = local - days * UTIME_DAY;
	int32_t minutes = (offset_seconds < 0 ? -offset_seconds : offset_seconds) / 60;
	char *p = put_date(buf, days);

	*p++ = 'T';
	p = put_clock(p, micros / UTIME_SECOND);
	if (micros % UTIME_SECOND != 0) {
		*p++ = '.';
		p = put_digits(p, micros % UTIME_SECOND, 6);
	}
	if (zulu && offset_seconds == 0) {
		*p++ = 'Z';
	} else {
		*p++ = offset_seconds < 0 ? '-' : '+';
		p = put_digits(p, minutes / 60, 2);
		*p++ = ':';
		p = put_digits(p, minutes % 60, 2);
	}
	*p = '\0';
	return (size_t)(p - buf);
}

size_t utime_date_text(char buf[DATE_TEXT_MAX], int64_t days)
{
	char *p = put_date(buf, days);

	*p = '\0';
	return (size_t)(p - buf);
}

size_t utime_clock_text(char buf[CLOCK_TEXT_MAX], int32_t seconds)
{
	char *p = put_clock(buf, seconds);

	*p = '\0';
	return (size_t)(p - buf);
}
