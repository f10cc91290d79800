/* See password.h. */
#include "user/password.h"

#include "base/fiber.h"
#include "trace/span.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define PASSES	     2
#define MEMORY_BYTES ((size_t)19 * 1024 * 1024)

/* Base64 of as many zero bytes as anybody wants. */
static const char zeros[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/* What a fiber waits for; it lies on that fiber's stack. */
struct password_job {
	struct password_job *next;
	struct fiber *fiber;
	const char *password;
	const char *stored; /* NULL: make a hash; else compare with this one */
	char made[crypto_pwhash_STRBYTES];
	bool good, rehash;
	int why; /* errno of what went wrong */
};

struct password_pool {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct password_job *oldest, **end;
	size_t waiting, waiting_max;
	bool closing;
	/* What a password is compared with where there is none: well formed, with today's parameters. */
	char nobody[crypto_pwhash_STRBYTES];
	size_t threads;
	pthread_t workers[];
};

/* --- Workers ---------------------------------------------------------------- */

/* The next in the queue; NULL when the pool closes. */
static struct password_job *take(struct password_pool *pool)
{
	struct password_job *job;

	pthread_mutex_lock(&pool->lock);
	while (pool->oldest == NULL && !pool->closing)
		pthread_cond_wait(&pool->changed, &pool->lock);
	job = pool->oldest;
	if (job != NULL) {
		pool->oldest = job->next;
		if (pool->oldest == NULL)
			pool->end = &pool->oldest;
		pool->waiting--;
	}
	pthread_mutex_unlock(&pool->lock);
	return job;
}

static void make(struct password_job *job)
{
	job->good = crypto_pwhash_str_alg(job->made, job->password, strlen(job->password), PASSES,
					  MEMORY_BYTES, crypto_pwhash_ALG_ARGON2ID13) == 0;
}

static void compare(struct password_job *job)
{
	errno = 0;
	job->good = crypto_pwhash_str_verify(job->stored, job->password, strlen(job->password)) == 0;
	job->why = errno;
	job->rehash = job->good && crypto_pwhash_str_needs_rehash(job->stored, PASSES, MEMORY_BYTES) != 0;
}

static void *work(void *arg)
{
	struct password_job *job;

	while ((job = take(arg)) != NULL) {
		if (job->stored == NULL)
			make(job);
		else
			compare(job);
		fiber_wake(job->fiber); /* from here on it may be gone */
	}
	return NULL;
}

/* --- The pool --------------------------------------------------------------- */

/* In libsodium's text form, of a salt and a result that are all zero: no password leads there. */
static void make_nobody(char ret[crypto_pwhash_STRBYTES])
{
	snprintf(ret, crypto_pwhash_STRBYTES, "$argon2id$v=19$m=%zu,t=%d,p=1$%.22s$%.43s",
		 MEMORY_BYTES / 1024, PASSES, zeros, zeros);
}

struct password_pool *password_pool_create(int threads)
{
	struct password_pool *pool = NULL;

	if (sodium_init() >= 0)
		pool = calloc(1, sizeof(*pool) + (size_t)threads * sizeof(pool->workers[0]));
	if (pool == NULL) {
		fprintf(stderr, "marca: no memory for the threads that hash passwords\n");
		return NULL;
	}
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->changed, NULL);
	pool->end = &pool->oldest;
	pool->waiting_max = PASSWORD_QUEUE_MAX * (size_t)threads;
	make_nobody(pool->nobody);
	for (; pool->threads < (size_t)threads; pool->threads++) {
		if (pthread_create(&pool->workers[pool->threads], NULL, work, pool) != 0) {
			fprintf(stderr,
				"marca: cannot start %d threads that hash passwords; lower "
				"PASSWORD_THREADS\n",
				threads);
			password_pool_destroy(pool);
			return NULL;
		}
	}
	return pool;
}

void password_pool_destroy(struct password_pool *pool)
{
	if (pool == NULL)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->closing = true;
	pthread_cond_broadcast(&pool->changed);
	pthread_mutex_unlock(&pool->lock);
	for (size_t i = 0; i < pool->threads; i++)
		pthread_join(pool->workers[i], NULL);
	pthread_cond_destroy(&pool->changed);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

static bool enqueue(struct password_pool *pool, struct password_job *job)
{
	bool room;

	pthread_mutex_lock(&pool->lock);
	room = pool->waiting < pool->waiting_max;
	if (room) {
		*pool->end = job;
		pool->end = &job->next;
		pool->waiting++;
		pthread_cond_signal(&pool->changed);
	}
	pthread_mutex_unlock(&pool->lock);
	return room;
}

/* Waits its turn, and until it is done. */
static enum rc do_job(struct password_pool *pool, struct password_job *job)
{
	struct span *span = span_begin(ctx_current(), SPAN_INTERNAL, "argon2id");
	bool queued;

	job->fiber = fiber_self();
	queued = enqueue(pool, job);
	if (queued)
		fiber_wait();
	span_end(span, queued ? NULL : "overloaded");
	return queued ? RC_OK : RC_OVERLOADED;
}

enum rc password_hash(struct password_pool *pool, struct arena *arena, const char *password, const char **ret)
{
	struct password_job job = {.password = password};
	const char *kept = NULL;
	enum rc rc = do_job(pool, &job);

	if (rc == RC_OK && job.good)
		kept = arena_text(arena, str_from(job.made));
	sodium_memzero(job.made, sizeof(job.made));
	if (rc != RC_OK)
		return rc;
	if (kept == NULL)
		return RC_NO_MEMORY;
	*ret = kept;
	return RC_OK;
}

enum rc password_verify(struct password_pool *pool, const char *password, const char *hash, bool *ret_matches,
			bool *ret_rehash)
{
	struct password_job job = {.password = password, .stored = hash != NULL ? hash : pool->nobody};
	enum rc rc = do_job(pool, &job);

	if (rc != RC_OK)
		return rc;
	if (!job.good && job.why == ENOMEM) /* it is not known whether it would have matched */
		return RC_NO_MEMORY;
	*ret_matches = hash != NULL && job.good;
	*ret_rehash = *ret_matches && job.rehash;
	return RC_OK;
}
