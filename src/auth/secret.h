/*
 * Secrets that marca hands out and later only recognizes: refresh tokens, API keys, single-use links. The
 * text is <prefix>_<base64url(id, tenant's id, 32 random bytes)>: the ids find the row with tenant_id = $1,
 * the prefix tells people and secret scanners what they have found. The store keeps the hash alone; it needs
 * no salt and no slowness, since nobody guesses 256 random bits.
 */
#ifndef AUTH_SECRET_H
#define AUTH_SECRET_H

#include "base/arena.h"
#include "base/errors.h"
#include "base/uuid.h"

/* At most 8 letters each. A secret of one kind is never taken for one of another, in text or by its hash. */
#define SECRET_REFRESH "mr"
#define SECRET_API_KEY "mk"
#define SECRET_LINK    "ml"
#define SECRET_CODE    "mo" /* of a login by a provider, for its page */

#define SECRET_HASH_LEN 43 /* BLAKE2b-256 as base64url */

struct secret {
	struct uuid id, tenant_id;
	char hash[SECRET_HASH_LEN + 1];
};

/* A new secret: its text for the client, and what is kept of it. The text lies in the arena and should be
 * wiped or gone soon. RC_NO_MEMORY. */
enum rc secret_make(const struct world *world, struct arena *arena, const char *prefix, const struct uuid *id,
		    const struct uuid *tenant_id, const char **ret_text, struct secret *ret) MUST_USE;

/* What a client sent, taken apart. Says nothing of its being good: look the row up by the ids, then compare.
 * False: it has not that form. */
bool secret_parse(const char *prefix, struct str text, struct secret *ret) MUST_USE;

/* Is it the one whose hash was kept (NULL: none)? In constant time. */
bool secret_matches(const struct secret *secret, const char *hash) MUST_USE;

/* Does it begin as secrets of that kind do? To tell an API key from a token. */
bool secret_is(const char *prefix, struct str text);

#endif
