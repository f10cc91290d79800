/*
 * Secrets that marca must read back, such as the client secret of an identity provider: encrypted, so that
 * the store or its backup alone tells nothing. "<kid>.<base64url(nonce, ciphertext, tag)>"; the kid lets keys
 * rotate, and is authenticated with the place, so that a sealed text that was moved to another row does not
 * open.
 */
#include "auth/keyring.h"

#include "auth/base64url.h"

#include <stdio.h>

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG   crypto_aead_xchacha20poly1305_ietf_ABYTES

/* Authenticated, not kept: what it is, by which key, and where it stands. */
static char *binding(struct arena *arena, const struct key *key, const char *place)
{
	return arena_printf(arena, "marca-seal-1:%s:%s", key->kid, place);
}

enum rc keys_seal(const struct keys *keys, struct arena *arena, const char *place, struct str secret,
		  const char **ret)
{
	const struct key *key = keys_newest(keys, KEY_SEAL);
	unsigned char *box = arena_alloc(arena, NONCE + secret.len + TAG);
	char *bound = binding(arena, key, place), *text;

	if (box == NULL || bound == NULL)
		return RC_NO_MEMORY;
	keys->world->random(keys->world, box, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(box + NONCE, NULL, (const unsigned char *)secret.p,
						   secret.len, (const unsigned char *)bound, strlen(bound),
						   NULL, box, key->secret.seal);
	text = base64url_text(arena, box, NONCE + secret.len + TAG);
	if (text == NULL)
		return RC_NO_MEMORY;
	text = arena_printf(arena, "%s.%s", key->kid, text);
	if (text == NULL)
		return RC_NO_MEMORY;
	*ret = text;
	return RC_OK;
}

static enum rc open_box(const struct key *key, struct arena *arena, const char *place,
			const unsigned char *box, size_t size, const char **ret)
{
	char *bound = binding(arena, key, place), *plain = arena_alloc(arena, size - NONCE - TAG + 1);

	if (bound == NULL || plain == NULL)
		return RC_NO_MEMORY;
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)plain, NULL, NULL, box + NONCE,
						       size - NONCE, (const unsigned char *)bound,
						       strlen(bound), box, key->secret.seal) != 0)
		return RC_INTERNAL;
	*ret = plain; /* the arena's memory was zero: a NUL ends it */
	return RC_OK;
}

enum rc keys_open(const struct keys *keys, struct arena *arena, const char *place, const char *sealed,
		  const char **ret)
{
	struct str rest = str_from(sealed), kid = str_cut(&rest, '.');
	const struct key *key = keys_by_kid(keys, KEY_SEAL, kid);
	unsigned char *box = arena_alloc(arena, rest.len + 1);
	size_t size;

	if (box == NULL)
		return RC_NO_MEMORY;
	if (key == NULL || !base64url_bytes(rest, box, rest.len, &size) || size < NONCE + TAG)
		return RC_INTERNAL;
	return open_box(key, arena, place, box, size, ret);
}
