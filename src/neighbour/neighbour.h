/*
 * A service of this marca that another process runs, asked over HTTP. Two ways of asking:
 *
 * - a read (db_elsewhere in db/db.h): a query that queries.sql marks for neighbours. Reads of many requests
 * that wait at once share a call, as writes share a commit;
 * - a call of one of its internal routes (ACCESS_SERVICE in http/route.h).
 *
 * Both are signed (signature.h), tell on whose behalf they are made, and carry the trace. They are bounded in
 * time; what can be asked twice is, up to NEIGHBOUR_TRIES, while no more than a tenth of all calls are
 * repetitions; one who fails again and again is not asked for a while (circuit.h). RC_STORE_DOWN: no answer.
 */
#ifndef NEIGHBOUR_NEIGHBOUR_H
#define NEIGHBOUR_NEIGHBOUR_H

#include "db/db.h"
#include "http/client.h"
#include "json/shape.h"

#define NEIGHBOUR_TRIES	     3
#define NEIGHBOUR_TIMEOUT_MS 2000  /* of what can be asked twice, each time */
#define NEIGHBOUR_CALL_MS    10000 /* of a call: it may wait for a password's hash */
#define NEIGHBOUR_LANES	     4	   /* calls of reads at once; more reads share them */

struct neighbour; /* one a service; safe from any thread */

struct neighbour_options {
	const char *name; /* "tenant" */
	const char *url;  /* "http://10.0.0.7:8000", also with the collection's name behind it */
	const char *collection;
	const char *key;	  /* SERVICE_KEY */
	struct http_client *http; /* a trusted one */
	const struct world *world;
};

/* NULL when memory is short. */
struct neighbour *neighbour_create(const struct neighbour_options *options) MUST_USE;
/* NULL is fine. */
void neighbour_destroy(struct neighbour *neighbour);

/* By which a room that it has is opened here. */
struct db_elsewhere neighbour_elsewhere(struct neighbour *neighbour);

/* An internal route, as who asks sees it. */
struct neighbour_route {
	const char *path;
	const struct shape *in, *out; /* out NULL: no body is expected */
	bool again;		      /* it changes nothing: may be asked twice */
	enum rc failures[3];	      /* of its own; RC_OK ends them */
};

/*
 * POST `in` there; *ret is a new struct of `out` in the arena. What it may fail with of its own is handed on.
 * Any other failure there is RC_STORE_DOWN here: no route of ours has to reckon with what another version
 * may say.
 */
enum rc neighbour_call(struct neighbour *neighbour, struct ctx *cx, const struct neighbour_route *route,
		       const void *in, void **ret) MUST_USE;

/* Since the start. */
struct neighbour_stats {
	uint64_t reads, calls, repeated, failed, refused; /* refused: not made, by the circuit breaker */
	bool open;					  /* the breaker: it is not asked just now */
};
void neighbour_stats(struct neighbour *neighbour, struct neighbour_stats *ret);
const char *neighbour_name(const struct neighbour *neighbour);

#endif
