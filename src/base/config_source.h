/*
 * Where settings are written down: the environment, and under it the file that MARCA_CONFIG_FILE names. Its
 *lines are
 *
 *	# a comment
 *	MARCA_LOG_LEVEL=debug
 *
 * Taken as they stand: no quotes, no escapes, blanks at both ends are not meant. What is set (and not empty)
 *in the environment counts before it. Only for config.c and secret.c, between config_source_open() and
 *config_source_close(), on one thread at a time.
 */
#ifndef BASE_CONFIG_SOURCE_H
#define BASE_CONFIG_SOURCE_H

#include "base/base.h"

#define CONFIG_SOURCE_BYTES_MAX 65536
#define CONFIG_SOURCE_LINES_MAX 256

enum setting_kind { SETTING_UNKNOWN, SETTING_PLAIN, SETTING_SECRET };

/* Reads the file, if one is named. False, the reason told by complain() with the line's number: it cannot be
 * read, a line is not KEY=VALUE, `kind_of` does not know KEY, it comes twice, or it is a secret and everybody
 * may read the file. */
bool config_source_open(enum setting_kind (*kind_of)(const char *name)) MUST_USE;
/* Forgets the file; what was in it is wiped. */
void config_source_close(void);

/* NULL: neither sets it. Valid until config_source_close(). */
const char *config_source_get(const char *name);
/* What the file alone says. */
const char *config_source_of_file(const char *name);

/* A copy that lives as long as the process; the same for the same text. NULL: memory, or NULL. */
const char *config_source_keep(const char *text);

#endif
