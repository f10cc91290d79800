/*
 * Where Redis is, and how to get in:
 *
 *   redis://[user:password@]host[:port][/db]                        one Redis
 *   redis+sentinel://[user:password@]host[:port],.../master[/db]    the one that its sentinels name
 *   redis+cluster://[user:password@]host[:port],...                 the one of a cluster that has our slot
 *
 * and rediss://, rediss+sentinel://, rediss+cluster:// for TLS, to sentinels too. The password is Redis's;
 * sentinels are asked without one.
 */
#ifndef EVENTS_REDIS_URL_H
#define EVENTS_REDIS_URL_H

#include "base/arena.h"

#define REDIS_HOST_MAX	253
#define REDIS_HOSTS_MAX 16

/* Who is at the addresses of the URL. */
enum redis_kind { REDIS_ONE, REDIS_SENTINELS, REDIS_CLUSTER, REDIS_KIND_COUNT };

struct redis_host {
	const char *name; /* or an address, without brackets */
	bool is_name;	  /* no address */
	int port;
};

struct redis_url {
	enum redis_kind kind;
	bool tls;
	struct redis_host hosts[REDIS_HOSTS_MAX];
	size_t host_count;
	const char *user, *password; /* NULL: none. A password alone is the default user's. */
	const char *master;	     /* what the sentinels call it */
	int db;
};

/* Its texts lie in the arena. False with the reason, which says nothing of what the URL holds: there may be a
 * password in any part of a mistyped one. */
bool redis_url_parse(struct arena *arena, struct str text, struct redis_url *ret,
		     const char **ret_why) MUST_USE;

/* A host by that name or address, which must stand as long. */
struct redis_host redis_host_of(const char *name, int port);

/* All keys of ours begin with it: in a cluster they must lie in one slot, which what stands in braces
 * chooses. */
const char *redis_key_prefix(const struct redis_url *url);

#endif
