/* Where a request comes from: this machine itself, or anywhere. */
#ifndef HTTP_CALLER_H
#define HTTP_CALLER_H

#include "http/server.h"

/*
 * Sent from this machine, by no proxy that is not trusted (TRUSTED_PROXIES), and not by way of its browser
 * from some page on the web: such a page's Origin tells on it, and so does the name in Host where that page's
 * own name was made to lead here (DNS rebinding).
 */
bool caller_is_here(const struct http_exchange *exchange);

#endif
