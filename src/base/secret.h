/*
 * Secret settings: where they come from, and that they stay where they belong. A secret X comes from one of
 *
 *   X                          the environment, or the file of settings (config_source.h)
 *   X_FILE                     a file, of which others may know nothing; one newline at its end is not meant
 *   $CREDENTIALS_DIRECTORY/X   a systemd credential (LoadCredential=X:/path)
 *
 * Once read it is gone from the environment, whose block in memory is overwritten, so that /proc/PID/environ
 * and a child do not show it; and the log masks it. On one thread at a time.
 */
#ifndef BASE_SECRET_H
#define BASE_SECRET_H

#include "base/base.h"

#define SECRET_BYTES_MAX 8192

/* NULL: there is none. What was read once is kept, and given again where nothing newer is found; it stays
 * valid when something is. False, with the reason and its mend on standard error, but nothing of the secret:
 * the file cannot be used, or there are two sources. */
bool secret_read(const char *variable, const char **ret) MUST_USE;

/* The files that secrets came from. */
void secret_files(void (*fn)(void *arg, const char *path), void *arg);

/* What libraries read from the environment by themselves (libpq: PGPASSWORD) stays there for them, but out
 * of its visible block. */
void secret_guard_others(void);

/* The log shows `***` for it; of a URL: for the passwords in it, as they are written and as they are meant.
 */
void secret_hide(const char *value);

#endif
