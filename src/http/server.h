/*
 * HTTP/1.1 (RFC 9110, 9112) on libuv and llhttp. Strict: what is ambiguous is
 * refused and the connection closed. Knows no routes, no JSON, no domain.
 *
 * Everything about an exchange happens on the loop thread that accepted its connection. One
 * exchange a connection is in flight; pipelined requests wait their turn.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "base/arena.h"
#include "base/errors.h"
#include "base/mailbox.h"

struct fiber_pool;
struct http_server; /* all loops and listeners of a process */
struct http_loop;   /* one thread */

enum http_method {
	HTTP_GET_, /* the underscore keeps clear of llhttp's names */
	HTTP_HEAD_,
	HTTP_POST_,
	HTTP_PUT_,
	HTTP_PATCH_,
	HTTP_DELETE_,
	HTTP_OPTIONS_,
	HTTP_OTHER_,
};

struct http_header {
	struct str name, value; /* name as sent; value without outer blanks */
};

/* One request. It and all it points to live in `arena`, which is gone when http_send() returns. */
struct http_exchange {
	struct arena *arena;
	struct http_loop *loop;
	enum http_method method;
	struct str method_name;
	struct str target;	/* as sent */
	struct str path, query; /* its parts, still percent-encoded; query without '?' */
	const struct http_header *headers;
	size_t header_count;
	struct str body;
	uint64_t received_ns; /* monotonic: when its head was complete */
	char peer[46];	      /* the client's address */
	bool by_proxy;	      /* which a proxy that is trusted has told: client_address() */
	void *admitted;	      /* what admit() left for handle() */
};

#define HTTP_REPLY_HEADERS_MAX 20
#define HTTP_REPLY_LINES_MAX   2

struct http_reply {
	int status;
	struct str content_type; /* absent: none, as with 204 */
	struct str body;
	/* Besides Date, Content-Length, Content-Type and Connection. */
	struct http_header headers[HTTP_REPLY_HEADERS_MAX];
	size_t header_count;
	/* Whole lines of the head, each with its CRLF, that many replies have in common; sent as they are. */
	struct str lines[HTTP_REPLY_LINES_MAX];
	bool close;
};

struct http_callbacks {
	/*
	 * The head is complete: how large may the body be? Sets *ret_body_max. Another rc than RC_OK refuses
	 * the request before its body is read (handle() is then called with it as the fault). One that has no
	 * body may be refused so as well, and its connection stays.
	 */
	enum rc (*admit)(struct http_exchange *, size_t *ret_body_max);
	/*
	 * A whole request, or (fault != RC_OK) one that was refused; then only peer, and whatever of the head
	 * was read, are set (method is HTTP_OTHER_ when nothing was). Must be answered by exactly one
	 * http_send(), now or later on the same thread. After a fault the connection closes. A client may
	 * leave meanwhile; the exchange stays valid all the same.
	 */
	void (*handle)(struct http_exchange *, enum rc fault);
	/*
	 * A thread of ours starts and ends; the return value is http_loop_user(). NULL on start stops the
	 * server.
	 */
	void *(*thread_start)(struct http_loop *, void *arg);
	/* All that came in has been looked at, and the thread is about to wait for more. May be NULL. */
	void (*thread_rest)(void *user);
	void (*thread_stop)(void *user);
	void *arg;
};

struct world;

/* Zero takes the figure named beside it. */
struct http_options {
	const char *listen; /* "127.0.0.1:8000", "[::1]:8000"; port 0 takes a free one */
	bool has_socket;    /* listens on `socket` instead, which listens already and is ours to close */
	int socket;
	const struct world *world; /* the clock of the Date header; NULL: the machine's */
	int threads;		   /* 1 */
	size_t max_connections;	   /* a process: 16384; over it: accepted, answered 503 and closed */
	size_t max_head;	   /* bytes of request line and headers: 16 KiB -> 431 */
	size_t max_headers;	   /* 64 -> 431 */
	size_t max_target;	   /* 4 KiB -> 414 */
	int head_ms, body_ms;	   /* 10 s each: 408 */
	int idle_ms;		   /* 60 s: closed */
	int write_ms;		   /* 30 s: one who takes less than 16 KiB of a waiting reply in it is cut */
	int drain_ms;		   /* how long a drain waits for what is in flight: 10 s */
	int drain_delay_ms;	   /* how long connections are still taken after http_server_stop(): 0 */
};

/* Binds; the port is known when it returns. On failure says why on the log. */
enum rc http_server_create(const struct http_options *options, const struct http_callbacks *callbacks,
			   struct http_server **ret) MUST_USE;
int http_server_port(const struct http_server *server);
/*
 * Runs until http_server_stop(), then drains. Not RC_OK when a thread could not start, or when handlers had
 * not answered drain_ms later: their loops are then left as they are, and the process should end.
 */
enum rc http_server_run(struct http_server *server) MUST_USE;
/*
 * Begins to drain. For drain_delay_ms all goes on, but http_server_draining() is true and every reply says
 * `Connection: close`, so that whoever sends clients here sends them elsewhere. Then, for drain_ms at most:
 * what has connected is still taken, no more is; idle connections are closed, requests in flight are
 * answered. Async-signal-safe and callable from any thread, until http_server_destroy().
 */
void http_server_stop(struct http_server *server);
/* Since http_server_stop(): to be told by /ready. On any thread. */
bool http_server_draining(const struct http_server *server);
/* How long a drain takes at most, the delay included. Async-signal-safe. */
int http_server_drain_ms(const struct http_server *server);
/* Other figures for a drain that has not begun, in ms; 0 is 0 here. On any thread. */
void http_server_set_drain(struct http_server *server, int delay_ms, int drain_ms);
void http_server_destroy(struct http_server *server);

/*
 * The reply to this exchange, which is then gone. Its head is made here; body and header values may lie in
 * the exchange's arena, and are not needed once this returns. Calls no callback: safe on a fiber.
 */
void http_send(struct http_exchange *exchange, const struct http_reply *reply);

/* What received_ns counts in. */
uint64_t http_clock_ns(void);

/* The first header of that name (any case); absent: {NULL, 0}. */
struct str http_header_named(const struct http_exchange *exchange, struct str name);

static inline struct str http_header(const struct http_exchange *exchange, const char *name)
{
	return http_header_named(exchange, str_from(name));
}

void *http_loop_user(const struct http_loop *loop);
struct fiber_pool *http_loop_fibers(struct http_loop *loop);

/* What was sent, or will be answered, is a secret: no copy of it stays in memory once the reply is out. */
void http_exchange_wipe(struct http_exchange *exchange);

/* Counters of the process, for /metrics. */
struct http_stats {
	uint64_t accepted, refused, open, requests, bytes_in, bytes_out;
};
void http_server_stats(const struct http_server *server, struct http_stats *ret);

#endif
