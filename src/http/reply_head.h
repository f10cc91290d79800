/* The head of a reply as text. RFC 9110 sections 6.6.1 (Date) and 8.6 (Content-Length), RFC 9112 section 4.
 */
#ifndef HTTP_REPLY_HEAD_H
#define HTTP_REPLY_HEAD_H

#include "base/utime.h"
#include "http/server.h"

#define HTTP_DATE_LEN 29

/* "Sun, 06 Nov 1994 08:49:37 GMT", written once a second. Zeroed is ready. */
struct http_date {
	int64_t second;
	char text[HTTP_DATE_LEN + 1];
};

void http_date_set(struct http_date *date, utime now);

enum reply_connection {
	REPLY_KEEPS,
	REPLY_KEEPS_10,
	REPLY_CLOSES
}; /* the middle one says so to an HTTP/1.0 client */

/* False for 204 and 304, which have no body whatever the reply holds. */
bool reply_has_body(const struct http_reply *reply);

/* {NULL, 0} when memory is short. */
struct str reply_head(struct arena *arena, const struct http_reply *reply, const struct http_date *date,
		      enum reply_connection connection) MUST_USE;

#endif
