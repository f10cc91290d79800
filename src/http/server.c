/* See server.h. The process's side: options, addresses, threads. What a thread does is in loop.c. */
#include "base/log.h"
#include "http/loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void default_size(size_t *option, size_t value)
{
	if (*option == 0)
		*option = value;
}

static void default_int(int *option, int value)
{
	if (*option == 0)
		*option = value;
}

static void set_options(struct http_server *server, const struct http_options *options)
{
	struct http_options *o = &server->options;

	*o = *options;
	default_int(&o->threads, 1);
	default_size(&o->max_connections, 16384);
	default_size(&o->max_head, 16384);
	default_size(&o->max_headers, 64);
	default_size(&o->max_target, 4096);
	default_int(&o->head_ms, 10000);
	default_int(&o->body_ms, 10000);
	default_int(&o->idle_ms, 60000);
	default_int(&o->write_ms, 30000);
	default_int(&o->drain_ms, 10000);
	http_server_set_drain(server, o->drain_delay_ms, o->drain_ms);
	server->limits = (struct head_limits){o->max_head, o->max_headers, o->max_target};
	world_init(&server->own_world, UTIME_NONE);
	server->world = o->world != NULL ? o->world : &server->own_world;
}

/* "127.0.0.1:8000" or "[::1]:8000". */
static bool parse_address(const char *text, struct sockaddr_storage *ret)
{
	const char *colon = strrchr(text, ':');
	bool v6 = text[0] == '[';
	char host[64];
	size_t len;
	char *end;
	long port;

	if (colon == NULL || colon[1] < '0' || colon[1] > '9')
		return false;
	port = strtol(colon + 1, &end, 10);
	len = (size_t)(colon - text);
	if (*end != '\0' || port > 65535 || len >= sizeof(host) || (v6 && (len < 2 || colon[-1] != ']')))
		return false;
	if (v6) {
		text++;
		len -= 2;
	}
	memcpy(host, text, len);
	host[len] = '\0';
	return v6 ? uv_ip6_addr(host, (int)port, (struct sockaddr_in6 *)ret) == 0
		  : uv_ip4_addr(host, (int)port, (struct sockaddr_in *)ret) == 0;
}

static int get_port(const struct sockaddr_storage *address)
{
	in_port_t port;

	_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
		       "at one place in both");
	memcpy(&port, (const char *)address + offsetof(struct sockaddr_in, sin_port), sizeof(port));
	return ntohs(port);
}

/* Leaves in *address the port that the first loop got, for the others. */
static enum rc add_loop(struct http_server *server, struct sockaddr_storage *address)
{
	bool first = server->loop_count == 0;
	struct http_loop *loop = loop_create(server);
	int len = sizeof(*address), err;

	if (loop == NULL) {
		LOG(ERROR, "no memory or descriptors for an event loop");
		return RC_NO_MEMORY;
	}
	server->loops[server->loop_count++] = loop;
	err = server->options.has_socket ? loop_adopt(loop, server->options.socket)
					 : loop_listen(loop, (struct sockaddr *)address, first);
	if (err == 0 && first)
		err = uv_tcp_getsockname(&loop->listener, (struct sockaddr *)address, &len);
	if (err != 0) {
		LOG(ERROR, "cannot listen", LOG_TEXT("address", server->options.listen),
		    LOG_TEXT("reason", uv_strerror(err)));
		return RC_INTERNAL;
	}
	return RC_OK;
}

static enum rc add_loops(struct http_server *server)
{
	struct sockaddr_storage address = {0};
	enum rc rc;

	if (!server->options.has_socket && !parse_address(server->options.listen, &address)) {
		LOG(ERROR, "not an address to listen on; write 127.0.0.1:8000 or [::1]:8000",
		    LOG_TEXT("address", server->options.listen));
		return RC_INTERNAL;
	}
	for (int i = 0; i < server->options.threads; i++) {
		rc = add_loop(server, &address);
		if (rc != RC_OK)
			return rc;
	}
	server->port = get_port(&address);
	/* Each loop has its own descriptor of it. */
	if (server->options.has_socket)
		close(server->options.socket);
	return RC_OK;
}

enum rc http_server_create(const struct http_options *options, const struct http_callbacks *callbacks,
			   struct http_server **ret)
{
	struct http_server *server = calloc(1, sizeof(*server));
	enum rc rc;

	if (server == NULL)
		return RC_NO_MEMORY;
	set_options(server, options);
	server->callbacks = *callbacks;
	server->loops = calloc((size_t)server->options.threads, sizeof(struct http_loop *));
	if (server->loops == NULL) {
		free(server);
		return RC_NO_MEMORY;
	}
	server->loop_count = 0;
	rc = add_loops(server);
	if (rc != RC_OK) {
		http_server_destroy(server);
		return rc;
	}
	*ret = server;
	return RC_OK;
}

int http_server_port(const struct http_server *server)
{
	return server->port;
}

static void thread_main(void *arg)
{
	loop_run(arg);
}

/* The calling thread runs the first loop. */
enum rc http_server_run(struct http_server *server)
{
	int started = 1;

	/* A client that left is an error of write(), not a signal. */
	signal(SIGPIPE, SIG_IGN);
	while (started < server->loop_count &&
	       uv_thread_create(&server->loops[started]->thread, thread_main, server->loops[started]) == 0)
		started++;
	if (started < server->loop_count) {
		LOG(ERROR, "cannot start a thread");
		atomic_store(&server->failed, true);
		http_server_stop(server);
	}
	loop_run(server->loops[0]);
	for (int i = 1; i < started; i++)
		uv_thread_join(&server->loops[i]->thread);
	return atomic_load(&server->failed) ? RC_INTERNAL : RC_OK;
}

void http_server_stop(struct http_server *server)
{
	int saved = errno;

	atomic_store(&server->stop, true);
	for (int i = 0; i < server->loop_count; i++)
		uv_async_send(&server->loops[i]->bell);
	errno = saved;
}

bool http_server_draining(const struct http_server *server)
{
	return atomic_load_explicit(&server->stop, memory_order_relaxed);
}

int http_server_drain_ms(const struct http_server *server)
{
	return atomic_load(&server->drain_delay_ms) + atomic_load(&server->drain_ms);
}

void http_server_set_drain(struct http_server *server, int delay_ms, int drain_ms)
{
	atomic_store(&server->drain_delay_ms, delay_ms);
	atomic_store(&server->drain_ms, drain_ms);
}

void http_server_destroy(struct http_server *server)
{
	bool abandoned = false;

	if (server == NULL)
		return;
	for (int i = 0; i < server->loop_count; i++)
		abandoned |= server->loops[i]->abandoned;
	if (abandoned)
		return;
	for (int i = 0; i < server->loop_count; i++)
		loop_destroy(server->loops[i]);
	free(server->loops);
	free(server);
}

void http_server_stats(const struct http_server *server, struct http_stats *ret)
{
	struct http_stats sum = {.open = atomic_load_explicit(&server->open, memory_order_relaxed)};

	for (int i = 0; i < server->loop_count; i++) {
		const struct loop_counters *c = &server->loops[i]->counters;

		sum.accepted += atomic_load_explicit(&c->accepted, memory_order_relaxed);
		sum.refused += atomic_load_explicit(&c->refused, memory_order_relaxed);
		sum.requests += atomic_load_explicit(&c->requests, memory_order_relaxed);
		sum.bytes_in += atomic_load_explicit(&c->bytes_in, memory_order_relaxed);
		sum.bytes_out += atomic_load_explicit(&c->bytes_out, memory_order_relaxed);
	}
	*ret = sum;
}
