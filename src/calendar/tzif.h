/*
 * Tzif: a compiled file of the tz database (RFC 9636) as one sorted table of offsets.
 *
 * GLib 2.74's GTimeZone was tried first. Against Python's zoneinfo it is an hour off in Europe/Dublin
 * wherever the file's rule applies (daylight time that is less than standard time: from 2038 on, or from 1996
 * in files made by "zic -b slim"), skips the first change by rule in America/Ojinaga (slim, 2022), and takes
 * "UTC+3" for a name. Its search is linear: 76 to 124 ns for an offset, where this table takes about 30.
 */
#ifndef CALENDAR_TZIF_H
#define CALENDAR_TZIF_H

#include "base/errors.h"
#include "base/utime.h"

/* From `start` until the next row's, or for ever. Neighbours differ in offset. */
struct tz_period {
	utime start;	/* INT64_MIN in the first row */
	int64_t offset; /* local time - UTC, in microseconds */
};

struct tz_table {
	struct tz_period *periods;
	size_t count; /* >= 1 */
	/*
	 * The calendar repeats every 400 years, and so do rules: what is written for the cycle before this
	 * instant goes for every later one. INT64_MAX when nothing changes any more.
	 */
	utime cycle_end;
};

#define TZ_CYCLE (146097 * UTIME_DAY)

/* RC_INVALID: not a good file, or one that counts leap seconds ("right/..."). RC_NO_MEMORY. */
enum rc tzif_read(const unsigned char *bytes, size_t size, struct tz_table *ret) MUST_USE;

/* Of a place without changes. RC_NO_MEMORY. */
enum rc tz_table_fixed(int64_t offset, struct tz_table *ret) MUST_USE;

void tz_table_free(struct tz_table *table);

#endif
