/*
 * For tests: a thread with fibers and no loop. Start some with harness_go(), then
 * harness_wait() opens the mailbox until all have ended.
 */
#ifndef BASE_FIBER_HARNESS_H
#define BASE_FIBER_HARNESS_H

#include "base/fiber.h"

#include <pthread.h>

struct harness {
	struct mailbox mailbox;
	struct fiber_pool *pool;
	pthread_mutex_t lock;
	pthread_cond_t told;
	bool rung;
	size_t running;
};

/* One fiber's work, and that it has ended. */
struct errand {
	struct harness *harness;
	void (*fn)(void *arg);
	void *arg;
};

static inline void harness_notify(struct mailbox *mailbox)
{
	struct harness *harness = CONTAINER_OF(mailbox, struct harness, mailbox);

	pthread_mutex_lock(&harness->lock);
	harness->rung = true;
	pthread_cond_signal(&harness->told);
	pthread_mutex_unlock(&harness->lock);
}

static inline void harness_init(struct harness *harness)
{
	*harness = (struct harness){.rung = false};
	mailbox_init(&harness->mailbox, harness_notify);
	pthread_mutex_init(&harness->lock, NULL);
	pthread_cond_init(&harness->told, NULL);
	harness->pool = fiber_pool_create(&harness->mailbox);
}

static inline void harness_finish(struct harness *harness)
{
	fiber_pool_destroy(harness->pool);
	pthread_cond_destroy(&harness->told);
	pthread_mutex_destroy(&harness->lock);
}

static inline void harness_errand(void *arg)
{
	struct errand *errand = arg;

	errand->fn(errand->arg);
	errand->harness->running--;
}

/* `errand` lives until the fiber has ended. */
static inline enum rc harness_go(struct harness *harness, struct errand *errand, void (*fn)(void *arg),
				 void *arg)
{
	*errand = (struct errand){harness, fn, arg};
	harness->running++;
	return fiber_run(harness->pool, harness_errand, errand);
}

static inline void harness_wait(struct harness *harness)
{
	while (harness->running > 0) {
		pthread_mutex_lock(&harness->lock);
		while (!harness->rung)
			pthread_cond_wait(&harness->told, &harness->lock);
		harness->rung = false;
		pthread_mutex_unlock(&harness->lock);
		mailbox_open(&harness->mailbox);
	}
}

#endif
