/* The few functions of base.h that are too long to be inline. */
#include "base/base.h"

#include <endian.h>

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

bool bytes_equal_nocase(const char *a, const char *b, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (a[i] != b[i] && lower((unsigned char)a[i]) != lower((unsigned char)b[i]))
			return false;
	return true;
}

/* Sixteen bytes at once: a token is some hundred bytes, of which each is looked at. */
typedef uint8_t block __attribute__((vector_size(16)));

/* Where the first control character of that block is; 16: there is none. */
static size_t control_in(const char *bytes)
{
	uint64_t halves[2];
	block found;

	memcpy(&found, bytes, sizeof(found));
	found = (block)((found < 0x20) | (found == 0x7f));
	memcpy(halves, &found, sizeof(found));
	if (halves[0] != 0)
		return (size_t)__builtin_ctzll(le64toh(halves[0])) / 8;
	return halves[1] != 0 ? 8 + (size_t)__builtin_ctzll(le64toh(halves[1])) / 8 : sizeof(block);
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

size_t str_printable(struct str text)
{
	size_t at = 0, found;

	for (; at + sizeof(block) <= text.len; at += sizeof(block)) {
		found = control_in(text.p + at);
		if (found < sizeof(block))
			return at + found;
	}
	/* The last block reaches back into the one before. */
	if (at > 0)
		return text.len - sizeof(block) + control_in(text.p + text.len - sizeof(block));
	while (at < text.len && !is_control(text.p[at]))
		at++;
	return at;
}

int names_find(const struct names *names, struct str word)
{
	for (int i = 0; i < names->count; i++)
		if (str_equal(str_from(names->text[i]), word))
			return i;
	return -1;
}

/* clang-format off */
const signed char hex_values[256] = {
	[0 ... 255] = -1,
	['0'] = 0, ['1'] = 1, ['2'] = 2, ['3'] = 3, ['4'] = 4, ['5'] = 5, ['6'] = 6, ['7'] = 7, ['8'] = 8, ['9'] = 9,
	['A'] = 10, ['B'] = 11, ['C'] = 12, ['D'] = 13, ['E'] = 14, ['F'] = 15,
	['a'] = 10, ['b'] = 11, ['c'] = 12, ['d'] = 13, ['e'] = 14, ['f'] = 15,
};
/* clang-format on */

/* "000102...feff": both digits of a byte at once. */
/* clang-format off */
#define ROW(h) h "0" h "1" h "2" h "3" h "4" h "5" h "6" h "7" h "8" h "9" h "a" h "b" h "c" h "d" h "e" h "f"
/* clang-format on */
const char hex_pairs[512 + 1] = ROW("0") ROW("1") ROW("2") ROW("3") ROW("4") ROW("5") ROW("6") ROW("7")
	ROW("8") ROW("9") ROW("a") ROW("b") ROW("c") ROW("d") ROW("e") ROW("f");
