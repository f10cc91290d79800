/*
 * What a password must be, besides 8 to 128 characters long: not one that everybody tries (OWASP ASVS
 * 5, 6.2.4), and not what is known of the person. No rules about digits and signs: they make passwords worse
 * (NIST SP 800-63B, 5.1.1.2).
 */
#ifndef USER_PASSWORD_RULES_H
#define USER_PASSWORD_RULES_H

#include "base/arena.h"
#include "json/shape.h"

/* For a field that takes a new password: whatever its case, it is none of the common ones. */
extern const struct format format_password;

#define PASSWORD_CHARACTERS .secret = true, .example = "\"correct horse battery\"", .min = 8, .max = 128
/* The bounds of every field that takes a new one. */
#define NEW_PASSWORD PASSWORD_CHARACTERS, .format = &format_password

/* Is it the person's name or address, or the part of it before the @, whatever case and accents? Each may be
 * NULL. */
bool password_is_personal(struct arena *arena, const char *password, const char *name, const char *email);

#endif
