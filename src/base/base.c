/* The few functions of base.h that are too long to be inline. */
#include "base/base.h"

struct str str_cut(struct str *rest, char end)
{
	const char *at = rest->len > 0 ? memchr(rest->p, end, rest->len) : NULL;
	struct str part = {rest->p, at != NULL ? (size_t)(at - rest->p) : rest->len};
	size_t taken = part.len + (at != NULL);

	if (taken > 0)
		rest->p += taken;
	rest->len -= taken;
	return part;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct str str_trim(struct str text)
{
	for (; text.len > 0 && is_blank(text.p[0]); text.p++)
		text.len--;
	while (text.len > 0 && is_blank(text.p[text.len - 1]))
		text.len--;
	return text;
}

static unsigned char lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

bool str_equal_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower((unsigned char)a.p[i]) != lower((unsigned char)b.p[i]))
			return false;
	return true;
}

int names_find(const struct names *names, struct str word)
{
	for (int i = 0; i < names->count; i++)
		if (str_equal(str_from(names->text[i]), word))
			return i;
	return -1;
}

int hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)(digit | 0x20);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

void hex_text(char *to, const unsigned char *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 15];
	}
}
