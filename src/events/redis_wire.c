/*
 * See redis_wire.h. A wire outlives its user's interest in it: libuv gives back a resolver's request and a
 * handle when it likes, and the wire is freed with the last of them.
 */
#include "events/redis_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define CHUNK_BYTES   (16 * 1024)
#define KEEPALIVE_S   30
#define PORT_TEXT_MAX 8

struct redis_wire {
	uv_loop_t *loop;
	const struct redis_host *host;
	const struct tls_trust *trust;
	const struct wire_user *user; /* NULL: closed */
	void *arg;
	uv_getaddrinfo_t resolver;
	struct addrinfo *addresses, *address; /* all of the name's; the one that is tried */
	uv_tcp_t tcp;
	uv_connect_t connect;
	struct tls *tls;
	bool resolving, has_tcp; /* what libuv still has */
	bool closing;		 /* on_closed() will be called */
	bool greeted;		 /* TLS */
	const char *why;	 /* the last address was of no use */
	char chunk[CHUNK_BYTES];
};

struct sent {
	uv_write_t request;
	char bytes[];
};

static void free_if_done(struct redis_wire *wire)
{
	if (wire->user != NULL || wire->resolving || wire->has_tcp)
		return;
	tls_destroy(wire->tls);
	uv_freeaddrinfo(wire->addresses);
	free(wire);
}

static void lose(struct redis_wire *wire, const char *why)
{
	if (wire->user != NULL)
		wire->user->lost(wire->arg, why);
}

/* --- Bytes out -------------------------------------------------------------------- */

static void on_written(uv_write_t *request, int status)
{
	struct sent *sent = CONTAINER_OF(request, struct sent, request);
	struct redis_wire *wire = request->handle->data;

	free(sent);
	/* Canceled: the handle is being closed, by ourselves or with all of the loop's. */
	if (status < 0 && status != UV_ECANCELED)
		lose(wire, uv_strerror(status));
}

static bool submit(struct redis_wire *wire, struct sent *sent, size_t len)
{
	uv_buf_t buf = uv_buf_init(sent->bytes, (unsigned)len);

	if (uv_write(&sent->request, (uv_stream_t *)&wire->tcp, &buf, 1, on_written) == 0)
		return true;
	free(sent);
	return false;
}

static bool send_plain(struct redis_wire *wire, const char *bytes, size_t len)
{
	struct sent *sent = malloc(sizeof(*sent) + len);

	if (sent == NULL)
		return false;
	memcpy(sent->bytes, bytes, len);
	return submit(wire, sent, len);
}

/* Whatever TLS has for the peer. */
static bool flush(struct redis_wire *wire)
{
	for (;;) {
		struct sent *sent = malloc(sizeof(*sent) + CHUNK_BYTES);
		size_t len;

		if (sent == NULL)
			return false;
		len = tls_take(wire->tls, sent->bytes, CHUNK_BYTES);
		if (len == 0) {
			free(sent);
			return true;
		}
		if (!submit(wire, sent, len))
			return false;
	}
}

bool wire_send(struct redis_wire *wire, const char *bytes, size_t len)
{
	if (wire->tls == NULL)
		return send_plain(wire, bytes, len);
	return tls_write(wire->tls, bytes, len) && flush(wire);
}

/* --- Bytes in --------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct redis_wire *wire = handle->data;

	(void)suggested;
	*ret = uv_buf_init(wire->chunk, sizeof(wire->chunk));
}

/* The peer's part of the greeting may be whole now. */
static bool greet(struct redis_wire *wire)
{
	enum tls_state state = tls_greet(wire->tls);
	bool flushed = flush(wire);

	if (state == TLS_FAILED || !flushed) {
		lose(wire, state == TLS_FAILED ? tls_why(wire->tls) : "no memory");
		return false;
	}
	wire->greeted = state == TLS_GOOD;
	if (wire->greeted)
		wire->user->opened(wire->arg);
	return wire->greeted;
}

static void take_sealed(struct redis_wire *wire, size_t count)
{
	char plain[CHUNK_BYTES];
	enum tls_state state = TLS_GOOD;
	size_t len;

	if (!tls_put(wire->tls, wire->chunk, count)) {
		lose(wire, "no memory");
		return;
	}
	if (!wire->greeted && !greet(wire))
		return;
	while (wire->user != NULL && state == TLS_GOOD) {
		state = tls_read(wire->tls, plain, sizeof(plain), &len);
		if (state == TLS_GOOD)
			wire->user->bytes(wire->arg, plain, len);
	}
	if (wire->user == NULL)
		return;
	if (state == TLS_FAILED)
		lose(wire, tls_why(wire->tls));
	else if (!flush(wire))
		lose(wire, "no memory");
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct redis_wire *wire = stream->data;

	(void)buf;
	if (count == 0)
		return;
	if (count < 0)
		lose(wire, count == UV_EOF ? "it closed the connection" : uv_strerror((int)count));
	else if (wire->tls != NULL)
		take_sealed(wire, (size_t)count);
	else
		wire->user->bytes(wire->arg, wire->chunk, (size_t)count);
}

/* --- Opening ---------------------------------------------------------------------- */

static void try_address(struct redis_wire *wire);

static void on_closed(uv_handle_t *handle)
{
	struct redis_wire *wire = handle->data;

	wire->has_tcp = wire->closing = false;
	if (wire->user != NULL)
		try_address(wire); /* the next one */
	else
		free_if_done(wire);
}

static void close_tcp(struct redis_wire *wire)
{
	wire->closing = true;
	uv_close((uv_handle_t *)&wire->tcp, on_closed);
}

static void on_connected(uv_connect_t *request, int status)
{
	struct redis_wire *wire = request->handle->data;

	if (wire->user == NULL)
		return;
	if (status == 0)
		status = uv_read_start((uv_stream_t *)&wire->tcp, on_alloc, on_read);
	if (status != 0) {
		wire->why = uv_strerror(status);
		close_tcp(wire);
		return;
	}
	uv_tcp_nodelay(&wire->tcp, 1);
	uv_tcp_keepalive(&wire->tcp, 1, KEEPALIVE_S);
	if (wire->trust == NULL) {
		wire->user->opened(wire->arg);
		return;
	}
	wire->tls = tls_create(wire->trust, wire->host);
	if (wire->tls == NULL)
		lose(wire, "no memory");
	else
		(void)greet(wire);
}

static void try_address(struct redis_wire *wire)
{
	const struct addrinfo *address = wire->address;
	int err;

	if (address == NULL) {
		lose(wire, wire->why);
		return;
	}
	wire->address = address->ai_next;
	err = uv_tcp_init(wire->loop, &wire->tcp);
	if (err != 0) {
		lose(wire, uv_strerror(err));
		return;
	}
	wire->has_tcp = true;
	wire->tcp.data = wire;
	err = uv_tcp_connect(&wire->connect, &wire->tcp, address->ai_addr, on_connected);
	if (err != 0) {
		wire->why = uv_strerror(err);
		close_tcp(wire);
	}
}

static void on_resolved(uv_getaddrinfo_t *resolver, int status, struct addrinfo *addresses)
{
	struct redis_wire *wire = resolver->data;

	wire->resolving = false;
	wire->addresses = wire->address = addresses;
	wire->why = status != 0 ? uv_strerror(status) : "its name has no address";
	if (wire->user != NULL)
		try_address(wire);
	else
		free_if_done(wire);
}

struct redis_wire *wire_open(struct uv_loop_s *loop, const struct redis_host *host,
			     const struct tls_trust *trust, const struct wire_user *user, void *arg)
{
	static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
	struct redis_wire *wire = calloc(1, sizeof(*wire));
	char port[PORT_TEXT_MAX];

	if (wire == NULL)
		return NULL;
	wire->loop = loop;
	wire->host = host;
	wire->trust = trust;
	wire->user = user;
	wire->arg = arg;
	wire->resolver.data = wire;
	snprintf(port, sizeof(port), "%d", host->port);
	if (uv_getaddrinfo(loop, &wire->resolver, on_resolved, host->name, port, &hints) != 0) {
		free(wire);
		return NULL;
	}
	wire->resolving = true;
	return wire;
}

void wire_close(struct redis_wire *wire)
{
	if (wire == NULL)
		return;
	wire->user = NULL;
	if (wire->resolving)
		uv_cancel((uv_req_t *)&wire->resolver);
	if (wire->has_tcp && !uv_is_closing((uv_handle_t *)&wire->tcp))
		close_tcp(wire);
	else if (!wire->closing)
		wire->has_tcp = false; /* it was closed with all others of a loop that has ended */
	free_if_done(wire);
}
