/*
 * One connection to Redis: the name resolved, TCP, and TLS where the URL asks for it, on a libuv loop. Bytes
 * in, bytes out; what they mean is redis_link.c's.
 */
#ifndef EVENTS_REDIS_WIRE_H
#define EVENTS_REDIS_WIRE_H

#include "events/redis_tls.h"

struct uv_loop_s;
struct redis_wire;

/* On the loop's thread, and never from within a call of the wire's. */
struct wire_user {
	void (*opened)(void *arg);
	void (*bytes)(void *arg, const char *bytes, size_t len);
	/* It could not be opened, or it broke. All that is left is to close it. */
	void (*lost)(void *arg, const char *why);
};

/* `trust` NULL: in the clear. NULL: memory. The host stands until it is closed. */
struct redis_wire *wire_open(struct uv_loop_s *loop, const struct redis_host *host,
			     const struct tls_trust *trust, const struct wire_user *user, void *arg) MUST_USE;
/* Once it is opened. False: it cannot, and never will; nothing else tells of it. */
bool wire_send(struct redis_wire *wire, const char *bytes, size_t len) MUST_USE;
/* Its user hears nothing more. NULL is fine. After the loop's thread has closed all handles too. */
void wire_close(struct redis_wire *wire);

#endif
