/*
 * Where the log's lines go: standard error, whoever reads it and however slowly. Private to log.c.
 *
 * No line ever makes its thread wait. What can be written at once is; else it is kept, in order, in a buffer
 * of SINK_BYTES that a thread of its own empties. When that is full too, lines are dropped and counted: a
 * server whose log nobody takes goes on serving. Lines that come in floods (one a request) are always left to
 * the thread, which writes many at once: some 0.2 us each instead of 2.
 *
 * The price: what is in the buffer when the process is killed, or aborts, is lost. So the rare lines, which
 * may tell why, are written at once wherever that is possible.
 */
#ifndef BASE_LOG_SINK_H
#define BASE_LOG_SINK_H

#include "base/base.h"

#define SINK_BYTES ((size_t)256 * 1024)

/* Until it is called, and after sink_stop(), lines are written at once, and wait. False: no memory or thread.
 */
bool sink_start(void) MUST_USE;
/* What was kept is written, as long as somebody takes it within a second. */
void sink_stop(void);

/* A whole line, with its end. `soon`: it need not be written at once. */
void sink_put(const char *line, size_t len, bool soon);

/* Lines that were dropped. */
uint64_t sink_dropped(void);

#endif
