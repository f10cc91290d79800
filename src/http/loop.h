/*
 * One thread of the server: its libuv loop, its listener, the clock of its connections, and what it
 * lends to those above (mailbox, fibers, arenas). Private to server.c, loop.c and connection.c.
 */
#ifndef HTTP_LOOP_H
#define HTTP_LOOP_H

#include "base/histogram.h"
#include "base/world.h"
#include "http/head.h"
#include "http/reply_head.h"
#include "http/server.h"
#include "http/wheel.h"

#include <stdatomic.h>
#include <uv.h>

struct connection;

/* The largest piece taken from a socket at once; also what a pipelining client can make us keep. */
#define READ_BYTES 16384

/* Written by the loop's thread alone, read by any. */
struct loop_counters {
	_Atomic uint64_t accepted, refused, requests, bytes_in, bytes_out;
};

struct http_loop {
	uv_loop_t uv;
	uv_tcp_t listener;
	uv_async_t bell; /* rung for letters and for the stop */
	uv_timer_t tick;
	uv_prepare_t before; /* both run what became ready, before and after waiting for the kernel */
	uv_check_t after;
	struct http_server *server;
	struct mailbox mailbox;
	struct fiber_pool *fibers;
	struct arena_pool arenas;
	void *user;
	struct wheel wheel;		       /* every open connection is in it */
	struct connection *ready, **ready_end; /* connections whose next request may be taken, in order */
	struct http_date date;
	size_t open;	  /* connections */
	size_t in_flight; /* exchanges given to handle() and not answered, also those whose client has gone */
	uint64_t drain_from, drain_until; /* ms */
	bool draining;			  /* told to stop; further connections are taken until drain_from */
	bool stopping;			  /* the listener is closed once nobody waits in its queue */
	bool looked;			  /* since `stopping`, the kernel has been asked who waits */
	bool accept_waits;		  /* a connection could not be taken for want of memory */
	bool listens;			  /* its listener is open */
	bool abandoned;			  /* handlers never came back */
	uv_thread_t thread;
	struct loop_counters counters;
	bool wipe; /* what is read now has a secret in it */
	char buffer[READ_BYTES];
};

struct http_server {
	struct http_options options;
	struct http_callbacks callbacks;
	struct head_limits limits;
	struct world own_world; /* when the options name none */
	const struct world *world;
	int port;
	_Atomic size_t open; /* connections of all loops */
	_Atomic bool stop;
	_Atomic int drain_ms, drain_delay_ms;
	_Atomic bool failed;
	int loop_count;
	struct http_loop **loops;
};

struct http_loop *loop_create(struct http_server *server) MUST_USE;

/* Binds and listens. An address in use is told by the first loop; the others share its port. */
int loop_listen(struct http_loop *loop, const struct sockaddr *address, bool first) MUST_USE;
/* The same on a socket that listens already; all loops take from its one queue. Does not keep it. */
int loop_adopt(struct http_loop *loop, int socket) MUST_USE;

/* The thread's work: until the server stops and all is answered, or drain_ms have passed. */
void loop_run(struct http_loop *loop);

/* An abandoned loop is left as it is: handlers that never came back may still refer to it. */
void loop_destroy(struct http_loop *loop);

/* What connection.c tells. */
void loop_opened(struct http_loop *loop);
void loop_closed(struct http_loop *loop);
void loop_began(struct http_loop *loop);
void loop_answered(struct http_loop *loop);

#endif
