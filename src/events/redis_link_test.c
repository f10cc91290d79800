/*
 * The link to Redis, under a bus: a redis-server that goes and comes back with its data or without, that is
 * silent, that wants passwords or TLS; and servers that are none.
 */
#include "events/bus_redis_fixture.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* --- Going and coming ------------------------------------------------------------- */

/* Until it is there again. */
static enum rc last_again(struct job *job, int64_t *ret)
{
	enum rc rc = RC_BUS_DOWN;

	for (int i = 0; i < 100 && rc == RC_BUS_DOWN; i++)
		rc = bus_redis.last(job->bus, &job->cx, STREAM_BOOKINGS, &job->source, ret);
	return rc;
}

static void survives_restart(struct job *job)
{
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, NULL);
	struct events got;
	int64_t last;

	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 2), RC_OK);
	redis_fixture_stop(&redis, true);
	assert_int_equal(publish(job, STREAM_BOOKINGS, 2, 3, 1), RC_BUS_DOWN);
	assert_int_equal(bus_redis.take(job->bus, &job->cx, reader, 10, 100, &got), RC_BUS_DOWN);
	redis_fixture_start(&redis);
	assert_int_equal(last_again(job, &last), RC_OK);
	assert_int_equal(last, 2);
	assert_int_equal(publish(job, STREAM_BOOKINGS, 2, 3, 1), RC_OK); /* it knows the script no more */
	while (bus_redis.take(job->bus, &job->cx, reader, 10, 100, &got) == RC_BUS_DOWN)
		;
	assert_int_equal(got.count, 3);
	assert_int_equal(got.items[2].sequence, 3);
	leave(job, reader);
}

static void a_redis_comes_back_with_its_data(void **state)
{
	(void)state;
	struct job job = {.fn = survives_restart};

	on_task(&job);
}

static void survives_loss(struct job *job)
{
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, STREAM_DELETIONS),
			  *follower = join(job, NULL, STREAM_BOOKINGS, NULL);
	struct events got;
	int64_t last;

	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 5), RC_OK);
	assert_int_equal(take(job, reader, 5).count, 5);
	assert_int_equal(take(job, follower, 5).count, 5);
	redis_fixture_stop(&redis, false);
	redis_fixture_start(&redis);
	assert_int_equal(last_again(job, &last), RC_OK);
	assert_int_equal(last, 0);
	/* The source still has 4 and 5. */
	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 4, 2), RC_OK);
	while (bus_redis.take(job->bus, &job->cx, reader, 10, 100, &got) == RC_BUS_DOWN)
		;
	assert_int_equal(got.count, 2);
	assert_int_equal(got.items[0].sequence, 1);
	/* The follower stood at 5, which is beyond the end now: it begins anew. */
	assert_int_equal(publish(job, STREAM_BOOKINGS, 5, 6, 1), RC_OK);
	nothing_to_take(job, follower);
	assert_int_equal(take(job, follower, 3).items[2].sequence, 3);
	free(REDIS_CLI(&redis, "FLUSHALL"));
	nothing_to_take(job, follower);
	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 2, 1), RC_OK);
	assert_int_equal(take(job, follower, 1).items[0].sequence, 1);
	assert_int_equal(take(job, reader, 1).items[0].sequence, 1);
	leave(job, reader);
	leave(job, follower);
}

static void a_redis_comes_back_empty(void **state)
{
	(void)state;
	struct job job = {.fn = survives_loss};

	on_task(&job);
}

static void waits_in_vain(struct job *job)
{
	struct timespec began, ended;
	int64_t last;

	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 1), RC_OK);
	free(REDIS_CLI(&redis, "CONFIG", "SET", "busy-reply-threshold", "60000"));
	kill(redis.pid, SIGSTOP);
	clock_gettime(CLOCK_MONOTONIC, &began);
	assert_int_equal(bus_redis.last(job->bus, &job->cx, STREAM_BOOKINGS, &job->source, &last),
			 RC_BUS_DOWN);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	kill(redis.pid, SIGCONT);
	assert_in_range(ended.tv_sec - began.tv_sec, 4, 8);
	assert_int_equal(last_again(job, &last), RC_OK);
	assert_int_equal(last, 1);
}

static void silence_is_a_loss(void **state)
{
	(void)state;
	struct job job = {.fn = waits_in_vain};

	on_task(&job);
}

static void blocks(struct job *job)
{
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, NULL);
	struct events got = {.count = 7};

	assert_int_equal(bus_redis.take(job->bus, &job->cx, reader, 10, 60000, &got), RC_OK);
	assert_int_equal(got.count, 0);
	leave(job, reader);
}

static void a_stop_ends_a_wait(void **state)
{
	(void)state;
	struct job job = {.fn = blocks};
	struct timespec began, ended;
	struct world world;
	struct tasks *tasks;

	world_init(&world, UTIME_NONE);
	tasks = job_begin(&job, &world);
	assert_int_equal(tasks_start(tasks), RC_OK);
	usleep(300000);
	clock_gettime(CLOCK_MONOTONIC, &began);
	tasks_stop(tasks);
	clock_gettime(CLOCK_MONOTONIC, &ended);
	assert_true(ended.tv_sec - began.tv_sec < 3);
	job_end(&job, tasks);
}

/* --- Many on one link --------------------------------------------------------------- */

#define WRITERS 20

static void writes(struct job *job)
{
	int64_t last;

	for (int i = 0; i < 20; i++) {
		assert_int_equal(publish(job, STREAM_TENANTS, i, i + 1, 1), RC_OK);
		assert_int_equal(bus_redis.last(job->bus, &job->cx, STREAM_TENANTS, &job->source, &last),
				 RC_OK);
		assert_int_equal(last, i + 1);
	}
}

static void many_share_a_link(void **state)
{
	(void)state;
	struct job jobs[WRITERS] = {{.fn = writes}};
	struct world world;
	struct tasks *tasks;

	world_init(&world, UTIME_NONE);
	tasks = job_begin(&jobs[0], &world);
	for (size_t i = 1; i < WRITERS; i++) {
		jobs[i] = jobs[0];
		job_add(tasks, &jobs[i]);
	}
	assert_int_equal(tasks_run(tasks), RC_OK);
	job_end(&jobs[0], tasks);
	SAYS("400\n", "--raw", "XLEN", STREAM_TENANTS);
}

/* --- Getting in --------------------------------------------------------------------- */

static void is_let_in(struct job *job)
{
	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 1), RC_OK);
	SAYS("1\n", "-a", "se:cret", "--no-auth-warning", "-n", "3", "--raw", "XLEN", STREAM_BOOKINGS);
	free(REDIS_CLI(&redis, "-a", "se:cret", "--no-auth-warning", "FLUSHALL"));
}

static void is_kept_out(struct job *job)
{
	assert_int_equal(publish(job, STREAM_BOOKINGS, 0, 1, 1), RC_BUS_DOWN);
}

static void with_url(const char *format, void (*fn)(struct job *job), const char *ca)
{
	struct job job = {.fn = fn, .ca = ca};
	char *url = malloc(256);

	assert_non_null(url);
	snprintf(url, 256, "%s:%d/3", format, redis.port);
	job.url = url;
	on_task(&job);
	free(url);
}

static void passwords_are_asked_for(void **state)
{
	(void)state;

	free(REDIS_CLI(&redis, "ACL", "SETUSER", "ana", "on", ">p@ss", "~booking-events",
		       "~{booking-events}:sources", "+hget", "+hset", "+evalsha", "+eval", "+xadd", "+xinfo",
		       "+exists", "+select"));
	free(REDIS_CLI(&redis, "CONFIG", "SET", "requirepass", "se:cret"));
	with_url("redis://:se%3Acret@127.0.0.1", is_let_in, NULL);
	with_url("redis://default:se:cret@127.0.0.1", is_let_in, NULL);
	with_url("redis://ana:p%40ss@127.0.0.1", is_let_in, NULL);
	with_url("redis://127.0.0.1", is_kept_out, NULL);
	with_url("redis://:wrong@127.0.0.1", is_kept_out, NULL);
	with_url("redis://ana:wrong@127.0.0.1", is_kept_out, NULL);
}

static void reads_and_writes(struct job *job)
{
	assert_int_equal(publish(job, STREAM_DELETIONS, 0, 1, 10), RC_OK);
}

static void sends_much(struct job *job)
{
	char *payload = malloc(1 << 20);
	struct event event = event_of(job, STREAM_BOOKINGS, 1);
	struct bus_reader *reader = join(job, "g", STREAM_BOOKINGS, NULL);

	assert_non_null(payload);
	memset(payload, 'x', 1 << 20);
	payload[0] = payload[(1 << 20) - 2] = '"';
	payload[(1 << 20) - 1] = '\0';
	event.payload = payload;
	assert_int_equal(bus_redis.publish(job->bus, &job->cx, STREAM_BOOKINGS, &job->source, 0, &event, 1),
			 RC_OK);
	assert_string_equal(take(job, reader, 1).items[0].payload, payload);
	leave(job, reader);
	free(payload);
}

static void tls_is_spoken_and_checked(void **state)
{
	(void)state;
	char ca[128], other[128];

	redis_fixture_stop(&redis, false);
	redis_fixture_certificates(&redis);
	redis.tls = true;
	redis_fixture_start(&redis);
	snprintf(ca, sizeof(ca), "%s/ca.pem", redis.folder);
	snprintf(other, sizeof(other), "%s/other.pem", redis.folder);
	with_url("rediss://localhost", sends_much, ca);
	with_url("rediss://127.0.0.1", reads_and_writes, ca);
	with_url("rediss://localhost", is_kept_out, other);
	with_url("rediss://localhost", is_kept_out, NULL); /* the system's CAs do not know it */
	with_url("rediss://127.0.0.2", is_kept_out, ca);   /* the certificate is not for that one */
	with_url("redis://127.0.0.1", is_kept_out, NULL);
	redis_fixture_stop(&redis, false);
	redis.tls = false;
	redis_fixture_start(&redis);
	with_url("rediss://127.0.0.1", is_kept_out, ca);
}

/* --- What is no Redis ----------------------------------------------------------------- */

struct impostor {
	int listener;
	const char *says;
};

static void *pretend(void *arg)
{
	struct impostor *impostor = arg;
	int fd = accept(impostor->listener, NULL, NULL);
	char asked[1024];

	/* Each line to what was asked: the greeting, and then the question. */
	for (const char *at = impostor->says, *end; *at != '\0' && read(fd, asked, sizeof(asked)) > 0;
	     at = end) {
		end = strchr(at, '|') != NULL ? strchr(at, '|') + 1 : at + strlen(at);
		if (write(fd, at, (size_t)(end - at) - (end[-1] == '|')) < 0)
			break;
	}
	close(fd);
	return NULL;
}

static void is_not_fooled(struct job *job)
{
	int64_t last;

	assert_int_equal(bus_redis.last(job->bus, &job->cx, STREAM_BOOKINGS, &job->source, &last),
			 RC_BUS_DOWN);
}

static void meets(const char *says)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	struct impostor impostor = {.listener = socket(AF_INET, SOCK_STREAM, 0), .says = says};
	struct job job = {.fn = is_not_fooled};
	pthread_t thread;
	char url[64];

	assert_int_equal(bind(impostor.listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(impostor.listener, 1), 0);
	assert_int_equal(getsockname(impostor.listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(pthread_create(&thread, NULL, pretend, &impostor), 0);
	snprintf(url, sizeof(url), "redis://127.0.0.1:%d", ntohs(address.sin_port));
	job.url = url;
	on_task(&job);
	pthread_join(thread, NULL);
	close(impostor.listener);
}

static void what_is_no_redis_is_left(void **state)
{
	(void)state;

	for (int i = 0; i < 50; i++)
		meets(""); /* which may be gone before or after it is greeted */
	meets("HTTP/1.1 400 Bad Request\r\n\r\n");
	meets("-ERR max number of clients reached\r\n");
	meets("-LOADING Redis is loading the dataset in memory\r\n+OK\r\n");
	meets("*1000000000\r\n");
	meets("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n");
	meets(":1\r\n:1\r\n:1\r\n");
	meets("+PONG\r\n+OK\r\n|:7\r\n");
	meets("+PONG\r\n+OK\r\n|*1\r\n$1\r\nx\r\n");
	meets("+PONG\r\n+OK\r\n|-READONLY You can't\r\n");
	meets("+PONG\r\n+OK\r\n|$7\r\nhalf");
}

static void bad_settings_are_told(void **state)
{
	(void)state;
	struct bus_options options = {.redis_url = "redis://a:b@"};
	void *bus;

	assert_int_equal(bus_redis.open(&options, &bus), RC_INTERNAL);
	options.redis_url = "rediss://localhost";
	options.redis_ca = "/nonexistent";
	assert_int_equal(bus_redis.open(&options, &bus), RC_INTERNAL);
	options.redis_url = "redis://localhost";
	options.booking_stream = "marca:dead";
	assert_int_equal(bus_redis.open(&options, &bus), RC_INTERNAL);
	options.booking_stream = "a{b}";
	assert_int_equal(bus_redis.open(&options, &bus), RC_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_redis_comes_back_with_its_data, redis_empty),
		cmocka_unit_test_setup(a_redis_comes_back_empty, redis_empty),
		cmocka_unit_test_setup(silence_is_a_loss, redis_empty),
		cmocka_unit_test_setup(a_stop_ends_a_wait, redis_empty),
		cmocka_unit_test_setup(many_share_a_link, redis_empty),
		cmocka_unit_test_setup(passwords_are_asked_for, redis_empty),
		cmocka_unit_test_setup(tls_is_spoken_and_checked, redis_empty),
		cmocka_unit_test(what_is_no_redis_is_left),
		cmocka_unit_test(bad_settings_are_told),
	};

	return cmocka_run_group_tests(tests, redis_group_begin, redis_group_end);
}
