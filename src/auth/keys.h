/*
 * The keys of the process: those that sign tokens, and the one that seals what must be read back. Files of
 * the folder MARCA_KEYS, mode 0600, one a key, named by its key id; several processes share one folder. The
 * newest signs, the older ones verify until they are removed. HS512 by SECRET_KEY besides, for existing
 * clients.
 */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include "base/arena.h"
#include "base/config.h"
#include "base/errors.h"
#include "base/world.h"

struct keys;

/* Opens the folder; makes it, and a first key, where there is none. NULL, with the reason and its mend on
 * standard error, when a key cannot be had. */
struct keys *keys_create(const struct config *config, const struct world *world) MUST_USE;
void keys_destroy(struct keys *keys);

/* Looks for files that came or went since; cheap, for now and then. What it had stays when the folder cannot
 * be read. */
void keys_refresh(struct keys *keys);

/* The public halves, as a JWK set (RFC 7517). */
enum rc keys_jwks(const struct keys *keys, struct arena *arena, struct str *ret) MUST_USE;

/* Seals a secret for the store (XChaCha20-Poly1305, base64url), bound to `place`, which must be given again
 * to open it: "identity_provider:<id>". RC_INTERNAL: it was not sealed by these keys, or not for that place.
 */
enum rc keys_seal(const struct keys *keys, struct arena *arena, const char *place, struct str secret,
		  const char **ret) MUST_USE;
enum rc keys_open(const struct keys *keys, struct arena *arena, const char *place, const char *sealed,
		  const char **ret) MUST_USE;

#endif
