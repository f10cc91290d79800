/* What a move must know of the bus. */
#ifndef APP_MOVING_EVENTS_H
#define APP_MOVING_EVENTS_H

#include "base/ctx.h"

struct bus;

/* On standard error, what the bus has that some group has not handled, and the dead letters: an outbox lets
 * published events go after a while, so that another bus may never see those. */
void moving_tell_waiting(struct bus *bus, struct ctx *cx);

#endif
