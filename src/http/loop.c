/* See loop.h. */
#include "http/loop.h"
#include "base/fiber.h"
#include "base/log.h"
#include "http/connection.h"
#include "http/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

void http_exchange_wipe(struct http_exchange *exchange)
{
	exchange->arena->wipe = true;
	exchange->loop->wipe = true;
}

void *http_loop_user(const struct http_loop *loop)
{
	return loop->user;
}

uint64_t http_clock_ns(void)
{
	return uv_hrtime();
}

struct fiber_pool *http_loop_fibers(struct http_loop *loop)
{
	return loop->fibers;
}

/* Once all is answered, or time is up and all connections are closed. */
static void end_if_done(struct http_loop *loop)
{
	if (!loop->stopping || loop->listens || loop->open > 0)
		return;
	if (loop->in_flight == 0 || uv_now(&loop->uv) >= loop->drain_until)
		uv_stop(&loop->uv);
}

static void on_tick(uv_timer_t *tick);

static void start_ticking(struct http_loop *loop)
{
	if (uv_is_active((uv_handle_t *)&loop->tick))
		return;
	if (loop->open == 0)
		wheel_init(&loop->wheel, uv_now(&loop->uv));
	uv_timer_start(&loop->tick, on_tick, WHEEL_TICK_MS, WHEEL_TICK_MS);
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct http_loop *loop = listener->data;

	if (status < 0) {
		counter_add(&loop->counters.refused, 1);
		return;
	}
	/* One that could not be taken keeps libuv from the listener: the next tick tries again. */
	loop->accept_waits = !connection_accept(loop);
	if (loop->accept_waits)
		start_ticking(loop);
}

static void begin_drain(struct http_loop *loop)
{
	loop->stopping = true;
	turn_limit(TURN_ALL); /* the last look at the queue must not pass it over: see close_listener() */
	loop->drain_until = uv_now(&loop->uv) + (uint64_t)atomic_load(&loop->server->drain_ms);
	wheel_each(&loop->wheel, connection_drain);
	uv_async_send(&loop->bell); /* for the last look at the queue */
}

/*
 * What lies in the queue of a listener that is closed is reset by the kernel. So the kernel is waited on once
 * more, where libuv takes all who have come. Who connects after that meets a port where nobody listens, or,
 * if the socket was handed to us, whoever else holds it.
 */
static void close_listener(struct http_loop *loop)
{
	if (!loop->stopping || !loop->listens)
		return;
	if (!loop->looked) {
		loop->looked = true;
		return;
	}
	loop->listens = false;
	uv_close((uv_handle_t *)&loop->listener, NULL);
	end_if_done(loop);
}

static void on_tick(uv_timer_t *tick)
{
	struct http_loop *loop = tick->data;
	uint64_t now = uv_now(&loop->uv);

	wheel_turn(&loop->wheel, now, connection_expired);
	if (loop->accept_waits && !loop->stopping)
		on_connection((uv_stream_t *)&loop->listener, 0);
	if (loop->draining && !loop->stopping && now >= loop->drain_from)
		begin_drain(loop);
	if (loop->stopping && now >= loop->drain_until)
		wheel_each(&loop->wheel, connection_cut);
	end_if_done(loop);
	if (loop->open == 0 && !loop->accept_waits && !loop->draining)
		uv_timer_stop(tick);
}

void loop_opened(struct http_loop *loop)
{
	start_ticking(loop);
	loop->open++;
	atomic_fetch_add_explicit(&loop->server->open, 1, memory_order_relaxed);
	counter_add(&loop->counters.accepted, 1);
}

void loop_closed(struct http_loop *loop)
{
	loop->open--;
	atomic_fetch_sub_explicit(&loop->server->open, 1, memory_order_relaxed);
	end_if_done(loop);
}

void loop_began(struct http_loop *loop)
{
	loop->in_flight++;
	counter_add(&loop->counters.requests, 1);
}

void loop_answered(struct http_loop *loop)
{
	loop->in_flight--;
	end_if_done(loop);
}

static void prepare_drain(struct http_loop *loop)
{
	int delay = atomic_load(&loop->server->drain_delay_ms);

	loop->draining = true;
	loop->drain_from = uv_now(&loop->uv) + (uint64_t)delay;
	start_ticking(loop);
	if (delay == 0)
		begin_drain(loop);
}

static void on_bell(uv_async_t *bell)
{
	struct http_loop *loop = bell->data;

	mailbox_open(&loop->mailbox);
	if (atomic_load(&loop->server->stop) && !loop->draining)
		prepare_drain(loop);
}

static void ring(struct mailbox *mailbox)
{
	uv_async_send(&CONTAINER_OF(mailbox, struct http_loop, mailbox)->bell);
}

/* A reply may be sent from a timer or from a letter: both sides of the wait for the kernel look for what it
 * made ready. */
static void on_before(uv_prepare_t *before)
{
	struct http_loop *loop = before->data;

	connection_run_ready(loop);
	if (loop->server->callbacks.thread_rest != NULL)
		loop->server->callbacks.thread_rest(loop->user);
}

static void on_after(uv_check_t *after)
{
	connection_run_ready(after->data);
	close_listener(after->data);
}

static bool init_handles(struct http_loop *loop)
{
	if (uv_async_init(&loop->uv, &loop->bell, on_bell) != 0)
		return false;
	loop->bell.data = loop;
	uv_timer_init(&loop->uv, &loop->tick);
	loop->tick.data = loop;
	uv_prepare_init(&loop->uv, &loop->before);
	loop->before.data = loop;
	uv_prepare_start(&loop->before, on_before);
	uv_check_init(&loop->uv, &loop->after);
	loop->after.data = loop;
	uv_check_start(&loop->after, on_after);
	return true;
}

struct http_loop *loop_create(struct http_server *server)
{
	struct http_loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return NULL;
	if (uv_loop_init(&loop->uv) != 0) {
		free(loop);
		return NULL;
	}
	loop->server = server;
	loop->ready_end = &loop->ready;
	wheel_init(&loop->wheel, 0);
	mailbox_init(&loop->mailbox, ring);
	loop->fibers = fiber_pool_create(&loop->mailbox);
	if (loop->fibers == NULL || !init_handles(loop)) {
		fiber_pool_destroy(loop->fibers);
		uv_loop_close(&loop->uv);
		free(loop);
		return NULL;
	}
	return loop;
}

/*
 * SO_REUSEPORT lets any process of this user share a port unseen. So the first socket is bound without
 * it, which fails when the port is in use, and is opened to the sockets of the other loops afterwards.
 */
static int share_port(struct http_loop *loop)
{
	int on = 1, err;
	uv_os_fd_t fd;

	err = uv_fileno((uv_handle_t *)&loop->listener, &fd);
	if (err == 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) != 0)
		err = uv_translate_sys_error(errno);
	return err;
}

static int start_listening(struct http_loop *loop)
{
	/* On Linux what is accepted inherits it. */
	int err = uv_tcp_nodelay(&loop->listener, 1);

	return err != 0 ? err : uv_listen((uv_stream_t *)&loop->listener, BACKLOG, on_connection);
}

int loop_listen(struct http_loop *loop, const struct sockaddr *address, bool first)
{
	int err = uv_tcp_init_ex(&loop->uv, &loop->listener, address->sa_family);

	if (err != 0)
		return err;
	loop->listener.data = loop;
	loop->listens = true;
	if (!first)
		err = share_port(loop);
	if (err == 0)
		err = uv_tcp_bind(&loop->listener, address, 0);
	if (err == 0 && first)
		err = share_port(loop);
	return err != 0 ? err : start_listening(loop);
}

int loop_adopt(struct http_loop *loop, int socket)
{
	int err = uv_tcp_init(&loop->uv, &loop->listener), own;

	if (err != 0)
		return err;
	loop->listener.data = loop;
	loop->listens = true;
	own = fcntl(socket, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return uv_translate_sys_error(errno);
	err = uv_tcp_open(&loop->listener, own);
	if (err != 0)
		close(own);
	return err != 0 ? err : start_listening(loop);
}

/* All but the bell, which may be rung until nobody knows the server any more. */
static void close_handles(struct http_loop *loop)
{
	if (loop->listens)
		uv_close((uv_handle_t *)&loop->listener, NULL);
	loop->listens = false;
	if (uv_is_closing((uv_handle_t *)&loop->tick))
		return;
	loop->draining = loop->stopping = true; /* a bell still ringing has nothing to start */
	uv_close((uv_handle_t *)&loop->tick, NULL);
	uv_close((uv_handle_t *)&loop->before, NULL);
	uv_close((uv_handle_t *)&loop->after, NULL);
	uv_unref((uv_handle_t *)&loop->bell);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_run(struct http_loop *loop)
{
	struct http_server *server = loop->server;

	loop->user = server->callbacks.thread_start(loop, server->callbacks.arg);
	if (loop->user == NULL) {
		atomic_store(&server->failed, true);
		http_server_stop(server);
		close_handles(loop);
		return;
	}
	turn_limit(TURN_FEW);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	if (loop->in_flight > 0) {
		LOG(ERROR, "handlers did not answer in time; their thread is abandoned",
		    LOG_NUMBER("requests", (int64_t)loop->in_flight));
		atomic_store(&server->failed, true);
		loop->abandoned = true;
		return;
	}
	server->callbacks.thread_stop(loop->user);
	close_handles(loop);
}

void loop_destroy(struct http_loop *loop)
{
	if (loop == NULL || loop->abandoned)
		return;
	close_handles(loop);
	uv_close((uv_handle_t *)&loop->bell, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	uv_loop_close(&loop->uv);
	fiber_pool_destroy(loop->fibers);
	arena_pool_finish(&loop->arenas);
	free(loop);
}
