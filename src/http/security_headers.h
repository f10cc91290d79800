/*
 * What every reply tells a browser about itself: whole header lines, made once, so that a reply costs one
 * copy of them. A page may use what comes from here and nothing else, and nothing inline; what is no page may
 * do nothing at all, should a browser be made to show it.
 */
#ifndef HTTP_SECURITY_HEADERS_H
#define HTTP_SECURITY_HEADERS_H

#include "http/server.h"

/*
 * For a reply that is otherwise done. `https`: marca is reached by https (PUBLIC_URL), and shall be for a
 * year. What says nothing of caches itself is not to be stored: it holds data of persons.
 */
struct str security_headers(const struct http_reply *reply, bool https);

#endif
