/*
 * Tzrule: the rule that goes on for ever after a zone's last written transition, e.g.
 * "IST-1GMT0,M10.5.0,M3.5.0/1": POSIX's TZ, with hours from -167 to 167 (RFC 9636, section 3.3.2).
 */
#ifndef CALENDAR_TZRULE_H
#define CALENDAR_TZRULE_H

#include "base/utime.h"

/* A day of any year and a wall-clock time of that day. */
struct tzrule_change {
	char form; /* 'M': month, week (5 = last), weekday (0 = Sunday); 'J': 1-365 without 29 February; 'N':
		      0-365 */
	int32_t month, week, day;
	int32_t time_s;
};

struct tzrule {
	int32_t standard_s,
		daylight_s; /* east of Greenwich is positive; daylight may well be the lesser (Dublin) */
	bool changes;	    /* has daylight time at all: the rest counts */
	struct tzrule_change to_daylight, to_standard;
};

/* False when the text is no such rule. */
bool tzrule_parse(struct str text, struct tzrule *ret) MUST_USE;

/* The two instants of a year, in seconds since 1970, of a rule that changes. Either may be the earlier. */
void tzrule_year(const struct tzrule *rule, int64_t year, int64_t *ret_to_daylight, int64_t *ret_to_standard);

#endif
