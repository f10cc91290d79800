/*
 * The head of a request, checked byte by byte before llhttp sees it: llhttp 8.1 lets through what
 * another server on the way may read differently (folded lines, repeated lengths, odd codings), and
 * such differences are how requests are smuggled. RFC 9112 sections 2.2, 3, 5 and 6.
 *
 * Knows no sockets and no memory: the caller holds the bytes.
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "base/errors.h"

struct head_limits {
	size_t bytes;	/* of the whole head */
	size_t headers; /* how many */
	size_t target;	/* bytes of it */
};

/* What has been found so far. Zeroed is ready for the first byte. Positions count from the first byte given.
 */
struct head {
	size_t at;	   /* bytes checked */
	size_t line;	   /* where the unfinished line begins */
	size_t start;	   /* of the request line: one empty line may come before it */
	size_t method_len; /* 0 until the request line was found good */
	size_t target_at, target_len;
	size_t headers;
	uint64_t content_length;
	unsigned hosts, lengths, encodings;
	bool http_11; /* else HTTP/1.0 */
	bool chunked;
	bool chunked_last; /* codings we do not know, and then chunked */
	bool done;	   /* the empty line has come; the head ends at `at` */
};

/*
 * Goes on from head->at through bytes[0..len), which must begin with all that was given before.
 * RC_OK and !done: more bytes are needed. MALFORMED, BAD_VERSION, URI_TOO_LONG, HEAD_TOO_LARGE,
 * BODY_TOO_LARGE (a length beyond 64 bits), NOT_IMPLEMENTED (a coding besides chunked).
 */
enum rc head_scan(struct head *head, const struct head_limits *limits, const char *bytes,
		  size_t len) MUST_USE;

#endif
