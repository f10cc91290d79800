/* See form.h. */
#include "http/form.h"

static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

char *form_encode(struct arena *arena, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";
	char *encoded = arena_alloc(arena, 3 * strlen(text) + 1), *to = encoded;

	if (encoded == NULL)
		return NULL;
	for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
		if (is_plain(*at)) {
			*to++ = (char)*at;
			continue;
		}
		*to++ = '%';
		*to++ = digits[*at >> 4];
		*to++ = digits[*at & 15];
	}
	return encoded;
}

static const char *separator(const char *text)
{
	size_t len = strlen(text);

	return len == 0 || text[len - 1] == '?' || text[len - 1] == '&' ? "" : "&";
}

void form_add(struct form *form, const char *name, const char *value)
{
	char *encoded;

	if (form->text == NULL || value == NULL)
		return;
	encoded = form_encode(form->arena, value);
	form->text = encoded == NULL ? NULL
				     : arena_printf(form->arena, "%s%s%s=%s", form->text,
						    separator(form->text), name, encoded);
}
