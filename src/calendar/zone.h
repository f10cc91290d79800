/*
 * Zone: what the clocks on the wall show somewhere, by the tz database.
 *
 * A wall-clock reading ("local") is a utime read as if it were UTC. Clocks that go
 * forward skip readings (a gap), clocks that go back repeat them (a fold); see PEP 495.
 * A zone never changes once open: any number of threads may ask it at once. Instants and readings
 * lie within UTIME_MIN and UTIME_MAX.
 */
#ifndef CALENDAR_ZONE_H
#define CALENDAR_ZONE_H

#include "base/errors.h"
#include "base/utime.h"

struct zone;

/*
 * By IANA name, case-sensitive: "America/Sao_Paulo", "UTC" (which needs no tz database). RC_INVALID: no such
 * name (rules like "UTC+3" and paths are none). RC_NO_MEMORY, RC_OVERLOADED: not just now. Reads a
 * file and takes up to 18 KiB: open once and keep.
 */
enum rc zone_open(const char *iana_name, struct zone **ret) MUST_USE;

/* The same from another folder than /usr/share/zoneinfo. */
enum rc zone_open_in(const char *dir, const char *iana_name, struct zone **ret) MUST_USE;

/* NULL is fine. */
void zone_close(struct zone *zone);

/* Seconds to add to UTC: -10800 in Sao Paulo. */
int32_t zone_offset(const struct zone *zone, utime at);

/* What the wall shows: its reading, and its date in days since 1970-01-01. */
utime zone_local(const struct zone *zone, utime at);
int64_t zone_date(const struct zone *zone, utime at);

enum zone_fit {
	ZONE_UNIQUE, /* the reading happens once: first */
	ZONE_GAP,    /* never: first is the instant where the gap ends */
	ZONE_FOLD,   /* twice: first and second */
};

struct zone_instants {
	utime first, second; /* second = first unless it is a fold */
};

/* The instants at which the wall shows `local`; in a gap, the instant where the gap ends. */
enum zone_fit zone_resolve(const struct zone *zone, utime local, struct zone_instants *ret);

#endif
