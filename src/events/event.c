/* See event.h. */
#include "events/event.h"

const char *const stream_names[STREAM_COUNT] = {STREAM_BOOKINGS, STREAM_DELETIONS, STREAM_TENANTS};
