/* See password.h. */
#include "user/password.h"

#include "base/fiber.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#define PASSES	     2
#define MEMORY_BYTES ((size_t)19 * 1024 * 1024)

/* A fiber that waits; it lies on that fiber's stack. */
struct waiter {
	struct waiter *next;
	struct fiber *fiber;
	const char *password;
	char hash[crypto_pwhash_STRBYTES];
	bool failed;
};

struct password_pool {
	pthread_t worker;
	bool started; /* the loop thread's own */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct waiter *oldest, **end;
	size_t waiting;
	bool closing;
};

/* The next in the queue; NULL when the pool closes. */
static struct waiter *take(struct password_pool *pool)
{
	struct waiter *waiter;

	pthread_mutex_lock(&pool->lock);
	while (pool->oldest == NULL && !pool->closing)
		pthread_cond_wait(&pool->changed, &pool->lock);
	waiter = pool->oldest;
	if (waiter != NULL) {
		pool->oldest = waiter->next;
		if (pool->oldest == NULL)
			pool->end = &pool->oldest;
		pool->waiting--;
	}
	pthread_mutex_unlock(&pool->lock);
	return waiter;
}

static void *work(void *arg)
{
	struct waiter *waiter;

	while ((waiter = take(arg)) != NULL) {
		waiter->failed =
			crypto_pwhash_str_alg(waiter->hash, waiter->password, strlen(waiter->password),
					      PASSES, MEMORY_BYTES, crypto_pwhash_ALG_ARGON2ID13) != 0;
		fiber_wake(waiter->fiber); /* from here on it may be gone */
	}
	return NULL;
}

struct password_pool *password_pool_create(void)
{
	struct password_pool *pool = sodium_init() >= 0 ? calloc(1, sizeof(*pool)) : NULL;

	if (pool == NULL)
		return NULL;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, NULL);
	pool->end = &pool->oldest;
	return pool;
}

void password_pool_destroy(struct password_pool *pool)
{
	if (pool == NULL)
		return;
	if (pool->started) {
		pthread_mutex_lock(&pool->lock);
		pool->closing = true;
		pthread_cond_signal(&pool->changed);
		pthread_mutex_unlock(&pool->lock);
		pthread_join(pool->worker, NULL);
	}
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static bool enqueue(struct password_pool *pool, struct waiter *waiter)
{
	bool room;

	pthread_mutex_lock(&pool->lock);
	room = pool->waiting < PASSWORD_QUEUE_MAX;
	if (room) {
		*pool->end = waiter;
		pool->end = &waiter->next;
		pool->waiting++;
		pthread_cond_signal(&pool->changed);
	}
	pthread_mutex_unlock(&pool->lock);
	return room;
}

enum rc password_hash(struct password_pool *pool, struct arena *arena, const char *password, const char **ret)
{
	struct waiter waiter = {.fiber = fiber_self(), .password = password};
	const char *kept;

	if (!pool->started)
		pool->started = pthread_create(&pool->worker, NULL, work, pool) == 0;
	if (!pool->started || !enqueue(pool, &waiter))
		return RC_OVERLOADED;
	fiber_wait();
	kept = waiter.failed ? NULL : arena_text(arena, str_from(waiter.hash));
	if (kept == NULL)
		return RC_NO_MEMORY;
	*ret = kept;
	return RC_OK;
}
