/*
 * HTTP to the servers of others: identity providers, receivers of webhooks. A fiber asks and waits; one
 * thread carries all calls of the process, so that a server that does not answer holds up nobody but who
 * asked it.
 *
 * Addresses come from tenants, and none is trusted (OWASP API7:2023, server-side request forgery): HTTPS with
 * its certificate checked, no redirects, no proxy, nothing but HTTP/1.1, bounded in time and size. Whether an
 * address may be asked is decided for the one that is connected to, after its name was resolved: a name that
 * leads elsewhere the second time (DNS rebinding) changes nothing. In development private addresses may be
 * asked too, and plain HTTP on this machine.
 *
 * A client of the operator's own addresses (services of this marca, a collector of traces) asks whatever it
 * is told to: private ones, in plain HTTP, and by HTTP/2 where that is spoken over TLS.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/arena.h"
#include "http/server.h"

enum http_outcome {
	HTTP_ANSWERED,	  /* whatever the status */
	HTTP_REFUSED,	  /* not asked: no such URL, or an address that may not be asked */
	HTTP_UNREACHABLE, /* no such name, no connection, no valid certificate, no HTTP */
	HTTP_LATE,	  /* nothing whole came in time */
	HTTP_TOO_LARGE,
	HTTP_BUSY, /* not asked: HTTP_CALLS_MAX are under way */
	HTTP_NO_MEMORY,
	HTTP_OUTCOME_COUNT
};

/* For the log. */
extern const char *const http_outcome_text[HTTP_OUTCOME_COUNT];

#define HTTP_CALLS_MAX 256

struct http_client; /* one a process; safe from any thread */

struct http_client_options {
	bool development;    /* see above */
	bool trusted;	     /* all addresses are the operator's own */
	const char *ca_file; /* certificates to trust; NULL: the system's */
};

/* NULL when memory is short. The thread starts with the first call. */
struct http_client *http_client_create(const struct http_client_options *options) MUST_USE;
/* No fiber may be waiting. NULL is fine. */
void http_client_destroy(struct http_client *client);

#define HTTP_CALL_HEADERS_MAX 8

/* Zero takes the figure named beside it. */
struct http_call {
	enum http_method method; /* GET, POST, PUT, PATCH, DELETE */
	const char *url;
	const char *headers[HTTP_CALL_HEADERS_MAX]; /* "Accept: application/json"; ended by NULL */
	struct str body;
	int timeout_ms;	   /* 5000, for all of it */
	size_t answer_max; /* 256 KiB of body */
};

struct http_answer {
	int status;
	struct str type; /* Content-Type, as sent; absent: {NULL, 0} */
	struct str body;
};

/* On a fiber: waits. *ret is set, in the arena, when HTTP_ANSWERED. */
enum http_outcome http_client_call(struct http_client *client, struct arena *arena,
				   const struct http_call *call, struct http_answer *ret) MUST_USE;

/* May that URL be asked, as far as its text tells? No name is looked up. */
bool http_client_takes(const struct http_client *client, const char *url);

#endif
