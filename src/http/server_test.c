/* The server's life from the outside, without clients: tests/http/ has those. */
#include "http/server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int started, stopped;
static bool refuse_to_start;
static struct http_server *server;

static enum rc admit(struct http_exchange *ex, size_t *ret_body_max)
{
	(void)ex;
	*ret_body_max = 0;
	return RC_OK;
}

static void handle(struct http_exchange *ex, enum rc fault)
{
	(void)fault;
	http_send(ex, &(struct http_reply){.status = 204});
}

static void *thread_start(struct http_loop *loop, void *arg)
{
	assert_ptr_equal(arg, &started);
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	return refuse_to_start ? NULL : loop;
}

static void thread_stop(void *user)
{
	assert_ptr_equal(http_loop_user(user), user);
	__atomic_add_fetch(&stopped, 1, __ATOMIC_SEQ_CST);
}

static const struct http_callbacks callbacks = {
	.admit = admit,
	.handle = handle,
	.thread_start = thread_start,
	.thread_stop = thread_stop,
	.arg = &started,
};

static int create(void **state)
{
	const struct http_options options = {.listen = "127.0.0.1:0", .threads = 3};

	(void)state;
	started = stopped = 0;
	refuse_to_start = false;
	return http_server_create(&options, &callbacks, &server) == RC_OK ? 0 : -1;
}

static int destroy(void **state)
{
	(void)state;
	http_server_destroy(server);
	return 0;
}

static void test_destroyed_before_it_ran(void **state)
{
	struct http_stats stats;

	(void)state;
	assert_in_range(http_server_port(server), 1, 65535);
	http_server_stats(server, &stats);
	assert_int_equal(stats.open, 0);
	assert_int_equal(stats.accepted, 0);
	http_server_destroy(NULL);
}

static void test_stopped_before_it_ran(void **state)
{
	(void)state;
	http_server_stop(server);
	assert_int_equal(http_server_run(server), RC_OK);
	assert_int_equal(started, 3);
	assert_int_equal(stopped, 3);
	http_server_stop(server);
}

static void test_stopped_and_destroyed(void **state)
{
	(void)state;
	http_server_stop(server);
}

static void test_a_thread_that_cannot_start(void **state)
{
	(void)state;
	refuse_to_start = true;
	assert_int_equal(http_server_run(server), RC_INTERNAL);
	assert_int_equal(stopped, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_destroyed_before_it_ran, create, destroy),
		cmocka_unit_test_setup_teardown(test_stopped_before_it_ran, create, destroy),
		cmocka_unit_test_setup_teardown(test_stopped_and_destroyed, create, destroy),
		cmocka_unit_test_setup_teardown(test_a_thread_that_cannot_start, create, destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
