/* Where Redis is, and how to get in: redis://[user:password@]host[:port][/db], rediss:// for TLS. */
#ifndef EVENTS_REDIS_URL_H
#define EVENTS_REDIS_URL_H

#include "base/arena.h"

struct redis_url {
	bool tls;
	const char *host;  /* a name or an address, without brackets */
	bool host_is_name; /* no address */
	int port;
	const char *user, *password; /* NULL: none. A password alone is the default user's. */
	int db;
};

/* Its texts lie in the arena. False with the reason, which says nothing of what the URL holds: there may be a
 * password in any part of a mistyped one. */
bool redis_url_parse(struct arena *arena, struct str text, struct redis_url *ret,
		     const char **ret_why) MUST_USE;

#endif
