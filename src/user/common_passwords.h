/*
 * The passwords that people choose most, which whoever guesses tries first: those of SecLists' "10 million
 * password list" that are long enough to be taken at all. The binary has a sorted table of their hashes, made
 * by tools/common_passwords.c, which is half as large as they are. That a password of somebody's own is taken
 * for one of them by chance is as likely as 1 in 10^14.
 */
#ifndef USER_COMMON_PASSWORDS_H
#define USER_COMMON_PASSWORDS_H

#include <stddef.h>
#include <stdint.h>

#define COMMON_PASSWORDS_COUNT 100000
#define COMMON_PASSWORDS_MIN   8 /* characters */

extern const uint64_t common_passwords[COMMON_PASSWORDS_COUNT];

/* FNV-1a, whatever the case of ASCII letters. Not for keeping passwords. */
static inline uint64_t common_password_hash(const char *text, size_t len)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		hash ^= c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
		hash *= 0x100000001b3;
	}
	return hash;
}

#endif
