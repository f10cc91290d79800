/* Names and addresses of machines. */
#ifndef BASE_HOST_H
#define BASE_HOST_H

#include "base/base.h"

/* This machine itself: "localhost", "::1" (without brackets), 127.0.0.0/8. */
bool host_is_loopback(struct str host);

#endif
