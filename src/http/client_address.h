/*
 * Whose request it is, where proxies stand in between. X-Forwarded-For is believed only as far as it was
 * written by proxies that are named in TRUSTED_PROXIES; the first address, from the right, that is none of
 * theirs is the client's. What stands further left a client may have made up.
 */
#ifndef HTTP_CLIENT_ADDRESS_H
#define HTTP_CLIENT_ADDRESS_H

#include "http/server.h"

/* IPv6; an IPv4 address as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2). */
struct address {
	unsigned char b[16];
};

struct network {
	struct address address;
	int bits; /* of 128 */
};

#define PROXIES_MAX 16

struct proxies {
	struct network networks[PROXIES_MAX];
	size_t count;
};

bool address_parse(struct str text, struct address *ret) MUST_USE;
bool address_is_v4(const struct address *address);

/* "10.0.0.0/8, ::1"; absent: none. False: *ret_bad is no address or network, or there are too many. */
bool proxies_parse(struct str list, struct proxies *ret, struct str *ret_bad) MUST_USE;

/* Also makes exchange->peer that address, as text, and sets exchange->by_proxy where a trusted proxy has told
 * it. A peer that is none leaves all zero. */
struct address client_address(const struct proxies *proxies, struct http_exchange *exchange);

#endif
