/*
 * One key and its file. The file's name says what is public of it, <seconds since 1970, 12
 * digits>-<kid>.<kind>, so that `ls` shows the newest last; the file holds the 32 secret bytes as base64url
 * and nothing else. The kid is derived from the key: a file that was mixed up or cut off is seen.
 */
#ifndef AUTH_KEY_H
#define AUTH_KEY_H

#include "base/base.h"
#include "base/world.h"

#include <sodium.h>

enum key_kind {
	KEY_SIGN, /* Ed25519 */
	KEY_SEAL, /* XChaCha20-Poly1305 */
	KEY_KINDS
};

#define KEY_KID_LEN  43
#define KEY_NAME_MAX 80

struct key {
	enum key_kind kind;
	int64_t created; /* seconds since 1970; the greatest is the newest */
	/* SIGN: the JWK thumbprint (RFC 7638). SEAL: BLAKE2b-256 of the key. */
	char kid[KEY_KID_LEN + 1];
	unsigned char public_key[crypto_sign_PUBLICKEYBYTES]; /* SIGN */
	union {
		unsigned char sign[crypto_sign_SECRETKEYBYTES];
		unsigned char seal[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
	} secret;
};

struct key_name {
	char text[KEY_NAME_MAX];
};

#define KEY_SEED_BYTES 32
_Static_assert(crypto_sign_SEEDBYTES == KEY_SEED_BYTES, "Ed25519");
_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == KEY_SEED_BYTES, "XChaCha20");

/* The key of those secret bytes. */
void key_from_seed(enum key_kind kind, int64_t created, const unsigned char seed[KEY_SEED_BYTES],
		   struct key *ret);

void key_make(enum key_kind kind, int64_t created, const struct world *world, struct key *ret);

/* Newest first. */
int key_compare(const struct key *a, const struct key *b);

struct key_name key_name(const struct key *key);
/* Is a file of that name a key's, and of which kind? */
bool key_is_named(const char *name, enum key_kind *ret_kind);

/* NULL: *ret is that file's key. Else what is wrong, to come after the file's name. */
const char *key_read(int folder, const char *name, struct key *ret) MUST_USE;

/* Whole and durable, or not at all (errno tells). Where root does it, the folder's owner owns it. */
bool key_write(int folder, const struct key *key) MUST_USE;

#endif
