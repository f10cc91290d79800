/* See log_sink.h. */
#include "base/log_sink.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WRITE_BYTES  ((size_t)16 * 1024) /* at once */
#define STOP_SECONDS 1

static struct {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	pthread_t thread;
	bool running, ending;
	char *buffer;	   /* a ring of SINK_BYTES */
	size_t start, len; /* what waits in it */
	_Atomic uint64_t dropped;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static bool is_writable(int ms)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&out, 1, ms) == 1 && (out.revents & POLLOUT) != 0;
}

/* How much of it was taken. Nowhere is left to tell of a failure: then all of it, so that nobody waits. */
static size_t write_some(const char *text, size_t len)
{
	ssize_t written = write(STDERR_FILENO, text, len);

	if (written >= 0)
		return (size_t)written;
	return errno == EAGAIN || errno == EINTR ? 0 : len;
}

static void keep(const char *text, size_t len)
{
	size_t at = (sink.start + sink.len) % SINK_BYTES, first = SINK_BYTES - at;

	if (first > len)
		first = len;
	memcpy(sink.buffer + at, text, first);
	memcpy(sink.buffer, text + first, len - first);
	if (sink.len == 0)
		pthread_cond_signal(&sink.filled);
	sink.len += len;
}

/*
 * A pipe that can be written takes PIPE_BUF bytes, 4096, at once (pipe(7)), and a line is shorter; a socket
 * that can be has more room than that. Only our own threads write, one at a time.
 */
static void put(const char *line, size_t len, bool soon)
{
	size_t taken = 0;

	if (sink.len == 0 && !soon && is_writable(0))
		taken = write_some(line, len);
	if (taken == len)
		return;
	if (taken == 0 && len > SINK_BYTES - sink.len) {
		atomic_fetch_add_explicit(&sink.dropped, 1, memory_order_relaxed);
		return;
	}
	keep(line + taken, len - taken);
}

void sink_put(const char *line, size_t len, bool soon)
{
	pthread_mutex_lock(&sink.lock);
	if (sink.running)
		put(line, len, soon);
	else
		(void)!write_some(line, len);
	pthread_mutex_unlock(&sink.lock);
}

uint64_t sink_dropped(void)
{
	return atomic_load_explicit(&sink.dropped, memory_order_relaxed);
}

/* --- The thread ----------------------------------------------------------------- */

/* Holds the lock, but not while it writes: what is written stays in the ring meanwhile. */
static void empty(void)
{
	const char *text = sink.buffer + sink.start;
	size_t len = SINK_BYTES - sink.start, taken;

	if (len > sink.len)
		len = sink.len;
	if (len > WRITE_BYTES)
		len = WRITE_BYTES;
	pthread_mutex_unlock(&sink.lock);
	taken = write_some(text, len);
	if (taken == 0)
		is_writable(-1);
	pthread_mutex_lock(&sink.lock);
	sink.start = (sink.start + taken) % SINK_BYTES;
	sink.len -= taken;
}

static void *run(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&sink.lock);
	while (!sink.ending || sink.len > 0) {
		if (sink.len > 0)
			empty();
		else
			pthread_cond_wait(&sink.filled, &sink.lock);
	}
	pthread_mutex_unlock(&sink.lock);
	return NULL;
}

bool sink_start(void)
{
	sink.buffer = malloc(SINK_BYTES);
	if (sink.buffer == NULL || pthread_create(&sink.thread, NULL, run, NULL) != 0) {
		free(sink.buffer);
		sink.buffer = NULL;
		return false;
	}
	sink.running = true;
	return true;
}

void sink_stop(void)
{
	struct timespec until;

	if (!sink.running)
		return;
	pthread_mutex_lock(&sink.lock);
	sink.ending = true;
	pthread_cond_signal(&sink.filled);
	pthread_mutex_unlock(&sink.lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += STOP_SECONDS;
	/* One that still waits for somebody to read is left to the end of the process. */
	if (pthread_timedjoin_np(sink.thread, NULL, &until) != 0)
		return;
	sink.running = sink.ending = false;
	free(sink.buffer);
	sink.buffer = NULL;
}
