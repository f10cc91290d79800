/*
 * What was asked and answered, by route: counters of one loop thread, which it alone writes, so that counting
 * locks nothing. The process's figures are the sums over its threads.
 */
#ifndef HTTP_TRAFFIC_H
#define HTTP_TRAFFIC_H

#include "base/histogram.h"

/* The statuses that marca answers with; a reply with another one is counted in the place of `other`. */
/* clang-format off */
#define TRAFFIC_STATUSES(S)                                                                      \
	S(200) S(201) S(202) S(204) S(302) S(304) S(308)                                         \
	S(400) S(401) S(403) S(404) S(405) S(408) S(409) S(412) S(413) S(414) S(415) S(422)      \
	S(429) S(431) S(500) S(501) S(502) S(503) S(504) S(505)
/* clang-format on */

enum traffic_status {
	TRAFFIC_other,
#define S(status) TRAFFIC_##status,
	TRAFFIC_STATUSES(S)
#undef S
		TRAFFIC_STATUS_COUNT
};

/* "404"; "other". */
extern const char *const traffic_status_text[TRAFFIC_STATUS_COUNT];

/* Of one route. */
struct traffic {
	_Atomic uint64_t began, answered[TRAFFIC_STATUS_COUNT];
	struct histogram durations;
};

struct traffic_sum {
	uint64_t began, answered[TRAFFIC_STATUS_COUNT];
	struct histogram_sum durations;
};

static inline void traffic_began(struct traffic *traffic)
{
	counter_add(&traffic->began, 1);
}

/* `ns`: since its head was complete; 0: it never was. */
void traffic_answered(struct traffic *traffic, int status, uint64_t ns);

/* Adds them to *sum, which begins with all zero. */
void traffic_read(const struct traffic *traffic, struct traffic_sum *sum);

#endif
