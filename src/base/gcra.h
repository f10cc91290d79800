/*
 * Generic cell rate algorithm: a rate and a burst, kept in one number. ITU-T I.371, annex A; there it polices
 * cells, here requests. The number is the theoretical arrival time (TAT): when the next request would come if
 * all kept the rate. Each one that is let through moves it by one step; it may lie at most `depth` ahead.
 *
 * Pure: no clock, no store. All times are nanoseconds of one clock that never goes back.
 */
#ifndef BASE_GCRA_H
#define BASE_GCRA_H

#include "base/base.h"

struct gcra_limit {
	int64_t step;  /* from one request to the next, at the rate that lasts; 0: no limit */
	int64_t depth; /* of a burst: so many steps as may come at once */
};

struct gcra_verdict {
	bool allowed;
	int64_t tat;	   /* to be kept; as it was when refused */
	int64_t remaining; /* so many more may come at this instant */
	int64_t wait;	   /* until one more may come; 0: now */
};

/* `quota` requests within `window` ns, all of them at once if need be. 0: no limit. */
struct gcra_limit gcra_limit(int64_t quota, int64_t window);

/* One request at `now`. A TAT of 0 is one that never came. */
struct gcra_verdict gcra(const struct gcra_limit *limit, int64_t tat, int64_t now);

#endif
