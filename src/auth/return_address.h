/*
 * Where a browser may be sent when a login by a provider is done: to pages of the tenant, or of whoever may
 * call across origins. Anything else would make of marca an open redirector, and would give a login away.
 */
#ifndef AUTH_RETURN_ADDRESS_H
#define AUTH_RETURN_ADDRESS_H

#include "base/base.h"

#define RETURN_ADDRESS_MAX 500

struct return_address {
	struct str origin; /* "https://app.example.com:8443" */
	struct str host;   /* "app.example.com" */
	bool secure;	   /* https */
	bool plain_port;   /* no port is named */
};

/*
 * http or https, a host in lower case, and then nothing that any two readers of URLs could read differently:
 * no user, no backslash, no blank, no fragment, no bytes but visible ASCII. False: it is not of that form.
 */
bool return_address_parse(const char *url, struct return_address *ret) MUST_USE;

#endif
