/* Hashing on the pool: what matches, what is to be made anew, what nobody's password costs, and a full queue.
 */
#include "user/password.h"

#include "base/fiber_harness.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
/* cmocka wants those before it. */
#include <cmocka.h>

#define RIGHT "correct horse battery"
#define WRONG "correct horse batteries"

struct fixture {
	struct harness harness;
	struct password_pool *pool;
};

/* One call, on a fiber of its own. */
struct call {
	struct fixture *fixture;
	struct errand errand;
	struct arena arena;
	const char *password, *hash; /* `stored` to compare with */
	bool verify, matches, rehash;
	enum rc rc;
};

static void run(void *arg)
{
	struct call *call = arg;
	struct password_pool *pool = call->fixture->pool;

	call->rc = call->verify
			   ? password_verify(pool, call->password, call->hash, &call->matches, &call->rehash)
			   : password_hash(pool, &call->arena, call->password, &call->hash);
}

static void start(struct fixture *fixture, struct call *call)
{
	call->fixture = fixture;
	arena_init(&call->arena, NULL);
	assert_int_equal(harness_go(&fixture->harness, &call->errand, run, call), RC_OK);
}

static struct call verify(struct fixture *fixture, const char *password, const char *hash)
{
	struct call call = {.password = password, .hash = hash, .verify = true};

	start(fixture, &call);
	harness_wait(&fixture->harness);
	arena_finish(&call.arena);
	assert_int_equal(call.rc, RC_OK);
	return call;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	harness_init(&fixture->harness);
	fixture->pool = password_pool_create(1);
	assert_non_null(fixture->pool);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	password_pool_destroy(fixture->pool);
	harness_finish(&fixture->harness);
	free(fixture);
	return 0;
}

static void test_hash_and_verify(void **state)
{
	struct call made = {.password = RIGHT}, right, wrong, nobody;

	start(*state, &made);
	harness_wait(&((struct fixture *)*state)->harness);
	assert_int_equal(made.rc, RC_OK);
	assert_int_equal(strncmp(made.hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31), 0);
	right = verify(*state, RIGHT, made.hash);
	assert_true(right.matches);
	assert_false(right.rehash);
	wrong = verify(*state, WRONG, made.hash);
	assert_false(wrong.matches || wrong.rehash);
	nobody = verify(*state, RIGHT, NULL);
	assert_false(nobody.matches || nobody.rehash);
	arena_finish(&made.arena);
}

static void test_other_parameters_ask_for_a_new_hash(void **state)
{
	char old[crypto_pwhash_STRBYTES];
	struct call right, wrong;

	assert_int_equal(crypto_pwhash_str_alg(old, RIGHT, strlen(RIGHT), 1, 8 * 1024 * 1024,
					       crypto_pwhash_ALG_ARGON2ID13),
			 0);
	right = verify(*state, RIGHT, old);
	assert_true(right.matches && right.rehash);
	wrong = verify(*state, WRONG, old);
	assert_false(wrong.matches || wrong.rehash);
}

static void test_what_is_no_hash_matches_nothing(void **state)
{
	static const char *const texts[] = {"", "x", "$argon2id$v=19$m=19456,t=2,p=1$$", RIGHT};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_false(verify(*state, RIGHT, texts[i]).matches);
}

static double cpu_of(struct fixture *fixture, const char *hash)
{
	struct timespec before, after;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	(void)verify(fixture, WRONG, hash);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	return (double)(after.tv_sec - before.tv_sec) * 1e9 + (double)(after.tv_nsec - before.tv_nsec);
}

static int by_size(const void *a, const void *b)
{
	double difference = *(const double *)a - *(const double *)b;

	return difference < 0 ? -1 : difference > 0;
}

/* Medians of turns taken by both, so that whatever else the machine does touches them alike. */
static void test_nobody_costs_as_much_as_somebody(void **state)
{
	enum { TURNS = 15 };
	double nobody[TURNS], somebody[TURNS], ratio;
	struct call made = {.password = RIGHT};

	start(*state, &made);
	harness_wait(&((struct fixture *)*state)->harness);
	for (size_t i = 0; i < TURNS; i++) {
		nobody[i] = cpu_of(*state, NULL);
		somebody[i] = cpu_of(*state, made.hash);
	}
	arena_finish(&made.arena);
	qsort(nobody, TURNS, sizeof(nobody[0]), by_size);
	qsort(somebody, TURNS, sizeof(somebody[0]), by_size);
	ratio = nobody[TURNS / 2] / somebody[TURNS / 2];
	if (ratio < 0.7 || ratio > 1.4)
		fail_msg("nobody's password costs %.2f of somebody's", ratio);
}

static void test_full_queue(void **state)
{
	enum { CALLS = PASSWORD_QUEUE_MAX + 10 };
	struct call *calls = calloc(CALLS, sizeof(*calls));
	size_t made = 0;

	assert_non_null(calls);
	for (size_t i = 0; i < CALLS; i++) {
		calls[i].password = RIGHT;
		start(*state, &calls[i]);
	}
	harness_wait(&((struct fixture *)*state)->harness);
	for (size_t i = 0; i < CALLS; i++) {
		made += calls[i].rc == RC_OK;
		assert_true(calls[i].rc == RC_OK || calls[i].rc == RC_OVERLOADED);
		arena_finish(&calls[i].arena);
	}
	/* Those that waited, and those few that were made while the others came. */
	assert_in_range(made, PASSWORD_QUEUE_MAX, PASSWORD_QUEUE_MAX + 5);
	free(calls);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_hash_and_verify, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_other_parameters_ask_for_a_new_hash, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_what_is_no_hash_matches_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nobody_costs_as_much_as_somebody, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_full_queue, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("user_password", tests, NULL, NULL);
}
