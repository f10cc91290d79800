/*
 * Cross-origin resource sharing: which other sites' pages may call, and what they may read of the replies
 * (https://fetch.spec.whatwg.org/#http-cors-protocol). Errors are readable as well. Origins are compared
 * whole: no wildcards within them, no suffixes, and `null` is nobody.
 */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "base/config.h"
#include "http/server.h"

#define CORS_ORIGINS_MAX 64

struct cors_origin {
	struct str name;  /* "https://app.example.com", as browsers write it */
	struct str lines; /* of replies to it */
};

struct cors {
	struct cors *older;
	struct arena arena; /* of its texts */
	bool on;
	bool any; /* every origin, without credentials */
	struct cors_origin origins[CORS_ORIGINS_MAX];
	size_t count;
	struct str any_lines;
	const char *headers, *max_age; /* of the answer to a preflight */
};

/*
 * From CORS_ORIGINS, CORS_ALLOW_CREDENTIALS, CORS_MAX_AGE and ENVIRONMENT; texts lie in the arena. Unset:
 * any origin in development, none elsewhere. False: *ret_bad of the list is no good, and *ret_why tells why,
 * as what the setting must be.
 */
bool cors_parse(const struct config *config, struct arena *arena, struct cors *ret, struct str *ret_bad,
		const char **ret_why) MUST_USE;

/* The same, on its own. False, told by complain(). */
bool cors_create(const struct config *config, struct cors **ret) MUST_USE;
/* And all that it took the place of. NULL is fine. */
void cors_destroy(struct cors *cors);

/* What counts now. Never changed: a reload puts another in its place, and the older ones stay for whoever
 * reads them, some kilobytes a reload. */
struct cors_now {
	_Atomic(struct cors *) cors;
};
/* On one thread at a time; others may be reading. */
void cors_apply(struct cors_now *now, struct cors *cors);
const struct cors *cors_of(const struct cors_now *now);

/* Header lines of the reply to that request. */
struct str cors_lines(const struct cors *cors, const struct http_exchange *exchange);

/* Does that request ask whether another one would be allowed, and may its origin? */
bool cors_is_preflight(const struct cors *cors, const struct http_exchange *exchange);

#endif
