/*
 * Instants: microseconds since 1970-01-01T00:00:00Z, without leap seconds.
 * Text is RFC 3339; what we read is a little wider (ISO 8601 without seconds,
 * or without an offset). No zones here: see calendar/zone.h.
 */
#ifndef BASE_UTIME_H
#define BASE_UTIME_H

#include "base/base.h"

typedef int64_t utime;

#define UTIME_NONE   INT64_MIN
#define UTIME_SECOND INT64_C(1000000)
#define UTIME_MINUTE (60 * UTIME_SECOND)
#define UTIME_HOUR   (60 * UTIME_MINUTE)
#define UTIME_DAY    (24 * UTIME_HOUR)

/* The first and last instants that RFC 3339 can write: years 0001 to 9999. */
#define UTIME_MIN INT64_C(-62135596800000000)
#define UTIME_MAX INT64_C(253402300799999999)

/* A time as a client wrote it: an instant, or a wall-clock reading that still needs a zone. */
struct wire_time {
	utime at;   /* the instant; or, when local, the wall clock read as if it were UTC */
	bool local; /* no offset was given */
};

/* Days since 1970-01-01 of a proleptic Gregorian date, and back. */
int64_t utime_days_from_civil(int64_t year, unsigned month, unsigned day);
void utime_civil_from_days(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day);

/* "2025-12-05T14:00:00Z", "...T14:00:00.5-03:00", "...T14:00". False when it is none of these. */
bool utime_parse(struct str text, struct wire_time *ret) MUST_USE;

/* "2025-12-05" as days since 1970; false when there is no such day. */
bool utime_parse_date(struct str text, int64_t *ret_days) MUST_USE;

/* "08:00" or "08:00:00", also "24:00[:00]"; seconds since midnight. */
bool utime_parse_clock(struct str text, int32_t *ret_seconds) MUST_USE;

#define UTIME_TEXT_MAX 40
#define DATE_TEXT_MAX  16
#define CLOCK_TEXT_MAX 12

/* With offset 0 ends in Z when `zulu`, else in +00:00. Returns the length; a NUL follows. */
size_t utime_text(char buf[UTIME_TEXT_MAX], utime at, int32_t offset_seconds, bool zulu);
size_t utime_date_text(char buf[DATE_TEXT_MAX], int64_t days);
size_t utime_clock_text(char buf[CLOCK_TEXT_MAX], int32_t seconds);

/* Division that rounds towards minus infinity. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

#endif
