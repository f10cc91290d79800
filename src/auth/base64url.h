/*
 * base64url without padding (RFC 4648, section 5), as tokens have it. One text for one value: padding, blanks
 * and set bits after the end are refused. The time it takes does not tell the bytes.
 */
#ifndef AUTH_BASE64URL_H
#define AUTH_BASE64URL_H

#include "base/arena.h"

/* Characters for so many bytes, without a NUL. */
#define BASE64URL_LEN(size) (((size)*4 + 2) / 3)

/* NULL: memory. */
char *base64url_text(struct arena *arena, const void *bytes, size_t size) MUST_USE;

/* Ends `to` by NUL: it holds BASE64URL_LEN(size) + 1. */
void base64url_write(char *to, const void *bytes, size_t size);

/* False: no base64url, or more than max bytes. */
bool base64url_bytes(struct str text, void *to, size_t max, size_t *ret_size) MUST_USE;

/* Exactly so many. */
bool base64url_exact(struct str text, void *to, size_t size) MUST_USE;

#endif
