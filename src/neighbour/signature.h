/*
 * Calls between the services of one marca, from process to process, are signed with the key that all of them
 * have (SERVICE_KEY): a header tells when, and a keyed hash (BLAKE2b, RFC 7693) over that, the path and the
 * body. Who cannot make it gets nothing; who overhears one can send that very call again for a minute, which
 * reads what he has overheard already. What he hears he reads: the network between them must be private, or
 * TLS.
 */
#ifndef NEIGHBOUR_SIGNATURE_H
#define NEIGHBOUR_SIGNATURE_H

#include "base/utime.h"

#define SIGNATURE_HEADER  "Marca-Service"
#define SIGNATURE_KEY_MIN 32 /* bytes of SERVICE_KEY */
/* How far the clocks of two machines may be apart. */
#define SIGNATURE_SKEW (60 * UTIME_SECOND)
#define SIGNATURE_MAX  96 /* with its NUL */

struct signature_key {
	unsigned char bytes[32];
};

struct signature_key signature_key(const char *secret);

/* The header's value. `path` without the part that leads to the service. */
void signature_make(char ret[SIGNATURE_MAX], const struct signature_key *key, utime now, struct str path,
		    struct str body);

bool signature_good(const struct signature_key *key, utime now, struct str path, struct str body,
		    struct str header) MUST_USE;

#endif
