/*
 * Passwords are kept as argon2id hashes (RFC 9106) in libsodium's text form: 2 passes over 19 MiB, which
 * OWASP's cheat sheet names as a minimum. One takes some 20 ms, and so is made on a thread of its own while
 * the fiber waits.
 */
#ifndef USER_PASSWORD_H
#define USER_PASSWORD_H

#include "base/arena.h"
#include "base/errors.h"

#define PASSWORD_QUEUE_MAX 32

/* One a loop thread, and used by that thread alone. Its worker starts with the first password. */
struct password_pool;

struct password_pool *password_pool_create(void) MUST_USE;
/* No fiber may be waiting. NULL is fine. */
void password_pool_destroy(struct password_pool *pool);

/* On a fiber: waits. RC_OVERLOADED when PASSWORD_QUEUE_MAX others wait; RC_NO_MEMORY. */
enum rc password_hash(struct password_pool *pool, struct arena *arena, const char *password,
		      const char **ret) MUST_USE;

#endif
