/* For tests: a Redis of one's own, on a free port of 127.0.0.1, with its files in a temporary folder. */
#ifndef EVENTS_REDIS_FIXTURE_H
#define EVENTS_REDIS_FIXTURE_H

#include "base/base.h"

#include <sys/types.h>

struct redis_fixture {
	char folder[64];
	int port;  /* 0: none was found yet */
	bool tls;  /* the port speaks TLS; certificates by redis_fixture_certificates() */
	pid_t pid; /* 0: it does not run */
};

/* False, loudly: this machine has no redis-server. */
bool redis_fixture_init(struct redis_fixture *fixture);
void redis_fixture_finish(struct redis_fixture *fixture);

/* Every time on the same port. Data survives from stop to start when it was stopped with `keep`. */
void redis_fixture_start(struct redis_fixture *fixture);
void redis_fixture_stop(struct redis_fixture *fixture, bool keep);

/* In the folder: ca.pem, redis.pem and redis.key for localhost and 127.0.0.1, and other.pem, another CA. */
void redis_fixture_certificates(struct redis_fixture *fixture);

/* As some other program: a command of words separated by blanks, and its answer as redis-cli prints it. In
 * memory of the caller's. */
char *redis_fixture_cli(const struct redis_fixture *fixture, const char *const *words);
#define REDIS_CLI(fixture, ...) redis_fixture_cli((fixture), (const char *const[]){__VA_ARGS__, NULL})

#endif
