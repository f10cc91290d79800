/* Two tables over one real Redis: what one lets through the other learns of, and neither needs Redis. */
#include "events/rate_share.h"
#include "events/redis_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define SECOND	   1000000000LL
#define PATIENCE   30 /* seconds, for a busy machine */
#define BURST	   5
#define OWN_SHARES 2

static struct redis_fixture redis;
static struct world world;

/* What two processes have, on one thread of tasks. */
struct pair {
	struct tasks *tasks;
	struct rate_table *tables[OWN_SHARES];
	struct rate_share *shares[OWN_SHARES];
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
}

static void pair_begin(struct pair *pair)
{
	const struct tasks_options options = {.world = &world};
	char url[64];

	snprintf(url, sizeof(url), "redis://127.0.0.1:%d", redis.port);
	assert_int_equal(tasks_create(&options, &pair->tasks), RC_OK);
	for (int i = 0; i < OWN_SHARES; i++) {
		pair->tables[i] = rate_table_create(&world, 1024);
		const struct rate_share_options share = {pair->tables[i], pair->tasks, url, NULL};

		assert_int_equal(rate_share_create(&share, &pair->shares[i]), RC_OK);
	}
	assert_int_equal(tasks_start(pair->tasks), RC_OK);
}

static void pair_end(struct pair *pair)
{
	tasks_stop(pair->tasks);
	for (int i = 0; i < OWN_SHARES; i++) {
		rate_share_destroy(pair->shares[i]);
		rate_table_destroy(pair->tables[i]);
	}
	tasks_destroy(pair->tasks);
}

/* So slow that no time passes in it, as far as the test goes. */
static struct gcra_limit slow(void)
{
	return gcra_limit(BURST, 3600 * SECOND);
}

static bool take(struct rate_table *table, char id)
{
	const struct gcra_limit limit = slow();
	struct rate_key key = {.kind = 't', .id = {(unsigned char)id}};

	return rate_take(table, &key, &limit, now_ns()).allowed;
}

/* So many ever pass, of any number of tries within the test's time. */
static int passed(struct rate_table *table, char id, int most)
{
	int64_t until = now_ns() + PATIENCE * SECOND;
	int count = 0;

	for (; now_ns() < until && count <= most; nap()) {
		bool ok = take(table, id);

		count += ok;
		if (!ok)
			break;
	}
	return count;
}

/* Would one more pass? Costs a nanosecond of the limit, which is told like any use: so the table learns. */
static bool would_pass(struct rate_table *table, char id)
{
	const struct gcra_limit limit = slow(), look = {1, limit.depth - limit.step};
	struct rate_key key = {.kind = 't', .id = {(unsigned char)id}};

	return rate_take(table, &key, &look, now_ns()).allowed;
}

static void until_refused(struct rate_table *table, char id)
{
	for (int i = 0; i < PATIENCE * 100 && would_pass(table, id); i++)
		nap();
	assert_false(take(table, id));
}

/* After one round of telling at least. */
static void until_told(struct rate_share *share)
{
	for (int i = 0; i < PATIENCE * 100 && !rate_share_works(share); i++)
		nap();
	assert_true(rate_share_works(share));
}

static int empty(void **state)
{
	(void)state;
	if (redis.pid == 0)
		redis_fixture_start(&redis);
	free(REDIS_CLI(&redis, "FLUSHALL"));
	return 0;
}

static void one_learns_of_the_other(void **state)
{
	(void)state;
	struct pair pair;

	pair_begin(&pair);
	for (int i = 0; i < BURST; i++)
		assert_true(take(pair.tables[0], 'a'));
	until_told(pair.shares[0]);
	/* The first that the second lets through tells it; alone it would let five through. */
	assert_true(take(pair.tables[1], 'a'));
	until_refused(pair.tables[1], 'a');
	/* Another key is another limit. */
	assert_int_equal(passed(pair.tables[1], 'b', BURST), BURST);
	pair_end(&pair);
}

/* Redis has a key whose name begins so. */
static bool has(const char *name)
{
	char *said = REDIS_CLI(&redis, "KEYS", "*");
	bool found = strstr(said, name) != NULL;

	free(said);
	return found;
}

static void keys_end_by_themselves(void **state)
{
	(void)state;
	const struct gcra_limit quick = gcra_limit(10, SECOND / 10);
	struct rate_key key = {.kind = 'a', .id = {127, 0, 0, 1}};
	struct pair pair;

	pair_begin(&pair);
	assert_true(rate_take(pair.tables[0], &key, &quick, now_ns()).allowed);
	assert_true(take(pair.tables[0], 'a'));
	until_told(pair.shares[0]);
	for (int i = 0; i < PATIENCE * 100 &&
			(!has("marca:rate:t:61000000000000000000000000000000") || has("marca:rate:a:"));
	     i++)
		nap();
	assert_true(has("marca:rate:t:61000000000000000000000000000000"));
	assert_false(has("marca:rate:a:"));
	pair_end(&pair);
}

static void goes_on_without_redis(void **state)
{
	(void)state;
	struct pair pair;
	int64_t began;

	pair_begin(&pair);
	assert_true(take(pair.tables[0], 'a'));
	until_told(pair.shares[0]);
	redis_fixture_stop(&redis, false);
	began = now_ns();
	assert_int_equal(passed(pair.tables[0], 'b', BURST), BURST);
	assert_int_equal(passed(pair.tables[1], 'b', BURST), BURST);
	/* No take waited for it. */
	assert_true(now_ns() - began < 5 * SECOND);
	for (int i = 0; i < PATIENCE * 100 && rate_share_works(pair.shares[0]); i++) {
		(void)take(pair.tables[0], (char)('c' + i % 20));
		nap();
	}
	assert_false(rate_share_works(pair.shares[0]));
	/* And it is there again. */
	redis_fixture_start(&redis);
	for (int i = 0; i < PATIENCE * 100 && !rate_share_works(pair.shares[0]); i++) {
		struct rate_key key = {.kind = 'p', .id = {(unsigned char)i, (unsigned char)(i >> 8)}};
		const struct gcra_limit limit = slow();

		(void)rate_take(pair.tables[0], &key, &limit, now_ns());
		nap();
	}
	assert_true(rate_share_works(pair.shares[0]));
	pair_end(&pair);
}

/* What stands in Redis may be anything. */
static void nonsense_is_survived(void **state)
{
	(void)state;
	struct pair pair;

	pair_begin(&pair);
	free(REDIS_CLI(&redis, "SET", "marca:rate:t:61000000000000000000000000000000", "no number"));
	free(REDIS_CLI(&redis, "SET", "marca:rate:t:62000000000000000000000000000000", "9e99"));
	assert_true(take(pair.tables[0], 'a'));
	until_told(pair.shares[0]);
	assert_int_equal(passed(pair.tables[0], 'a', BURST), BURST - 1);
	/* Far in the future: held back, but for two bursts only. */
	assert_true(take(pair.tables[0], 'b'));
	until_refused(pair.tables[0], 'b');
	/* A key of another type fails the script, which is told and survived. */
	free(REDIS_CLI(&redis, "LPUSH", "marca:rate:t:63000000000000000000000000000000", "x"));
	assert_true(take(pair.tables[0], 'c'));
	for (int i = 0; i < PATIENCE * 100 && rate_share_works(pair.shares[0]); i++)
		nap();
	assert_false(rate_share_works(pair.shares[0]));
	pair_end(&pair);
}

static int group_begin(void **state)
{
	(void)state;
	world_init(&world, UTIME_NONE);
	return redis_fixture_init(&redis) ? 0 : -1;
}

static int group_end(void **state)
{
	(void)state;
	redis_fixture_finish(&redis);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_learns_of_the_other, empty),
		cmocka_unit_test_setup(keys_end_by_themselves, empty),
		cmocka_unit_test_setup(goes_on_without_redis, empty),
		cmocka_unit_test_setup(nonsense_is_survived, empty),
	};
	return cmocka_run_group_tests(tests, group_begin, group_end);
}
