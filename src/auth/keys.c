/* See keys.h. One piece of memory that is never written to disk or to a core, and takes no more at a refresh.
 */
#include "auth/keyring.h"

#include "auth/base64url.h"
#include "base/log.h"

#include <stdio.h>
#include <sys/stat.h>

/* Coarser than the time stamps of any file system that keys may lie on. */
#define SETTLE UTIME_SECOND

/* --- Reading the folder ------------------------------------------------------- */

static void tell_fault(const struct key_folder *folder, const char *name, const char *why, void *arg)
{
	bool *bad = arg;

	*bad = true;
	fprintf(stderr, "marca: the key %s/%s %s\n", folder->path, name, why);
}

static void log_fault(const struct key_folder *folder, const char *name, const char *why, void *arg)
{
	(void)folder;
	(void)arg;
	LOG(ERROR, "a key is left out", LOG_TEXT("file", name), LOG_TEXT("it", why));
}

static struct timespec folder_change(const struct keys *keys)
{
	struct stat stat;

	return fstat(keys->folder.fd, &stat) == 0 ? stat.st_mtim : (struct timespec){0};
}

static void note_read(struct keys *keys, struct timespec change)
{
	keys->settled = change.tv_sec == keys->change.tv_sec && change.tv_nsec == keys->change.tv_nsec;
	keys->change = change;
	keys->read_at = world_now(keys->world);
}

static bool sets_equal(const struct key_set *a, const struct key_set *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (key_compare(&a->keys[i], &b->keys[i]) != 0)
			return false;
	return true;
}

/* All of a kind gone is no way to run: a folder that is being restored, say. */
static bool take_sets(struct keys *keys, const struct key_set sets[KEY_KINDS])
{
	bool changed = false;

	for (int kind = 0; kind < KEY_KINDS; kind++) {
		if (sets[kind].count == 0 || sets_equal(&keys->sets[kind], &sets[kind]))
			continue;
		keys->sets[kind] = sets[kind];
		changed = true;
	}
	return changed;
}

bool keys_refresh(struct keys *keys)
{
	struct timespec change = folder_change(keys);
	struct key_set sets[KEY_KINDS];
	bool same = change.tv_sec == keys->change.tv_sec && change.tv_nsec == keys->change.tv_nsec;
	bool changed = false;

	/* Two changes in one tick of the file system's clock look like one: so each is read for twice. */
	if (same && (keys->settled || world_now(keys->world) - keys->read_at < SETTLE))
		return false;
	if (key_folder_read(&keys->folder, sets, log_fault, NULL))
		changed = take_sets(keys, sets);
	else
		LOG(ERROR, "the folder of keys cannot be read", LOG_TEXT("folder", keys->folder.path));
	sodium_memzero(sets, sizeof(sets));
	note_read(keys, change);
	if (changed)
		LOG(INFO, "the keys changed", LOG_TEXT("signs", keys_newest(keys, KEY_SIGN)->kid));
	return changed;
}

/* --- Start ---------------------------------------------------------------------- */

static bool fill(struct keys *keys, enum keys_mode mode)
{
	bool bad = false;

	if (!key_folder_read(&keys->folder, keys->sets, tell_fault, &bad)) {
		fprintf(stderr, "marca: the keys in %s cannot be read, or are more than %d of a kind\n",
			keys->folder.path, KEY_FOLDER_MAX);
		return false;
	}
	for (int kind = 0; kind < KEY_KINDS && !bad; kind++) {
		struct key_set *set = &keys->sets[kind];

		if (set->count > 0)
			continue;
		if (mode == KEYS_FOUND) {
			fprintf(stderr, "marca: %s holds no key; the first `marca serve` makes it\n",
				keys->folder.path);
			return false;
		}
		if (!key_folder_add(&keys->folder, (enum key_kind)kind, set, keys->world, &set->keys[0]))
			return false;
		set->count = 1;
	}
	return !bad;
}

/* Of several processes that start at once one makes the first keys. Where all is there, nothing needs to be
 * written: the folder may be read-only. */
static bool open_folder(struct keys *keys, const struct config *config, enum keys_mode mode)
{
	struct timespec change;
	bool good;

	if (!key_folder_open(config, mode == KEYS_MAKE, &keys->folder))
		return false;
	if (!key_folder_lock(&keys->folder)) {
		fprintf(stderr, "marca: the folder of keys %s cannot be locked\n", keys->folder.path);
		return false;
	}
	change = folder_change(keys);
	good = fill(keys, mode);
	key_folder_unlock(&keys->folder);
	note_read(keys, change);
	return good;
}

static bool take_secret_key(struct keys *keys, const char *secret)
{
	if (secret == NULL)
		return true;
	if (strlen(secret) < SECRET_KEY_MIN) {
		fprintf(stderr,
			"marca: SECRET_KEY has %zu bytes, and HS512 needs %d at least: "
			"`openssl rand -base64 64 | tr -d '\\n'` makes one; or unset it\n",
			strlen(secret), SECRET_KEY_MIN);
		return false;
	}
	crypto_auth_hmacsha512_init(&keys->hmac, (const unsigned char *)secret, strlen(secret));
	keys->has_hmac = true;
	return true;
}

struct keys *keys_create(const struct config *config, const struct world *world, enum keys_mode mode)
{
	struct keys *keys = sodium_malloc(sizeof(*keys));

	if (keys == NULL) {
		fprintf(stderr, "marca: no memory for the keys\n");
		return NULL;
	}
	*keys = (struct keys){.folder.fd = -1, .world = world, .issuer = config->public_url};
	if (take_secret_key(keys, config->secret_key) && open_folder(keys, config, mode))
		return keys;
	keys_destroy(keys);
	return NULL;
}

void keys_destroy(struct keys *keys)
{
	if (keys == NULL)
		return;
	key_folder_close(&keys->folder);
	sodium_free(keys); /* wipes it */
}

/* --- What is asked of them ------------------------------------------------------- */

const struct key *keys_by_kid(const struct keys *keys, enum key_kind kind, struct str kid)
{
	const struct key_set *set = &keys->sets[kind];

	for (size_t i = 0; i < set->count; i++)
		if (str_equal(str_from(set->keys[i].kid), kid))
			return &set->keys[i];
	return NULL;
}

SHAPE_DEFINE(jwk, JWK);
SHAPE_DEFINE(jwk_set, JWK_SET);

enum rc keys_jwks(const struct keys *keys, struct arena *arena, struct jwk_set *ret)
{
	const struct key_set *set = &keys->sets[KEY_SIGN];
	struct jwk *jwks = arena_array(arena, set->count, sizeof(jwks[0]));

	if (jwks == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < set->count; i++) {
		const struct key *key = &set->keys[i];

		jwks[i] = (struct jwk){
			.kty = "OKP",
			.crv = "Ed25519",
			.use = "sig",
			.alg = "EdDSA",
			.kid = arena_text(arena, str_from(key->kid)),
			.x = base64url_text(arena, key->public_key, sizeof(key->public_key)),
		};
		if (jwks[i].kid == NULL || jwks[i].x == NULL)
			return RC_NO_MEMORY;
	}
	ret->keys = (struct list){jwks, set->count};
	return RC_OK;
}
