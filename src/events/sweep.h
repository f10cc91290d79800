/*
 * Sweeps: an effect on more rows than a script can hold, page after page. Each page has memory of its own, so
 * that a sweep of any length takes no more than one.
 */
#ifndef EVENTS_SWEEP_H
#define EVENTS_SWEEP_H

#include "base/ctx.h"

/* Where a sweep stands: behind the row with this key. Before the first one: both members as small as can be.
 */
struct sweep {
	int64_t number;
	struct uuid id;
	bool more;   /* the page was full, there may be another */
	bool missed; /* a row was changed by somebody else before us: the page is read again */
};

/*
 * Calls page() as long as there are more. It reads what lies behind *sweep, writes, and sets all of *sweep.
 * RC_CHANGED_MEANWHILE when others are always first.
 */
typedef enum rc sweep_page(struct ctx *cx, struct sweep *sweep, const void *arg);
enum rc sweep_pages(struct ctx *cx, sweep_page *page, const void *arg) MUST_USE;

#endif
