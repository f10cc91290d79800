/*
 * Which addresses are the public Internet's: for calls to where a stranger says (server-side request
 * forgery). By the registries of special-purpose addresses,
 * https://www.iana.org/assignments/iana-ipv4-special-registry and .../iana-ipv6-special-registry (RFC 6890).
 */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include "base/base.h"

struct sockaddr;

/* False for whatever is private, shared, link-local, loopback, reserved, multicast, or of no known family. An
 * IPv4 address inside an IPv6 one (mapped, NAT64) is judged as IPv4. */
bool address_is_public(const struct sockaddr *address);

/* 127.0.0.0/8, also mapped, and ::1. */
bool address_is_loopback(const struct sockaddr *address);

#endif
