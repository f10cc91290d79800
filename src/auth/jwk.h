/*
 * Public keys of others as JSON Web Keys (RFC 7517, 7518, 8037), and signatures by them. What may be verified
 * is a key's own: its type names the one algorithm that it is taken for, so that no token chooses (RFC
 * 8725, 3.1).
 */
#ifndef AUTH_JWK_H
#define AUTH_JWK_H

#include "base/arena.h"

struct json_t;

/* "RS256" (RSA of 2048 to 8192 bits), "ES256" (P-256), "EdDSA" (Ed25519); NULL: not a key that we take to
 * verify signatures. */
const char *jwk_algorithm(const struct json_t *jwk);

/* Is that the signature of the text by the key? False also where there is no such key, or no memory. */
bool jwk_verify(const struct json_t *jwk, struct str text, struct str signature);

#endif
