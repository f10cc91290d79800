/*
 * The keys of the process: those that sign tokens, and those that seal what must be read back. Files of the
 * folder MARCA_KEYS, mode 0600, one a key (key.h); several processes share one folder. The newest signs, and
 * all of them verify until they are removed. SECRET_KEY besides, for HS512 (token.h).
 *
 * An object a thread: it has no lock.
 */
#ifndef AUTH_KEYS_H
#define AUTH_KEYS_H

#include "base/arena.h"
#include "base/config.h"
#include "base/errors.h"
#include "base/world.h"
#include "json/shape.h"

struct keys;

/* clang-format off */
#define JWK(F, T)                                                                                       \
	F(T, TEXT, kty, REQUIRED, "`OKP`: RFC 8037.", .example = "\"OKP\"")                              \
	F(T, TEXT, crv, REQUIRED, "`Ed25519`.", .example = "\"Ed25519\"")                                \
	F(T, TEXT, use, REQUIRED, "`sig`: it signs.", .example = "\"sig\"")                              \
	F(T, TEXT, alg, REQUIRED, "`EdDSA`, and no other for this key.", .example = "\"EdDSA\"")         \
	F(T, TEXT, kid, REQUIRED, "Its thumbprint (RFC 7638), as in the tokens' headers.")              \
	F(T, TEXT, x,   REQUIRED, "The public key, base64url.")
SHAPE_DECLARE(jwk, JWK);

#define JWK_SET(F, T) F(T, LIST(jwk), keys, REQUIRED, "The newest, which signs, first.")
SHAPE_DECLARE(jwk_set, JWK_SET);
/* clang-format on */

enum keys_mode {
	KEYS_MAKE,  /* makes the folder, and a first key of each kind, where there is none */
	KEYS_FOUND, /* for commands: what is not there is an error */
};

/* Opens the folder. NULL, with the reason and its mend on standard error, when a key cannot be had, or when
 * SECRET_KEY is too short. `config` and `world` must outlive it. */
struct keys *keys_create(const struct config *config, const struct world *world,
			 enum keys_mode mode) MUST_USE;
void keys_destroy(struct keys *keys);

/*
 * Looks whether files came or went since. One fstat() when none did: call it before each token_verify() and
 * token_sign(), so that a key that another process made is known when its first token comes. What it had
 * stays when the folder cannot be read. True: something changed, and what was kept of verified tokens must
 * go.
 */
bool keys_refresh(struct keys *keys);

/* The public halves, newest first. RC_NO_MEMORY. */
enum rc keys_jwks(const struct keys *keys, struct arena *arena, struct jwk_set *ret) MUST_USE;

/* Seals a secret for the store (XChaCha20-Poly1305, base64url), bound to `place`, which must be given again
 * to open it: "identity_provider:<id>". RC_INTERNAL: it was not sealed by these keys, or not for that place.
 * What was opened is ended by NUL; wipe it, or let its arena go soon.
 */
enum rc keys_seal(const struct keys *keys, struct arena *arena, const char *place, struct str secret,
		  const char **ret) MUST_USE;
enum rc keys_open(const struct keys *keys, struct arena *arena, const char *place, const char *sealed,
		  const char **ret) MUST_USE;

#endif
