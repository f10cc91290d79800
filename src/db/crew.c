/*
 * Threads that take jobs, many at a time, from one bounded queue. Each has a hand: a connection
 * that can be lost and made ready again. While no hand is ready, a job is refused
 * at once: a fiber never waits for a store that is not there.
 */
#include "db/driver.h"
#include "db/fair_queue.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS	 10 /* with who is at work already */
#define IDLE_MS		 20 /* without a job */
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS	 3000

struct member {
	struct crew *crew;
	void *hand;
	pthread_t thread;
	bool up;
	bool worked; /* since it was told that nothing waits */
};

struct crew {
	const struct crew_work *work;
	size_t batch_max;
	pthread_mutex_t lock;
	pthread_cond_t filled;
	int bell; /* readable once the crew closes: ends a member's pause */
	struct fair_queue queue;
	size_t up;	/* members whose hand is ready */
	size_t busy;	/* of these, at work */
	size_t in_hand; /* jobs that they have */
	bool down;	/* none is, and the last try to change that failed */
	bool closing;
	size_t count;
	struct member members[];
};

void job_done(struct job *job, enum rc rc)
{
	job->rc = rc;
	fiber_wake(job->fiber);
}

/* --- The asking side ----------------------------------------------------- */

/*
 * While others are at work, only a batch that is worth it, or is as large as theirs: the rest they take when
 * they come back. So few clients do not wait for each other, and many share large batches.
 */
static bool has_work(const struct crew *crew)
{
	size_t count = crew->queue.count;

	return count > 0 && (crew->closing || count >= crew->work->enough || count >= crew->in_hand);
}

static enum rc enqueue(struct crew *crew, struct job *job, const struct uuid *tenant)
{
	if (crew->down)
		return RC_STORE_DOWN;
	if (!fair_queue_put(&crew->queue, job, tenant))
		return RC_OVERLOADED;
	if (crew->queue.count == 1 || has_work(crew))
		pthread_cond_signal(&crew->filled);
	return RC_OK;
}

static enum rc enqueue_and_wait(struct crew *crew, struct job *job, const struct uuid *tenant)
{
	enum rc rc;

	job->fiber = fiber_self();
	pthread_mutex_lock(&crew->lock);
	rc = enqueue(crew, job, tenant);
	pthread_mutex_unlock(&crew->lock);
	if (rc != RC_OK)
		return rc;
	fiber_wait();
	return job->rc;
}

enum rc crew_do(struct crew *crew, struct job *job, const struct uuid *tenant, struct arena *arena)
{
	struct arena_pool *pool;
	enum rc rc;

	if (arena == NULL)
		return enqueue_and_wait(crew, job, tenant);
	/* A pool belongs to one thread, and the arena is another's for a while. */
	pool = arena->pool;
	arena->pool = NULL;
	rc = enqueue_and_wait(crew, job, tenant);
	arena->pool = pool;
	return rc;
}

void crew_stats(struct crew *crew, struct db_crew *ret)
{
	pthread_mutex_lock(&crew->lock);
	*ret = (struct db_crew){.waiting = crew->queue.count,
				.hands = crew->count,
				.up = crew->up,
				.busy = crew->busy};
	pthread_mutex_unlock(&crew->lock);
}

/* --- The threads --------------------------------------------------------- */

/* All below up to work_on() hold the lock. */

static void refuse_all(struct crew *crew)
{
	struct job *job;

	crew->down = true;
	while (fair_queue_take(&crew->queue, &job, 1) == 1)
		job_done(job, RC_STORE_DOWN);
}

static void pause_for(const struct crew *crew, int ms)
{
	struct pollfd bell = {.fd = crew->bell, .events = POLLIN};

	(void)!poll(&bell, 1, ms);
}

/* Tries until the hand is ready; false when the crew closes first. */
static bool get_ready(struct member *member)
{
	struct crew *crew = member->crew;
	int backoff = BACKOFF_FIRST_MS;
	bool ready;

	for (;;) {
		pthread_mutex_unlock(&crew->lock);
		ready = crew->work->ready(member->hand);
		pthread_mutex_lock(&crew->lock);
		if (ready)
			break;
		if (crew->up == 0)
			refuse_all(crew);
		pthread_mutex_unlock(&crew->lock);
		pause_for(crew, backoff);
		pthread_mutex_lock(&crew->lock);
		if (crew->closing)
			return false;
		backoff = backoff * 2 < BACKOFF_MAX_MS ? backoff * 2 : BACKOFF_MAX_MS;
	}
	member->up = true;
	crew->up++;
	crew->down = false;
	return true;
}

/* So much longer; true when it was signalled before. */
static bool wait_for(struct crew *crew, int ms)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return pthread_cond_timedwait(&crew->filled, &crew->lock, &until) == 0;
}

/* Until something comes, or the crew closes. What would hold up a job is done when none has come for a while.
 */
static void await_any(struct member *member)
{
	struct crew *crew = member->crew;

	if (crew->work->idle == NULL || !member->worked || !member->up) {
		pthread_cond_wait(&crew->filled, &crew->lock);
		return;
	}
	if (wait_for(crew, IDLE_MS))
		return;
	member->worked = false;
	pthread_mutex_unlock(&crew->lock);
	crew->work->idle(member->hand);
	pthread_mutex_lock(&crew->lock);
}

/* Whoever is at work may be held up for long: then even the smallest batch is worth it. */
static void await_job(struct member *member)
{
	struct crew *crew = member->crew;

	while (!has_work(crew)) {
		if (crew->queue.count > 0 && !wait_for(crew, PATIENCE_MS))
			break;
		if (crew->queue.count == 0 && crew->closing)
			break;
		if (crew->queue.count == 0)
			await_any(member);
	}
}

static void run_batch(struct member *member)
{
	struct crew *crew = member->crew;
	struct job *jobs[GROUP_MAX];
	size_t count = fair_queue_take(&crew->queue, jobs, crew->batch_max);
	bool fine;

	if (count == 0)
		return;
	crew->busy++;
	crew->in_hand += count;
	member->worked = true;
	pthread_mutex_unlock(&crew->lock);
	fine = crew->work->run(member->hand, jobs, count);
	pthread_mutex_lock(&crew->lock);
	crew->busy--;
	crew->in_hand -= count;
	if (!fine) {
		member->up = false;
		crew->up--;
		pthread_cond_signal(&crew->filled); /* this one is away for a while */
	}
}

static void *work_on(void *arg)
{
	struct member *member = arg;
	struct crew *crew = member->crew;

	pthread_mutex_lock(&crew->lock);
	while (!crew->closing || crew->queue.count > 0) {
		if (!member->up && !get_ready(member))
			break;
		await_job(member);
		run_batch(member);
	}
	if (member->up)
		crew->up--;
	if (crew->up == 0)
		refuse_all(crew);
	pthread_mutex_unlock(&crew->lock);
	return NULL;
}

/* --- Life ---------------------------------------------------------------- */

struct crew *crew_create(const struct crew_work *work, void *const *hands, size_t count, size_t batch_max)
{
	pthread_condattr_t clock;
	struct crew *crew = calloc(1, sizeof(*crew) + count * sizeof(crew->members[0]));

	if (crew == NULL)
		return NULL;
	crew->work = work;
	crew->batch_max = batch_max;
	fair_queue_init(&crew->queue);
	crew->bell = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&crew->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&crew->filled, &clock);
	pthread_condattr_destroy(&clock);
	if (crew->bell < 0) {
		crew_destroy(crew);
		return NULL;
	}
	for (; crew->count < count; crew->count++) {
		struct member *member = &crew->members[crew->count];

		*member = (struct member){.crew = crew, .hand = hands[crew->count]};
		if (pthread_create(&member->thread, NULL, work_on, member) != 0) {
			crew_destroy(crew);
			return NULL;
		}
	}
	return crew;
}

void crew_destroy(struct crew *crew)
{
	if (crew == NULL)
		return;
	pthread_mutex_lock(&crew->lock);
	crew->closing = true;
	pthread_cond_broadcast(&crew->filled);
	pthread_mutex_unlock(&crew->lock);
	(void)!eventfd_write(crew->bell, 1);
	for (size_t i = 0; i < crew->count; i++)
		pthread_join(crew->members[i].thread, NULL);
	pthread_cond_destroy(&crew->filled);
	close(crew->bell);
	pthread_mutex_destroy(&crew->lock);
	free(crew);
}
