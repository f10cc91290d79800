/* Text as people search it: without case and accents (Unicode NFKD and case folding). */
#ifndef BASE_FOLD_H
#define BASE_FOLD_H

#include "base/arena.h"

/* NULL: memory, or not UTF-8. */
char *fold_text(struct arena *arena, const char *text) MUST_USE;

/* Without case, but with its accents: what must be the same to be taken for the same, as e-mail addresses. */
char *fold_case(struct arena *arena, const char *text) MUST_USE;

/* A LIKE pattern (escape character \) that finds what contains `text`, folded. */
char *fold_pattern(struct arena *arena, const char *text) MUST_USE;

/* ASCII lower case: host names. */
char *fold_ascii(struct arena *arena, const char *text) MUST_USE;

#endif
