/* See signature.h. */
#include "neighbour/signature.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#define MAC_BYTES 32

struct signature_key signature_key(const char *secret)
{
	static const char purpose[] = "marca: calls between services, 1";
	struct signature_key key;

	crypto_generichash(key.bytes, sizeof(key.bytes), (const unsigned char *)purpose, sizeof(purpose) - 1,
			   (const unsigned char *)secret, strnlen(secret, crypto_generichash_KEYBYTES_MAX));
	return key;
}

static void add(crypto_generichash_state *state, struct str text)
{
	crypto_generichash_update(state, (const unsigned char *)text.p, text.len);
}

/* Seconds and path hold no line's end, so no two calls make the same text. */
static void mac_of(unsigned char ret[MAC_BYTES], const struct signature_key *key, struct str seconds,
		   struct str path, struct str body)
{
	crypto_generichash_state state;

	crypto_generichash_init(&state, key->bytes, sizeof(key->bytes), MAC_BYTES);
	add(&state, seconds);
	add(&state, STR("\n"));
	add(&state, path);
	add(&state, STR("\n"));
	add(&state, body);
	crypto_generichash_final(&state, ret, MAC_BYTES);
}

void signature_make(char ret[SIGNATURE_MAX], const struct signature_key *key, utime now, struct str path,
		    struct str body)
{
	unsigned char mac[MAC_BYTES];
	int len = snprintf(ret, SIGNATURE_MAX, "%" PRId64, now / UTIME_SECOND);

	mac_of(mac, key, (struct str){ret, (size_t)len}, path, body);
	ret[len] = ' ';
	sodium_bin2hex(ret + len + 1, MAC_BYTES * 2 + 1, mac, sizeof(mac));
}

bool signature_good(const struct signature_key *key, utime now, struct str path, struct str body,
		    struct str header)
{
	unsigned char sent[MAC_BYTES], mac[MAC_BYTES];
	struct str seconds = str_cut(&header, ' ');
	char text[24], *end;
	size_t len;
	utime at;

	if (seconds.len == 0 || seconds.len > 18 || header.len != (size_t)MAC_BYTES * 2)
		return false;
	memcpy(text, seconds.p, seconds.len);
	text[seconds.len] = '\0';
	at = strtoll(text, &end, 10);
	if (*end != '\0' || at < 0 || at > INT64_MAX / UTIME_SECOND)
		return false;
	at *= UTIME_SECOND;
	if (at < now - SIGNATURE_SKEW || at > now + SIGNATURE_SKEW)
		return false;
	if (sodium_hex2bin(sent, sizeof(sent), header.p, header.len, NULL, &len, NULL) != 0 ||
	    len != sizeof(sent))
		return false;
	mac_of(mac, key, seconds, path, body);
	return sodium_memcmp(mac, sent, sizeof(mac)) == 0;
}
