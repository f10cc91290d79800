/* See canonical.h. Reads what a store gives, so it checks no more than it needs to stay within the text. */
#include "json/canonical.h"

#include <stdlib.h>

#define DEPTH_MAX    200
#define EXPONENT_MAX 400 /* of a double, and some */

struct reader {
	const char *p, *end;
	struct arena *arena;
	int depth;
};

struct name_value {
	struct str name; /* as a text, without its escapes */
	const char *value;
};

static bool value(struct reader *in, struct writer *out);

static void blanks(struct reader *in)
{
	while (in->p < in->end && memchr(" \t\r\n", *in->p, 4) != NULL)
		in->p++;
}

static bool take(struct reader *in, char c)
{
	blanks(in);
	if (in->p == in->end || *in->p != c)
		return false;
	in->p++;
	return true;
}

/* --- Texts ------------------------------------------------------------------- */

static bool hex4(struct reader *in, unsigned *ret)
{
	unsigned code = 0;

	if (in->end - in->p < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef";
		char c = *in->p++;
		const char *at = memchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c, 16);

		if (at == NULL)
			return false;
		code = code << 4 | (unsigned)(at - digits);
	}
	*ret = code;
	return true;
}

/* UTF-8; *to moves on. */
static void put_code(char **to, unsigned code)
{
	static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
	int bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	if (bytes == 1) {
		*(*to)++ = (char)code;
		return;
	}
	for (int i = bytes - 1; i > 0; i--, code >>= 6)
		(*to)[i] = (char)(0x80 | (code & 0x3f));
	(*to)[0] = (char)(marks[bytes] | code);
	*to += bytes;
}

/* Behind `\u`, whose second half follows where there is one. */
static bool escaped_code(struct reader *in, char **to)
{
	unsigned code, low;

	if (!hex4(in, &code))
		return false;
	if (code >= 0xd800 && code < 0xdc00) {
		if (in->end - in->p < 6 || in->p[0] != '\\' || in->p[1] != 'u')
			return false;
		in->p += 2;
		if (!hex4(in, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	put_code(to, code);
	return true;
}

static bool escaped(struct reader *in, char **to)
{
	static const char letters[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
	const char *at;
	char c = *in->p++;

	if (c == 'u')
		return escaped_code(in, to);
	at = memchr(letters, c, sizeof(letters) - 1);
	if (at == NULL)
		return false;
	*(*to)++ = bytes[at - letters];
	return true;
}

/* The opening quote was taken. No escape is shorter than what it stands for. */
static bool text(struct reader *in, struct str *ret)
{
	const char *quote = in->p;
	char *made, *to;

	while (quote < in->end && *quote != '"')
		quote += *quote == '\\' ? 2 : 1;
	if (quote >= in->end)
		return false;
	made = to = arena_alloc(in->arena, (size_t)(quote - in->p) + 1);
	if (made == NULL)
		return false;
	while (in->p < quote) {
		if (*in->p != '\\') {
			*to++ = *in->p++;
			continue;
		}
		in->p++;
		if (!escaped(in, &to))
			return false;
	}
	in->p = quote + 1;
	*ret = (struct str){made, (size_t)(to - made)};
	return true;
}

/* --- Numbers ------------------------------------------------------------------ */

static void zeros(struct writer *out, long count)
{
	for (; count > 0; count--)
		write_char(out, '0');
}

/* digits x 10^exponent, of which `point` stand before the point: 1.5e-7 is 15, 1, -7. */
static void plain(struct writer *out, struct str digits, long point)
{
	while (digits.len > 1 && point > 1 && digits.p[0] == '0') { /* 0.0015e5 */
		digits.p++;
		digits.len--;
		point--;
	}
	if (digits.p[0] == '0' && point > 1) /* 0e5 */
		point = 1;
	if (point <= 0) {
		write_raw(out, STR("0."));
		zeros(out, -point);
		write_raw(out, digits);
	} else if ((size_t)point >= digits.len) {
		write_raw(out, digits);
		zeros(out, point - (long)digits.len);
	} else {
		write_raw(out, (struct str){digits.p, (size_t)point});
		write_char(out, '.');
		write_raw(out, (struct str){digits.p + point, digits.len - (size_t)point});
	}
}

static bool number(struct reader *in, struct writer *out)
{
	const char *from = in->p, *e, *dot;
	size_t len, whole;
	char *digits;
	long exponent;

	while (in->p < in->end && memchr("+-.0123456789eE", *in->p, 15) != NULL)
		in->p++;
	len = (size_t)(in->p - from);
	e = memchr(from, 'e', len) != NULL ? memchr(from, 'e', len) : memchr(from, 'E', len);
	if (e == NULL) {
		write_raw(out, (struct str){from, len});
		return len > 0;
	}
	/* The text ends in NUL, or in what is no digit. */
	exponent = strtol(e + 1, NULL, 10);
	if (exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX)
		return false;
	if (*from == '-') {
		write_char(out, '-');
		from++;
	}
	dot = memchr(from, '.', (size_t)(e - from));
	whole = (size_t)((dot != NULL ? dot : e) - from);
	digits = arena_printf(in->arena, "%.*s%.*s", (int)whole, from, dot != NULL ? (int)(e - dot - 1) : 0,
			      dot != NULL ? dot + 1 : "");
	if (digits == NULL || *digits == '\0')
		return false;
	plain(out, str_from(digits), (long)whole + exponent);
	return true;
}

/* --- Values -------------------------------------------------------------------- */

static bool word(struct reader *in, struct writer *out, struct str word)
{
	if ((size_t)(in->end - in->p) < word.len || memcmp(in->p, word.p, word.len) != 0)
		return false;
	in->p += word.len;
	write_raw(out, word);
	return true;
}

static bool array(struct reader *in, struct writer *out)
{
	write_char(out, '[');
	for (bool first = true; !take(in, ']'); first = false) {
		if (!first) {
			if (!take(in, ','))
				return false;
			write_char(out, ',');
		}
		if (!value(in, out))
			return false;
	}
	write_char(out, ']');
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct str *x = &((const struct name_value *)a)->name,
			 *y = &((const struct name_value *)b)->name;
	int order = memcmp(x->p, y->p, x->len < y->len ? x->len : y->len);

	return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static bool grow(struct reader *in, struct name_value **members, size_t count, size_t *room)
{
	struct name_value *more;

	if (count < *room)
		return true;
	more = arena_array(in->arena, *room * 2 + 8, sizeof(*more));
	if (more == NULL)
		return false;
	if (count > 0)
		memcpy(more, *members, count * sizeof(*more));
	*members = more;
	*room = *room * 2 + 8;
	return true;
}

/* Past a value, whatever it is: what it says is looked at later. */
static bool skip(struct reader *in)
{
	struct str ignored;
	int depth = 0;

	for (blanks(in); in->p < in->end; in->p++) {
		bool closes = *in->p == '}' || *in->p == ']';

		if (depth == 0 && (closes || *in->p == ','))
			return true;
		depth += (*in->p == '{' || *in->p == '[') - closes;
		if (*in->p != '"')
			continue;
		in->p++;
		if (!text(in, &ignored))
			return false;
		in->p--;
	}
	return false;
}

/* Names, and where their values are. */
static bool read_members(struct reader *in, struct name_value **ret, size_t *ret_count)
{
	struct name_value *members = NULL;
	size_t count = 0, room = 0;

	for (; !take(in, '}'); count++) {
		if ((count > 0 && !take(in, ',')) || !take(in, '"') || !grow(in, &members, count, &room) ||
		    !text(in, &members[count].name) || !take(in, ':'))
			return false;
		members[count].value = in->p;
		if (!skip(in))
			return false;
	}
	*ret = members;
	*ret_count = count;
	return true;
}

static bool object(struct reader *in, struct writer *out)
{
	struct name_value *members;
	const char *end;
	size_t count;

	if (!read_members(in, &members, &count))
		return false;
	end = in->p;
	if (count > 1)
		qsort(members, count, sizeof(members[0]), by_name);
	write_char(out, '{');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			write_char(out, ',');
		write_text(out, members[i].name);
		write_char(out, ':');
		in->p = members[i].value;
		if (!value(in, out))
			return false;
		blanks(in);
		if (*in->p != ',' && *in->p != '}')
			return false;
	}
	write_char(out, '}');
	in->p = end;
	return true;
}

static bool nested(struct reader *in, struct writer *out, bool (*fn)(struct reader *, struct writer *))
{
	bool good = in->depth < DEPTH_MAX;

	in->p++;
	in->depth++;
	good = good && fn(in, out);
	in->depth--;
	return good;
}

static bool value(struct reader *in, struct writer *out)
{
	struct str said;

	blanks(in);
	if (in->p == in->end)
		return false;
	switch (*in->p) {
	case '{':
		return nested(in, out, object);
	case '[':
		return nested(in, out, array);
	case '"':
		in->p++;
		if (!text(in, &said))
			return false;
		write_text(out, said);
		return true;
	case 't':
		return word(in, out, STR("true"));
	case 'f':
		return word(in, out, STR("false"));
	case 'n':
		return word(in, out, STR("null"));
	default:
		return number(in, out);
	}
}

bool write_canonical(struct writer *writer, struct str text)
{
	struct reader in = {.p = text.p, .end = text.p + text.len, .arena = writer->arena};

	if (!value(&in, writer))
		return false;
	blanks(&in);
	return in.p == in.end && !writer->failed;
}
