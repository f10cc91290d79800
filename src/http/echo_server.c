/*
 * The server under test: no domain, one path for each thing a reply can be. tests/http/ starts it and
 * talks to it over raw sockets.
 *
 *	echo_server [listen=127.0.0.1:0] [threads=1] [head_ms=...] ...
 *
 * Prints "port N", runs until SIGTERM or SIGINT. Exit status 1 when handlers never answered.
 */
#include "base/fiber.h"
#include "http/server.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BODY_MAX  ((size_t)64 * 1024)
#define LARGE_MAX ((size_t)8 * 1024 * 1024)

static struct http_server *server;

/* --- a thread that wakes fibers after a time, as a committer does after a commit --- */

struct sleeper {
	struct sleeper *next;
	struct fiber *fiber;
	int64_t due_ms;
};

static pthread_mutex_t sleepers_lock = PTHREAD_MUTEX_INITIALIZER;
static struct sleeper *sleepers;

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void *wake_sleepers(void *arg)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct sleeper **at, *woken;

	(void)arg;
	for (;;) {
		nanosleep(&pause, NULL);
		pthread_mutex_lock(&sleepers_lock);
		for (at = &sleepers; *at != NULL;) {
			woken = *at;
			if (woken->due_ms > now_ms()) {
				at = &woken->next;
				continue;
			}
			*at = woken->next;
			fiber_wake(woken->fiber);
		}
		pthread_mutex_unlock(&sleepers_lock);
	}
	return NULL;
}

static void sleep_here(int64_t ms)
{
	struct sleeper self = {.fiber = fiber_self(), .due_ms = now_ms() + ms};

	pthread_mutex_lock(&sleepers_lock);
	self.next = sleepers;
	sleepers = &self;
	pthread_mutex_unlock(&sleepers_lock);
	fiber_wait();
}

/* --- replies --- */

static void send_text(struct http_exchange *ex, int status, struct str body)
{
	http_send(ex,
		  &(struct http_reply){.status = status, .content_type = STR("text/plain"), .body = body});
}

static void send_fault(struct http_exchange *ex, enum rc fault)
{
	send_text(ex, error_table[fault].status, str_from(error_table[fault].name));
}

static bool starts(struct str text, const char *prefix, int64_t *ret_number)
{
	size_t len = strlen(prefix);

	if (text.len < len || memcmp(text.p, prefix, len) != 0)
		return false;
	*ret_number = 0;
	for (size_t i = len; i < text.len && text.p[i] >= '0' && text.p[i] <= '9'; i++)
		*ret_number = *ret_number * 10 + (text.p[i] - '0');
	return true;
}

/* What the server understood, one thing a line. */
static void send_seen(struct http_exchange *ex)
{
	char *text = arena_alloc(ex->arena, 65536);
	int len;

	if (text == NULL) {
		send_fault(ex, RC_NO_MEMORY);
		return;
	}
	len = snprintf(text, 16384, "%.*s\n%.*s\n%.*s\n", (int)ex->method_name.len, ex->method_name.p,
		       (int)ex->path.len, ex->path.p, (int)ex->query.len,
		       ex->query.len > 0 ? ex->query.p : "");
	for (size_t i = 0; i < ex->header_count; i++)
		len += snprintf(text + len, 65536 - (size_t)len, "%.*s=[%.*s]\n",
				(int)ex->headers[i].name.len, ex->headers[i].name.p,
				(int)ex->headers[i].value.len,
				ex->headers[i].value.len > 0 ? ex->headers[i].value.p : "");
	send_text(ex, 200, (struct str){text, (size_t)len});
}

static void send_big(struct http_exchange *ex, size_t size)
{
	char *bytes = arena_alloc(ex->arena, size);

	if (bytes == NULL) {
		send_fault(ex, RC_NO_MEMORY);
		return;
	}
	memset(bytes, 'x', size);
	send_text(ex, 200, (struct str){bytes, size});
}

static void sleep_and_send(void *arg)
{
	struct http_exchange *ex = arg;
	int64_t ms = 0;

	if (starts(ex->path, "/sleep/", &ms))
		sleep_here(ms);
	/* Reads the request after the wait: its memory must still be there when its client is not. */
	send_text(ex, 200, ex->target);
}

static void split(struct http_exchange *ex)
{
	http_send(ex, &(struct http_reply){.status = 200,
					   .content_type = STR("text/plain"),
					   .body = STR("hello\n"),
					   .headers = {{STR("X-Value"), STR("a\r\nX-Other: b")}},
					   .header_count = 1});
}

/* Nobody else of this loop is answered meanwhile. */
static void hold_and_send(struct http_exchange *ex, int64_t ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&left, &left) != 0) /* the signal to stop may come to this thread */
		continue;
	send_text(ex, 200, ex->target);
}

static void handle(struct http_exchange *ex, enum rc fault)
{
	int64_t number;

	if (fault != RC_OK)
		send_fault(ex, fault);
	else if (str_equal(ex->path, STR("/echo")))
		send_text(ex, 200, ex->body);
	else if (str_equal(ex->path, STR("/seen")))
		send_seen(ex);
	else if (str_equal(ex->path, STR("/large")))
		send_text(ex, 200, str_from(arena_printf(ex->arena, "%zu", ex->body.len)));
	else if (str_equal(ex->path, STR("/empty")))
		http_send(ex, &(struct http_reply){.status = 204});
	else if (str_equal(ex->path, STR("/close")))
		http_send(ex, &(struct http_reply){.status = 200, .body = STR("bye\n"), .close = true});
	else if (str_equal(ex->path, STR("/split")))
		split(ex);
	else if (starts(ex->path, "/big/", &number))
		send_big(ex, (size_t)number);
	else if (starts(ex->path, "/hold/", &number))
		hold_and_send(ex, number);
	else if (!starts(ex->path, "/sleep/", &number))
		send_text(ex, 200, STR("hello\n"));
	else if (fiber_run(http_loop_fibers(ex->loop), sleep_and_send, ex) != RC_OK)
		send_fault(ex, RC_NO_MEMORY);
}

static enum rc admit(struct http_exchange *ex, size_t *ret_body_max)
{
	if (str_equal(ex->path, STR("/denied")))
		return RC_OVERLOADED;
	*ret_body_max = str_equal(ex->path, STR("/large")) ? LARGE_MAX : BODY_MAX;
	return RC_OK;
}

static void *thread_start(struct http_loop *loop, void *arg)
{
	(void)arg;
	return loop;
}

static void thread_stop(void *user)
{
	(void)user;
}

/* --- start --- */

static void on_signal(int number)
{
	(void)number;
	http_server_stop(server);
}

static void set_option(struct http_options *options, const char *arg)
{
	const struct {
		const char *name;
		int *number;
		size_t *size;
	} known[] = {
		{"threads=", &options->threads, NULL},
		{"head_ms=", &options->head_ms, NULL},
		{"body_ms=", &options->body_ms, NULL},
		{"idle_ms=", &options->idle_ms, NULL},
		{"write_ms=", &options->write_ms, NULL},
		{"drain_ms=", &options->drain_ms, NULL},
		{"max_connections=", NULL, &options->max_connections},
		{"max_head=", NULL, &options->max_head},
	};

	if (strncmp(arg, "listen=", 7) == 0)
		options->listen = arg + 7;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		const char *value = arg + strlen(known[i].name);

		if (strncmp(arg, known[i].name, strlen(known[i].name)) != 0)
			continue;
		if (known[i].number != NULL)
			*known[i].number = (int)strtoll(value, NULL, 10);
		else
			*known[i].size = (size_t)strtoll(value, NULL, 10);
	}
}

int main(int argc, char **argv)
{
	const struct http_callbacks callbacks = {.admit = admit,
						 .handle = handle,
						 .thread_start = thread_start,
						 .thread_stop = thread_stop};
	struct http_options options = {.listen = "127.0.0.1:0"};
	pthread_t waker;
	enum rc rc;

	for (int i = 1; i < argc; i++)
		set_option(&options, argv[i]);
	if (http_server_create(&options, &callbacks, &server) != RC_OK)
		return 2;
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	if (pthread_create(&waker, NULL, wake_sleepers, NULL) != 0)
		return 2;
	printf("port %d\n", http_server_port(server));
	fflush(stdout);
	rc = http_server_run(server);
	/* A second SIGTERM must not reach for a server that is gone. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	http_server_destroy(server);
	return rc == RC_OK ? 0 : 1;
}
