/* See fold.h. */
#include "base/fold.h"

#include <glib.h>

/* Decomposed text without its combining marks. */
static char *without_marks(struct arena *arena, const char *text)
{
	char *out = arena_alloc(arena, strlen(text) + 1);
	size_t len = 0;

	if (out == NULL)
		return NULL;
	for (; *text != '\0'; text = g_utf8_find_next_char(text, NULL)) {
		gunichar c = g_utf8_get_char(text);

		if (g_unichar_type(c) != G_UNICODE_NON_SPACING_MARK)
			len += (size_t)g_unichar_to_utf8(c, out + len);
	}
	out[len] = '\0';
	return out;
}

char *fold_text(struct arena *arena, const char *text)
{
	char *plain = g_utf8_normalize(text, -1, G_NORMALIZE_ALL);
	char *folded = plain != NULL ? g_utf8_casefold(plain, -1) : NULL;
	char *out = folded != NULL ? without_marks(arena, folded) : NULL;

	g_free(plain);
	g_free(folded);
	return out;
}

char *fold_case(struct arena *arena, const char *text)
{
	char *folded = g_utf8_casefold(text, -1);
	char *composed = g_utf8_normalize(folded, -1, G_NORMALIZE_DEFAULT_COMPOSE);
	char *out = composed != NULL ? arena_text(arena, str_from(composed)) : NULL;

	g_free(folded);
	g_free(composed);
	return out;
}

char *fold_pattern(struct arena *arena, const char *text)
{
	char *folded = fold_text(arena, text);
	char *out = folded != NULL ? arena_alloc(arena, strlen(folded) * 2 + 3) : NULL;
	size_t len = 0;

	if (out == NULL)
		return NULL;
	out[len++] = '%';
	for (; *folded != '\0'; folded++) {
		if (*folded == '%' || *folded == '_' || *folded == '\\')
			out[len++] = '\\';
		out[len++] = *folded;
	}
	out[len++] = '%';
	out[len] = '\0';
	return out;
}

char *fold_ascii(struct arena *arena, const char *text)
{
	char *out = arena_text(arena, str_from(text));

	for (char *p = out; p != NULL && *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	return out;
}
