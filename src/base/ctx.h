/*
 * What every piece of work carries: a request, an event, a job. Passed first
 * to whatever may read a store, ask another service or make an id.
 */
#ifndef BASE_CTX_H
#define BASE_CTX_H

#include "base/arena.h"
#include "base/errors.h"
#include "base/principal.h"
#include "base/uuid.h"

enum room {
#define ROOM(name) ROOM_##name,
#include "base/rooms.def"
#undef ROOM
	ROOM_COUNT
};

extern const char *const room_names[ROOM_COUNT];

struct db_port; /* db/db.h: this thread's way into one room's store */

/* What a thread keeps: its ways into the stores, and its caches. */
struct room_locals {
	struct db_port *ports[ROOM_COUNT];
	void *locals[ROOM_COUNT];
};

#define TRACE_ID_LEN   32
#define SPAN_ID_LEN    16
#define REQUEST_ID_MAX 64

struct tracer; /* trace/tracer.h */

struct ctx {
	struct arena *arena; /* gone when the work is done */
	const struct world *world;
	utime now;			 /* one instant for the whole work */
	struct db_port *const *ports;	 /* by room */
	void *const *locals;		 /* by room: what the room keeps for this thread, e.g. caches */
	struct principal principal;	 /* who asks; work that no request began asks for nobody */
	char trace_id[TRACE_ID_LEN + 1]; /* W3C trace context */
	char span_id[SPAN_ID_LEN +
		     1];	   /* of the span that is open; before the first, the caller's; "": none */
	bool only_reads;	   /* a GET: what it lists decides nothing that is written */
	bool sampled;		   /* the trace is recorded, here or elsewhere */
	const char *trace_state;   /* tracestate, to be passed on; NULL: none */
	struct tracer *tracer;	   /* NULL: no spans are wanted */
	const char *request_id;	   /* NULL: no request began it */
	const char *error_args[2]; /* fill {0} and {1} of the error's text */
};

/* A new trace, for work that no request began. */
void ctx_trace(struct ctx *cx);

/*
 * From now on this fiber (outside of any: this thread) works on that, and every line of the log says so. It
 * is to be left, by NULL, before the ctx is gone.
 */
void ctx_enter(struct ctx *cx);
/* What it works on; NULL: nothing in particular. */
struct ctx *ctx_current(void);

/* Returns rc, so that a rule can `return error_set(cx, RC_BAD_DURATION, 30)`. Memory short: the argument
 * stays empty. */
enum rc error_set(struct ctx *cx, enum rc rc, int64_t arg) MUST_USE;

#endif
