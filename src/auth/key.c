/* See key.h. */
#include "auth/key.h"

#include "auth/base64url.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECONDS_LEN 12
#define SEED_LEN    BASE64URL_LEN(KEY_SEED_BYTES)

static const char *const endings[KEY_KINDS] = {[KEY_SIGN] = ".ed25519", [KEY_SEAL] = ".xchacha20"};

/* --- The key ----------------------------------------------------------------- */

/* RFC 7638, section 3: SHA-256 over the required members, in order and without blanks. */
static void thumbprint(const unsigned char *public_key, char kid[KEY_KID_LEN + 1])
{
	char x[BASE64URL_LEN(crypto_sign_PUBLICKEYBYTES) + 1], jwk[96];
	unsigned char hash[crypto_hash_sha256_BYTES];
	int len;

	base64url_write(x, public_key, crypto_sign_PUBLICKEYBYTES);
	len = snprintf(jwk, sizeof(jwk), "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"%s\"}", x);
	crypto_hash_sha256(hash, (const unsigned char *)jwk, (unsigned long long)len);
	base64url_write(kid, hash, sizeof(hash));
}

/* 256 random bits have no dictionary: their hash may be seen. */
static void fingerprint(const unsigned char *seed, char kid[KEY_KID_LEN + 1])
{
	static const unsigned char personal[crypto_generichash_blake2b_PERSONALBYTES] = "marca-seal-kid";
	unsigned char hash[crypto_generichash_blake2b_BYTES];

	crypto_generichash_blake2b_salt_personal(hash, sizeof(hash), seed, KEY_SEED_BYTES, NULL, 0, NULL,
						 personal);
	base64url_write(kid, hash, sizeof(hash));
}

void key_from_seed(enum key_kind kind, int64_t created, const unsigned char seed[KEY_SEED_BYTES],
		   struct key *ret)
{
	*ret = (struct key){.kind = kind, .created = created};
	if (kind == KEY_SIGN) {
		crypto_sign_seed_keypair(ret->public_key, ret->secret.sign, seed);
		thumbprint(ret->public_key, ret->kid);
	} else {
		memcpy(ret->secret.seal, seed, KEY_SEED_BYTES);
		fingerprint(seed, ret->kid);
	}
}

void key_make(enum key_kind kind, int64_t created, const struct world *world, struct key *ret)
{
	unsigned char seed[KEY_SEED_BYTES];

	world->random(world, seed, sizeof(seed));
	key_from_seed(kind, created, seed, ret);
	sodium_memzero(seed, sizeof(seed));
}

int key_compare(const struct key *a, const struct key *b)
{
	if (a->created != b->created)
		return a->created > b->created ? -1 : 1;
	return strcmp(b->kid, a->kid);
}

/* --- Its file ------------------------------------------------------------------ */

struct key_name key_name(const struct key *key)
{
	struct key_name name;

	snprintf(name.text, sizeof(name.text), "%0*lld-%s%s", SECONDS_LEN, (long long)key->created, key->kid,
		 endings[key->kind]);
	return name;
}

/* The seconds before the first dash, -1 when there are none. */
static int64_t created_of(const char *name)
{
	int64_t seconds = 0;

	for (int i = 0; i < SECONDS_LEN; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -1;
		seconds = seconds * 10 + (name[i] - '0');
	}
	return name[SECONDS_LEN] == '-' ? seconds : -1;
}

bool key_is_named(const char *name, enum key_kind *ret_kind)
{
	if (created_of(name) < 0 || strlen(name) < SECONDS_LEN + 1 + KEY_KID_LEN)
		return false;
	for (int kind = 0; kind < KEY_KINDS; kind++) {
		if (strcmp(name + SECONDS_LEN + 1 + KEY_KID_LEN, endings[kind]) == 0) {
			*ret_kind = (enum key_kind)kind;
			return true;
		}
	}
	return false;
}

/* A key that others can read is no secret, one that others can write is not ours. */
static const char *file_fault(int file)
{
	struct stat stat;

	if (fstat(file, &stat) != 0)
		return "cannot be read";
	if (!S_ISREG(stat.st_mode))
		return "is no file";
	if ((stat.st_mode & 077) != 0)
		return "is open to others: look who had it, then chmod 600 (or rotate, and remove it)";
	if (stat.st_uid != geteuid() && stat.st_uid != 0 && geteuid() != 0)
		return "belongs to somebody else";
	return NULL;
}

static const char *seed_read(int file, unsigned char seed[KEY_SEED_BYTES])
{
	char text[SEED_LEN + 2];
	ssize_t len = read(file, text, sizeof(text));
	struct str digits = {text, SEED_LEN};
	bool good;

	good = (len == SEED_LEN || (len == SEED_LEN + 1 && text[SEED_LEN] == '\n')) &&
	       base64url_exact(digits, seed, KEY_SEED_BYTES);
	sodium_memzero(text, sizeof(text));
	return good ? NULL : "does not hold a key: 43 characters of base64url";
}

const char *key_read(int folder, const char *name, struct key *ret)
{
	int file = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	unsigned char seed[KEY_SEED_BYTES];
	enum key_kind kind;
	const char *fault;
	struct key key;

	if (file < 0)
		return errno == ENOENT ? "is gone" : "cannot be read by this user";
	if (!key_is_named(name, &kind))
		fault = "has no key's name";
	else if ((fault = file_fault(file)) == NULL)
		fault = seed_read(file, seed);
	close(file);
	if (fault != NULL)
		return fault;
	key_from_seed(kind, created_of(name), seed, &key);
	sodium_memzero(seed, sizeof(seed));
	if (strcmp(key_name(&key).text, name) != 0)
		fault = "holds another key than its name says";
	else
		*ret = key;
	sodium_memzero(&key, sizeof(key));
	return fault;
}

static bool give_to_owner(int folder, int file)
{
	struct stat owner;

	if (geteuid() != 0)
		return true;
	return fstat(folder, &owner) == 0 && fchown(file, owner.st_uid, owner.st_gid) == 0;
}

static bool seed_write(int folder, const char *name, const unsigned char *seed)
{
	int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char text[SEED_LEN + 1];
	bool good;

	if (file < 0)
		return false;
	base64url_write(text, seed, KEY_SEED_BYTES);
	text[SEED_LEN] = '\n';
	good = write(file, text, sizeof(text)) == (ssize_t)sizeof(text) && give_to_owner(folder, file) &&
	       fsync(file) == 0;
	sodium_memzero(text, sizeof(text));
	return close(file) == 0 && good;
}

bool key_write(int folder, const struct key *key)
{
	const unsigned char *seed = key->kind == KEY_SIGN ? key->secret.sign : key->secret.seal;
	struct key_name name = key_name(key);
	char draft[KEY_NAME_MAX + 8];

	/* libsodium keeps the seed in front of the public key. No key's name: whoever looks meanwhile passes
	 * it by. */
	snprintf(draft, sizeof(draft), ".%s.new", name.text);
	if (seed_write(folder, draft, seed) && renameat(folder, draft, folder, name.text) == 0)
		return fsync(folder) == 0;
	unlinkat(folder, draft, 0);
	return false;
}
