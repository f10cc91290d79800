/* The header of W3C Trace Context that names a trace and the span in it: https://www.w3.org/TR/trace-context/
 */
#ifndef HTTP_TRACEPARENT_H
#define HTTP_TRACEPARENT_H

#include "base/base.h"

#define TRACEPARENT_LEN 55
#define TRACESTATE_MAX	512

/* tracestate may be passed on: printable, and no longer than that. Others read what is in it. */
bool tracestate_good(struct str header);

struct traceparent {
	struct str trace_id; /* 32 hexadecimal digits */
	struct str span_id;  /* 16 */
	bool sampled;
};

/* False: it is none, and counts for nothing. What is returned lies in `header`. */
bool traceparent_parse(struct str header, struct traceparent *ret) MUST_USE;

/* Ended by NUL; the ids have their lengths. */
void traceparent_write(char to[TRACEPARENT_LEN + 1], const char *trace_id, const char *span_id, bool sampled);

#endif
