/*
 * Can this process do its work? For whoever sends it requests (/ready), and for /metrics.
 *
 * Without its own stores, or with a schema older than it needs, it can answer nothing: it is not ready, and
 * requests should go to another process. Without the bus, a replica or a neighbour it is degraded, and ready:
 * bookings go on without the bus, their events wait in the outboxes, and what a dead neighbour is needed for
 * is refused request by request. Were it not ready then, one dead process would take all others out of the
 * balancer.
 */
#ifndef GATEWAY_READY_H
#define GATEWAY_READY_H

#include "gateway/gateway.h"

enum check_state { CHECK_OK, CHECK_DEGRADED, CHECK_UNAVAILABLE };

extern const char *const check_state_text[];

struct check {
	const char *name;
	enum check_state state;
	bool vital; /* without it the process is not ready */
};

struct ready {
	bool good;	    /* 200, else 503 */
	const char *status; /* "ok", "degraded", "unavailable", "draining" */
	struct check checks[ROOM_COUNT + 3];
	size_t count;
};

/* On a fiber. */
void ready_check(struct ctx *cx, const struct gateway *gateway, struct ready *ret);

#endif
