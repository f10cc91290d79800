/*
 * See connection.h. A connection is always in one state, and each state has one deadline:
 *
 *   IDLE -> HEAD -> BODY -> HANDLING -> WRITING -> IDLE ...       or, when it is the last, -> LINGERING ->
 * CLOSED
 *
 * States are skipped when there is nothing to wait for; a small request answered at once goes from
 * IDLE to IDLE within one read. Bytes that come while a request is HANDLING or its reply is WRITING
 * are kept (one read's worth), then reading stops and TCP slows the client down.
 */
#include "http/connection.h"
#include "http/loop.h"
#include "http/message.h"

#include <sodium.h>
#include <stdlib.h>
#include <sys/socket.h>

/* After the last reply: how long, and for how much, we go on reading so that no reset destroys it on its way.
 */
#define LINGER_MS    2000
#define LINGER_BYTES ((size_t)1 << 20)

/* What a client must take of a waiting reply in each write_ms. */
#define WRITE_LEAST 16384

/* Connections over the cap that are being told so at the same time; further ones are dropped. */
#define REFUSALS_MAX 256

/* While draining, an idle client's next request may be on its way; one that has just connected, and has asked
 * nothing yet, is about to. */
#define DRAIN_IDLE_MS  250
#define DRAIN_FRESH_MS 2000

enum state { IDLE, HEAD, BODY, HANDLING, WRITING, LINGERING, CLOSED };

/* Bytes of requests whose turn has not come. */
struct pending {
	size_t at, len;
	char bytes[];
};

struct connection {
	uv_tcp_t tcp;
	struct http_loop *loop;
	struct message *message; /* read or in flight; NULL between requests */
	struct pending *pending;
	struct connection *next_ready;
	struct wheel_entry timeout;
	size_t unsent;	  /* WRITING: bytes left when last looked at */
	size_t discarded; /* bytes read and thrown away after the last request */
	enum state state;
	bool reading;
	bool eof;     /* the client has shut its side; it may still read */
	bool last;    /* closes after the reply to the current request */
	bool used;    /* a request has begun */
	bool feeding; /* feed() is on the stack and goes on by itself */
	bool in_ready;
	char peer[46];
};

/* What the kernel did not take of a reply at once. */
struct outgoing {
	uv_write_t req;
	char bytes[];
};

static void dispatch(struct connection *c, enum rc fault);

static uv_stream_t *stream_of(struct connection *c)
{
	return (uv_stream_t *)&c->tcp;
}

static void enter(struct connection *c, enum state state, int ms)
{
	c->state = state;
	wheel_set(&c->loop->wheel, &c->timeout, uv_now(&c->loop->uv) + (uint64_t)ms);
}

static bool takes_requests(const struct connection *c)
{
	return c->state == IDLE || c->state == HEAD || c->state == BODY;
}

/* --- the end --- */

static void on_closed(uv_handle_t *handle)
{
	struct connection *c = handle->data;
	struct http_loop *loop = c->loop;

	free(c->pending);
	free(c);
	loop_closed(loop);
}

/* The memory stays until on_closed(), which the loop calls when nobody is on the stack. */
static void leave(struct connection *c)
{
	c->state = CLOSED;
	wheel_remove(&c->timeout);
	if (c->message == NULL)
		return;
	/* One in flight is its handler's until http_send(). */
	c->message->connection = NULL;
	if (!c->message->in_flight)
		message_destroy(c->message);
	c->message = NULL;
}

static void close_now(struct connection *c)
{
	if (c->state == CLOSED)
		return;
	leave(c);
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

/* For a client that takes nothing: the kernel shall not go on trying with what it holds. */
static void reset(struct connection *c)
{
	leave(c);
	if (uv_tcp_close_reset(&c->tcp, on_closed) != 0)
		uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf);
static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret);

static void start_reading(struct connection *c)
{
	if (!c->reading && !c->eof && uv_read_start(stream_of(c), on_alloc, on_read) == 0)
		c->reading = true;
}

static void stop_reading(struct connection *c)
{
	uv_read_stop(stream_of(c));
	c->reading = false;
}

/* Our side is done. The client's bytes are read and dropped until it closes too (RFC 9112 section 9.6). */
static void linger(struct connection *c)
{
	uv_os_fd_t fd;

	if (c->eof || uv_fileno((uv_handle_t *)&c->tcp, &fd) != 0 || shutdown(fd, SHUT_WR) != 0) {
		close_now(c);
		return;
	}
	enter(c, LINGERING, LINGER_MS);
	start_reading(c);
}

/* --- replies --- */

static void make_ready(struct connection *c)
{
	if (c->in_ready)
		return;
	c->in_ready = true;
	c->next_ready = NULL;
	*c->loop->ready_end = c;
	c->loop->ready_end = &c->next_ready;
}

static void sent(struct connection *c)
{
	if (c->last) {
		linger(c);
		return;
	}
	enter(c, IDLE, c->loop->stopping ? DRAIN_IDLE_MS : c->loop->server->options.idle_ms);
	if (c->eof && c->pending == NULL)
		close_now(c);
	else if (!c->feeding && (c->pending != NULL || !c->reading))
		make_ready(c);
}

static void on_written(uv_write_t *req, int status)
{
	struct connection *c = req->data;

	free(CONTAINER_OF(req, struct outgoing, req));
	if (c->state != WRITING)
		return;
	if (status < 0)
		close_now(c);
	else
		sent(c);
}

/* The rest goes as a copy, so that the request's memory is free at once whatever the client does. */
static void write_rest(struct connection *c, const uv_buf_t *bufs, unsigned count, size_t done)
{
	size_t total = 0, len = 0;
	struct outgoing *out;
	uv_buf_t buf;

	for (unsigned i = 0; i < count; i++)
		total += bufs[i].len;
	out = malloc(sizeof(*out) + total - done);
	if (out == NULL) {
		close_now(c);
		return;
	}
	for (unsigned i = 0; i < count; i++) {
		size_t skip = done < bufs[i].len ? done : bufs[i].len;

		memcpy(out->bytes + len, bufs[i].base + skip, bufs[i].len - skip);
		len += bufs[i].len - skip;
		done -= skip;
	}
	buf = uv_buf_init(out->bytes, (unsigned)len);
	out->req.data = c;
	c->unsent = len;
	enter(c, WRITING, c->loop->server->options.write_ms);
	if (uv_write(&out->req, stream_of(c), &buf, 1, on_written) != 0) {
		free(out);
		close_now(c);
	}
}

static void write_reply(struct connection *c, struct str head, struct str body)
{
	/* libuv's buffers are not const, but it only reads them. */
	uv_buf_t bufs[2] = {
		{.base = (char *)(uintptr_t)head.p, .len = head.len},
		{.base = (char *)(uintptr_t)body.p, .len = body.len},
	};
	unsigned count = body.len > 0 ? 2 : 1;
	int done = uv_try_write(stream_of(c), bufs, count);

	if (done < 0 && done != UV_EAGAIN) {
		close_now(c);
		return;
	}
	counter_add(&c->loop->counters.bytes_out, head.len + body.len);
	if (done >= 0 && (size_t)done == head.len + body.len)
		sent(c);
	else
		write_rest(c, bufs, count, done > 0 ? (size_t)done : 0);
}

static void send_reply(struct connection *c, struct message *m, const struct http_reply *reply)
{
	struct http_loop *loop = c->loop;
	bool with_body = reply_has_body(reply) && m->exchange.method != HTTP_HEAD_;
	enum reply_connection connection;
	struct str head;

	c->message = NULL;
	c->last = c->last || reply->close || loop->draining;
	connection = c->last ? REPLY_CLOSES : m->head.http_11 ? REPLY_KEEPS : REPLY_KEEPS_10;
	http_date_set(&loop->date, world_now(loop->server->world));
	head = reply_head(&m->arena, reply, &loop->date, connection);
	if (head.p == NULL)
		close_now(c);
	else
		write_reply(c, head, with_body ? reply->body : (struct str){NULL, 0});
}

void http_send(struct http_exchange *exchange, const struct http_reply *reply)
{
	struct message *m = CONTAINER_OF(exchange, struct message, exchange);
	struct http_loop *loop = exchange->loop;

	if (m->connection != NULL)
		send_reply(m->connection, m, reply);
	message_destroy(m);
	loop_answered(loop);
}

/* --- requests --- */

/* Not even memory to say so properly. */
static void refuse_without_memory(struct connection *c)
{
	static const char text[] = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n"
				   "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n";
	uv_buf_t buf = {.base = (char *)(uintptr_t)text, .len = sizeof(text) - 1};

	c->last = true;
	if (uv_try_write(stream_of(c), &buf, 1) == (int)buf.len)
		linger(c);
	else
		close_now(c);
}

static bool begin_message(struct connection *c)
{
	struct message *m = message_create(&c->loop->arenas);

	if (m == NULL) {
		refuse_without_memory(c);
		return false;
	}
	m->connection = c;
	c->used = true;
	m->exchange.loop = c->loop;
	memcpy(m->exchange.peer, c->peer, sizeof(c->peer));
	c->message = m;
	return true;
}

/* `in_step`: whatever is wrong with it, the next request begins where this one ends. */
static void hand_over(struct connection *c, enum rc fault, bool in_step)
{
	struct message *m = c->message;

	c->state = HANDLING;
	/* How long a handler may take is the business of those above. */
	wheel_set(&c->loop->wheel, &c->timeout, WHEEL_NEVER);
	c->last = !in_step || !m->keep_alive;
	m->in_flight = true;
	loop_began(c->loop);
	c->loop->server->callbacks.handle(&m->exchange, fault);
}

static void dispatch(struct connection *c, enum rc fault)
{
	hand_over(c, fault, fault == RC_OK);
}

/* RFC 9110 section 10.1.1. */
static void tell_to_continue(struct connection *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
	uv_buf_t buf = {.base = (char *)(uintptr_t)text, .len = sizeof(text) - 1};

	/* The socket's buffer is empty here; were it not, the client would be past all help. */
	if (uv_try_write(stream_of(c), &buf, 1) != (int)buf.len)
		close_now(c);
}

static void head_complete(struct connection *c, bool more_came)
{
	struct message *m = c->message;
	const struct http_server *server = c->loop->server;
	enum rc rc;

	m->exchange.received_ns = http_clock_ns();
	rc = server->callbacks.admit(&m->exchange, &m->body_max);
	if (rc == RC_OK && m->head.content_length > m->body_max)
		rc = RC_BODY_TOO_LARGE;
	if (rc != RC_OK || m->whole) {
		hand_over(c, rc, m->whole);
		return;
	}
	enter(c, BODY, server->options.body_ms);
	if (!more_came && m->head.http_11 &&
	    str_equal_nocase(http_header(&m->exchange, "Expect"), STR("100-continue")))
		tell_to_continue(c);
}

static size_t take_head(struct connection *c, const char *bytes, size_t len)
{
	const struct http_server *server = c->loop->server;
	bool begins = c->message == NULL;
	size_t used;
	enum rc rc;

	if (begins && !begin_message(c))
		return len;
	rc = message_take_head(c->message, &server->limits, bytes, len, &used);
	if (rc != RC_OK) {
		dispatch(c, rc);
		return len;
	}
	if (c->message->head.done)
		head_complete(c, used < len);
	else if (begins)
		enter(c, HEAD, server->options.head_ms);
	return used;
}

static size_t take_body(struct connection *c, const char *bytes, size_t len)
{
	size_t used;
	enum rc rc = message_take_body(c->message, bytes, len, &used);

	if (rc != RC_OK) {
		dispatch(c, rc);
		return len;
	}
	if (c->message->whole)
		dispatch(c, RC_OK);
	return used;
}

/* As many requests as are answered at once; returns how many bytes they took. */
static size_t feed(struct connection *c, const char *bytes, size_t len)
{
	size_t used = 0;

	c->feeding = true;
	while (used < len && takes_requests(c))
		used += c->state == BODY ? take_body(c, bytes + used, len - used)
					 : take_head(c, bytes + used, len - used);
	c->feeding = false;
	return used;
}

static void discard(struct connection *c, size_t len)
{
	c->discarded += len;
	if (c->discarded <= LINGER_BYTES)
		return;
	if (c->state == LINGERING)
		close_now(c);
	else
		stop_reading(c);
}

static void keep(struct connection *c, const char *bytes, size_t len)
{
	struct pending *pending = malloc(sizeof(*pending) + len);

	if (pending == NULL) {
		close_now(c);
		return;
	}
	pending->at = 0;
	pending->len = len;
	memcpy(pending->bytes, bytes, len);
	c->pending = pending;
	stop_reading(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct connection *c = handle->data;

	(void)suggested;
	*ret = uv_buf_init(c->loop->buffer, sizeof(c->loop->buffer));
}

static void take(struct connection *c, const char *bytes, size_t len)
{
	size_t used = feed(c, bytes, len);

	if (used == len || c->state == CLOSED)
		return;
	if (c->last)
		discard(c, len - used);
	else
		keep(c, bytes + used, len - used);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct connection *c = stream->data;
	size_t len = count > 0 ? (size_t)count : 0;

	if (count == UV_EOF && (c->state == HANDLING || c->state == WRITING)) {
		c->eof = true;
		stop_reading(c);
	} else if (count < 0) {
		close_now(c);
	}
	if (len == 0)
		return;
	counter_add(&c->loop->counters.bytes_in, len);
	take(c, buf->base, len);
	if (c->loop->wipe)
		sodium_memzero(buf->base, len);
	c->loop->wipe = false;
}

/* The reply to the last request is out: on with what came meanwhile. */
static void resume(struct connection *c)
{
	struct pending *pending = c->pending;

	if (pending != NULL && takes_requests(c)) {
		pending->at += feed(c, pending->bytes + pending->at, pending->len - pending->at);
		if (pending->at < pending->len)
			return;
		free(pending);
		c->pending = NULL;
	}
	if (!takes_requests(c))
		return;
	if (c->eof)
		close_now(c);
	else
		start_reading(c);
}

void connection_run_ready(struct http_loop *loop)
{
	struct connection *c;

	while ((c = loop->ready) != NULL) {
		loop->ready = c->next_ready;
		if (loop->ready == NULL)
			loop->ready_end = &loop->ready;
		c->in_ready = false;
		resume(c);
	}
}

/* --- the beginning --- */

static void tell_peer(struct connection *c)
{
	struct sockaddr_storage address;
	int len = sizeof(address);

	if (uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&address, &len) == 0)
		uv_ip_name((struct sockaddr *)&address, c->peer, sizeof(c->peer));
}

static void refuse(struct connection *c, size_t over)
{
	counter_add(&c->loop->counters.refused, 1);
	if (over > REFUSALS_MAX)
		close_now(c);
	else if (begin_message(c))
		dispatch(c, RC_OVERLOADED);
}

bool connection_accept(struct http_loop *loop)
{
	struct http_server *server = loop->server;
	struct connection *c = calloc(1, sizeof(*c));
	size_t open;

	if (c == NULL)
		return false;
	c->loop = loop;
	uv_tcp_init(&loop->uv, &c->tcp);
	c->tcp.data = c;
	loop_opened(loop);
	open = atomic_load_explicit(&server->open, memory_order_relaxed);
	enter(c, IDLE, loop->stopping ? DRAIN_FRESH_MS : server->options.idle_ms);
	if (uv_accept((uv_stream_t *)&loop->listener, stream_of(c)) != 0) {
		close_now(c);
		return true;
	}
	tell_peer(c);
	if (open > server->options.max_connections) {
		refuse(c, open - server->options.max_connections);
		return true;
	}
	start_reading(c);
	return true;
}

static struct connection *of(struct wheel_entry *entry)
{
	return CONTAINER_OF(entry, struct connection, timeout);
}

/* A slow reader may go on as long as it takes something; one who takes nothing is cut. */
static void look_at_write(struct connection *c)
{
	size_t left = uv_stream_get_write_queue_size(stream_of(c));

	if (left + WRITE_LEAST > c->unsent) {
		reset(c);
		return;
	}
	c->unsent = left;
	enter(c, WRITING, c->loop->server->options.write_ms);
}

void connection_expired(struct wheel_entry *entry)
{
	struct connection *c = of(entry);

	if (c->state == HEAD || c->state == BODY)
		dispatch(c, RC_SLOW_REQUEST);
	else if (c->state == WRITING)
		look_at_write(c);
	else
		close_now(c);
}

void connection_drain(struct wheel_entry *entry)
{
	struct connection *c = of(entry);
	uint64_t since = entry->due - (uint64_t)c->loop->server->options.idle_ms;
	bool fresh = !c->used && uv_now(&c->loop->uv) < since + DRAIN_FRESH_MS;

	if (c->state == IDLE)
		enter(c, IDLE, fresh ? DRAIN_FRESH_MS : DRAIN_IDLE_MS);
}

void connection_cut(struct wheel_entry *entry)
{
	close_now(of(entry));
}
