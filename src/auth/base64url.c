/*
 * See base64url.h. libsodium is as strict as that, but for bytes from 0x80 on: 1.0.18 takes them for signed
 * numbers, and 0x80 for '_'.
 */
#include "auth/base64url.h"

#include <sodium.h>

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

void base64url_write(char *to, const void *bytes, size_t size)
{
	sodium_bin2base64(to, BASE64URL_LEN(size) + 1, bytes, size, VARIANT);
}

char *base64url_text(struct arena *arena, const void *bytes, size_t size)
{
	char *text = arena_alloc(arena, BASE64URL_LEN(size) + 1);

	if (text != NULL)
		base64url_write(text, bytes, size);
	return text;
}

static bool is_ascii(struct str text)
{
	unsigned char all = 0;

	for (size_t i = 0; i < text.len; i++)
		all |= (unsigned char)text.p[i];
	return all < 0x80;
}

bool base64url_bytes(struct str text, void *to, size_t max, size_t *ret_size)
{
	size_t size;

	if (text.len == 0 || !is_ascii(text) ||
	    sodium_base642bin(to, max, text.p, text.len, NULL, &size, NULL, VARIANT) != 0)
		return false;
	*ret_size = size;
	return true;
}

bool base64url_exact(struct str text, void *to, size_t size)
{
	size_t got;

	return text.len == BASE64URL_LEN(size) && base64url_bytes(text, to, size, &got) && got == size;
}
