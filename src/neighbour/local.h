/* What the files of this room share of a neighbour. */
#ifndef NEIGHBOUR_LOCAL_H
#define NEIGHBOUR_LOCAL_H

#include "neighbour/circuit.h"
#include "neighbour/neighbour.h"
#include "neighbour/signature.h"

#include <pthread.h>

struct ask; /* reads.c */

struct neighbour {
	struct neighbour_options options;
	char *base; /* of its URLs, without a slash at the end */
	struct signature_key key;
	pthread_mutex_t lock;
	struct circuit circuit;
	double spare;		   /* repetitions that may be made */
	struct ask *oldest, **end; /* reads that wait for a lane */
	int lanes;		   /* in use */
	struct neighbour_stats stats;
};

/* One POST, signed; over again where it is `safe`. RC_OK when it was answered, whatever the status. */
enum rc neighbour_post(struct neighbour *neighbour, struct ctx *cx, const char *path, struct str body,
		       bool safe, struct http_answer *ret) MUST_USE;

/* See db_elsewhere. */
enum rc neighbour_read(void *neighbour, struct ctx *cx, const struct query *query, const void *in,
		       struct rows *ret) MUST_USE;

#endif
