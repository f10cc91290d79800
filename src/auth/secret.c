/* See secret.h. */
#include "auth/secret.h"

#include "auth/base64url.h"

#include <sodium.h>

#define RANDOM_BYTES 32

struct content {
	struct uuid id, tenant_id;
	unsigned char random[RANDOM_BYTES];
};
_Static_assert(sizeof(struct content) == 64, "no gaps");

#define CONTENT_LEN BASE64URL_LEN(sizeof(struct content))

/* Over all of it, with the prefix as BLAKE2b's personalization: ids that were swapped fit no hash. */
static void hash_content(const char *prefix, const struct content *content, struct secret *ret)
{
	unsigned char personal[crypto_generichash_blake2b_PERSONALBYTES] = "marca-";
	unsigned char hash[crypto_generichash_blake2b_BYTES];

	memcpy(personal + 6, prefix, strnlen(prefix, sizeof(personal) - 6));
	crypto_generichash_blake2b_salt_personal(hash, sizeof(hash), (const unsigned char *)content,
						 sizeof(*content), NULL, 0, NULL, personal);
	base64url_write(ret->hash, hash, sizeof(hash));
	ret->id = content->id;
	ret->tenant_id = content->tenant_id;
}

enum rc secret_make(const struct world *world, struct arena *arena, const char *prefix, const struct uuid *id,
		    const struct uuid *tenant_id, const char **ret_text, struct secret *ret)
{
	struct content content = {.id = *id, .tenant_id = *tenant_id};
	size_t at = strlen(prefix) + 1;
	char *text = arena_alloc(arena, at + CONTENT_LEN + 1);

	if (text == NULL)
		return RC_NO_MEMORY;
	world->random(world, content.random, sizeof(content.random));
	memcpy(text, prefix, at - 1);
	text[at - 1] = '_';
	base64url_write(text + at, &content, sizeof(content));
	hash_content(prefix, &content, ret);
	sodium_memzero(&content, sizeof(content));
	*ret_text = text;
	return RC_OK;
}

bool secret_is(const char *prefix, struct str text)
{
	size_t len = strlen(prefix);

	return text.len > len && memcmp(text.p, prefix, len) == 0 && text.p[len] == '_';
}

bool secret_parse(const char *prefix, struct str text, struct secret *ret)
{
	size_t at = strlen(prefix) + 1;
	struct content content;
	bool good;

	if (!secret_is(prefix, text))
		return false;
	good = base64url_exact((struct str){text.p + at, text.len - at}, &content, sizeof(content));
	if (good)
		hash_content(prefix, &content, ret);
	sodium_memzero(&content, sizeof(content));
	return good;
}

bool secret_matches(const struct secret *secret, const char *hash)
{
	return hash != NULL && strlen(hash) == SECRET_HASH_LEN &&
	       sodium_memcmp(secret->hash, hash, SECRET_HASH_LEN) == 0;
}
