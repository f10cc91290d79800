/* Fibers: that they wait and go on, on their own thread, with their own stack, however many there are. */
#include "base/fiber.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define MANY 10000

/* The loop of a thread, as small as it can be: a pipe that is rung when the mailbox has something. */
struct loop {
	struct mailbox mailbox; /* first: bell() gets back from it */
	int ring[2];
};

static void bell(struct mailbox *mailbox)
{
	struct loop *loop = CONTAINER_OF(mailbox, struct loop, mailbox);

	assert_int_equal(write(loop->ring[1], "!", 1), 1);
}

static void loop_init(struct loop *loop)
{
	mailbox_init(&loop->mailbox, bell);
	assert_int_equal(pipe(loop->ring), 0);
}

static void loop_finish(struct loop *loop)
{
	close(loop->ring[0]);
	close(loop->ring[1]);
}

static void loop_once(struct loop *loop)
{
	char rung[16];

	assert_true(read(loop->ring[0], rung, sizeof(rung)) > 0);
	mailbox_open(&loop->mailbox);
}

/* --- One ---------------------------------------------------------------------- */

struct note {
	struct fiber *fiber;
	char text[16];
	int waits;
};

static void say(struct note *note, const char *word)
{
	memcpy(note->text + strlen(note->text), word, strlen(word) + 1);
}

static void writes_and_waits(void *arg)
{
	struct note *note = arg;

	note->fiber = fiber_self();
	say(note, "a");
	for (int i = 0; i < note->waits; i++) {
		fiber_wait();
		say(note, "b");
	}
	assert_ptr_equal(fiber_self(), note->fiber);
}

static void a_fiber_waits_until_it_is_woken(void **state)
{
	(void)state;
	struct note note = {.waits = 2};
	struct fiber_pool *pool;
	struct loop loop;

	loop_init(&loop);
	pool = fiber_pool_create(&loop.mailbox);
	assert_non_null(pool);
	assert_int_equal(fiber_run(pool, writes_and_waits, &note), RC_OK);
	assert_string_equal(note.text, "a");
	assert_null(fiber_self());
	for (int i = 0; i < 2; i++) {
		fiber_wake(note.fiber);
		assert_int_equal(strlen(note.text), i + 1); /* it goes on only when the mailbox is opened */
		loop_once(&loop);
		assert_null(fiber_self());
	}
	assert_string_equal(note.text, "abb");
	fiber_pool_destroy(pool);
	loop_finish(&loop);
}

static void one_that_never_waits_is_over_at_once(void **state)
{
	(void)state;
	struct note first = {0}, second = {0};
	struct fiber_pool *pool;
	struct loop loop;

	loop_init(&loop);
	pool = fiber_pool_create(&loop.mailbox);
	assert_int_equal(fiber_run(pool, writes_and_waits, &first), RC_OK);
	assert_int_equal(fiber_run(pool, writes_and_waits, &second), RC_OK);
	assert_string_equal(first.text, "a");
	assert_string_equal(second.text, "a");
	assert_ptr_equal(first.fiber, second.fiber); /* its stack was used again */
	fiber_pool_destroy(pool);
	fiber_pool_destroy(NULL);
	loop_finish(&loop);
}

/* --- Many, woken from another thread ------------------------------------------ */

struct crowd {
	struct fiber *_Atomic *waiting; /* by number; taken by the waker */
	pthread_t home;
	atomic_int ended;
	int rounds;
	int wrong;
};

struct member {
	struct crowd *crowd;
	int number;
};

/* Uses its stack, so that a mixed-up one shows. */
static void member_main(void *arg)
{
	const struct member *self = arg;
	struct crowd *crowd = self->crowd;
	volatile int words[256];

	for (int i = 0; i < 256; i++)
		words[i] = self->number + i;
	for (int round = 0; round < crowd->rounds; round++) {
		atomic_store(&crowd->waiting[self->number], fiber_self());
		fiber_wait();
		for (int i = 0; i < 256; i++)
			crowd->wrong += words[i] != self->number + i;
		crowd->wrong += !pthread_equal(crowd->home, pthread_self());
	}
	atomic_fetch_add(&crowd->ended, 1);
}

/* Wakes whoever waits, sometimes before it really does, until all have ended. */
static void *waker_main(void *arg)
{
	struct crowd *crowd = arg;

	while (atomic_load(&crowd->ended) < MANY) {
		for (int i = 0; i < MANY; i++) {
			struct fiber *fiber = atomic_exchange(&crowd->waiting[i], NULL);

			if (fiber != NULL)
				fiber_wake(fiber);
		}
		sched_yield();
	}
	return NULL;
}

static void ten_thousand_wait_and_are_woken(void **state)
{
	(void)state;
	struct crowd crowd = {.home = pthread_self(), .rounds = 3};
	struct member *members = calloc(MANY, sizeof(*members));
	struct fiber_pool *pool;
	struct loop loop;
	pthread_t waker;

	crowd.waiting = calloc(MANY, sizeof(*crowd.waiting));
	assert_true(members != NULL && crowd.waiting != NULL);
	loop_init(&loop);
	pool = fiber_pool_create(&loop.mailbox);
	for (int i = 0; i < MANY; i++) {
		members[i] = (struct member){.crowd = &crowd, .number = i};
		assert_int_equal(fiber_run(pool, member_main, &members[i]), RC_OK);
	}
	assert_int_equal(atomic_load(&crowd.ended), 0); /* all of them wait at once */
	assert_int_equal(pthread_create(&waker, NULL, waker_main, &crowd), 0);
	while (atomic_load(&crowd.ended) < MANY)
		loop_once(&loop);
	assert_int_equal(pthread_join(waker, NULL), 0);
	assert_int_equal(crowd.wrong, 0);
	fiber_pool_destroy(pool);
	loop_finish(&loop);
	free(crowd.waiting);
	free(members);
}

/* --- The mailbox alone -------------------------------------------------------- */

struct numbered {
	struct letter letter;
	int number;
	int *next;
};

static void in_order(struct letter *letter)
{
	struct numbered *mine = CONTAINER_OF(letter, struct numbered, letter);

	assert_int_equal(mine->number, *mine->next);
	(*mine->next)++;
}

static int rings;

static void count_ring(struct mailbox *mailbox)
{
	(void)mailbox;
	rings++;
}

static void letters_are_opened_in_order_and_rung_for_once(void **state)
{
	(void)state;
	struct numbered letters[100];
	struct mailbox mailbox;
	int next = 0;

	mailbox_init(&mailbox, count_ring);
	for (int i = 0; i < 100; i++) {
		letters[i] = (struct numbered){.letter.open = in_order, .number = i, .next = &next};
		mailbox_post(&mailbox, &letters[i].letter);
	}
	assert_int_equal(rings, 1);
	mailbox_open(&mailbox);
	assert_int_equal(next, 100);
	mailbox_open(&mailbox);
	assert_int_equal(next, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fiber_waits_until_it_is_woken),
		cmocka_unit_test(one_that_never_waits_is_over_at_once),
		cmocka_unit_test(ten_thousand_wait_and_are_woken),
		cmocka_unit_test(letters_are_opened_in_order_and_rung_for_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
