/*
 * Passwords are kept as argon2id hashes (RFC 9106) in libsodium's text form: 2 passes over 19 MiB, which
 * OWASP's cheat sheet names as a minimum. One takes some 20 ms and all of that memory, and so is made by a
 * few threads of the process while fibers wait in a queue that has an end: a flood of logins costs so much
 * and no more, and whoever comes while it is full is told to come again.
 */
#ifndef USER_PASSWORD_H
#define USER_PASSWORD_H

#include "base/arena.h"
#include "base/errors.h"

/* Waiting for each thread: less than a second of work. */
#define PASSWORD_QUEUE_MAX 32

/* One a process, for all its threads. */
struct password_pool;

/* With so many threads. NULL, having said why on standard error. */
struct password_pool *password_pool_create(int threads) MUST_USE;
/* No fiber may be waiting. NULL is fine. */
void password_pool_destroy(struct password_pool *pool);

/* On a fiber: waits. RC_OVERLOADED when the queue is full; RC_NO_MEMORY. */
enum rc password_hash(struct password_pool *pool, struct arena *arena, const char *password,
		      const char **ret) MUST_USE;

/*
 * On a fiber: waits. A hash of NULL (nobody is called so, or he has no password) takes as long as any other
 * and matches nothing. *ret_rehash: it matches, and was made by other parameters than today's. RC_OVERLOADED,
 * as above; RC_NO_MEMORY.
 */
enum rc password_verify(struct password_pool *pool, const char *password, const char *hash, bool *ret_matches,
			bool *ret_rehash) MUST_USE;

#endif
