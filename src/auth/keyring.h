/* What struct keys is, for what works with the keys themselves: keys.c, seal.c, token.c. */
#ifndef AUTH_KEYRING_H
#define AUTH_KEYRING_H

#include "auth/key_folder.h"
#include "auth/keys.h"

#include <time.h>

#define SECRET_KEY_MIN 64 /* bytes: as many as SHA-512 gives (RFC 7518, section 3.2) */

struct keys {
	struct key_folder folder;
	const struct world *world;
	const char *issuer;	/* PUBLIC_URL */
	struct timespec change; /* the folder's, when it was read last */
	bool settled;		/* read again after that change was old enough not to hide a second one */
	utime read_at;
	struct key_set sets[KEY_KINDS];
	bool has_hmac;
	crypto_auth_hmacsha512_state hmac; /* SECRET_KEY is in it */
};

static inline const struct key *keys_newest(const struct keys *keys, enum key_kind kind)
{
	return &keys->sets[kind].keys[0];
}

/* NULL: there is none of that id. */
const struct key *keys_by_kid(const struct keys *keys, enum key_kind kind, struct str kid);

#endif
