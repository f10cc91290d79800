/* A turn of libuv's loop takes no more than its thread has said, and nobody is left out. */
#include "http/turn.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#define MANY (3 * TURN_FEW / 2)

static uv_loop_t loop;
static uv_poll_t polls[MANY];
static int bells[MANY], heard[MANY], calls;

static void on_bell(uv_poll_t *poll, int status, int events)
{
	(void)events;
	assert_int_equal(status, 0);
	heard[poll - polls]++; /* and goes on ringing, as a connection does that has its next request in */
	calls++;
}

static int setup(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	for (int i = 0; i < MANY; i++) {
		heard[i] = 0;
		bells[i] = eventfd(1, EFD_CLOEXEC);
		assert_true(bells[i] >= 0);
		assert_int_equal(uv_poll_init(&loop, &polls[i], bells[i]), 0);
		assert_int_equal(uv_poll_start(&polls[i], UV_READABLE, on_bell), 0);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	turn_limit(TURN_ALL);
	for (int i = 0; i < MANY; i++)
		uv_close((uv_handle_t *)&polls[i], NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	for (int i = 0; i < MANY; i++)
		close(bells[i]);
	return uv_loop_close(&loop);
}

static int taken_in_a_turn(void)
{
	calls = 0;
	uv_run(&loop, UV_RUN_NOWAIT);
	return calls;
}

static void test_all_at_once(void **state)
{
	(void)state;
	assert_int_equal(taken_in_a_turn(), MANY);
}

static void test_a_few_at_a_time_and_those_who_waited_first(void **state)
{
	(void)state;
	turn_limit(TURN_FEW);
	for (int turn = 0; turn < 3; turn++)
		assert_int_equal(taken_in_a_turn(), TURN_FEW);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(heard[i], 2); /* three turns are two rounds */
}

static void test_all_at_once_again(void **state)
{
	(void)state;
	turn_limit(TURN_FEW);
	assert_int_equal(taken_in_a_turn(), TURN_FEW);
	turn_limit(TURN_ALL);
	assert_int_equal(taken_in_a_turn(), MANY);
}

/* A byte of the call's arguments that is wrong, and the kernel refuses. */
static void test_signals_may_be_held_back(void **state)
{
	struct epoll_event found[MANY];
	sigset_t mask;

	(void)state;
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	assert_int_equal(uv_run(&loop, UV_RUN_NOWAIT), 1);
	assert_int_equal(epoll_pwait(uv_backend_fd(&loop), found, MANY, 0, &mask), MANY);
}

static void other_thread(void *arg)
{
	(void)arg;
	taken_in_a_turn();
}

static void test_of_this_thread_alone(void **state)
{
	uv_thread_t thread;

	(void)state;
	turn_limit(TURN_FEW);
	assert_int_equal(uv_thread_create(&thread, other_thread, NULL), 0);
	uv_thread_join(&thread);
	assert_int_equal(calls, MANY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_all_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_few_at_a_time_and_those_who_waited_first, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_all_at_once_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_signals_may_be_held_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_of_this_thread_alone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
