/* See secret.h. */
#include "base/secret.h"

#include "base/config_source.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRETS_MAX 32

/* For as long as the process lives. */
static struct {
	const char *variable;
	char *value;
} held[SECRETS_MAX];

static const char *files[SECRETS_MAX];
static size_t file_count;

/* Values that a later one took the place of. */
static struct former {
	struct former *next;
	char *value;
} * formers;

/* --- The log ---------------------------------------------------------------- */

/* As it is written, and as it is meant where that differs. */
static void hide_part(const char *from, size_t len)
{
	char meant[SECRET_BYTES_MAX];
	size_t count = 0;

	log_hide(from, len);
	if (memchr(from, '%', len) == NULL || len > sizeof(meant))
		return;
	for (size_t i = 0; i < len; i++) {
		int high = from[i] == '%' && i + 2 < len ? hex_value(from[i + 1]) : -1;
		int low = high >= 0 ? hex_value(from[i + 2]) : -1;

		meant[count++] = low >= 0 ? (char)(high << 4 | low) : from[i];
		i += low >= 0 ? 2 : 0;
	}
	log_hide(meant, count);
	sodium_memzero(meant, sizeof(meant));
}

/* What stands before the last @, wherever a mistyped password may have put others. */
static void hide_userinfo(const char *authority)
{
	const char *at = strrchr(authority, '@');
	const char *colon = at != NULL ? memchr(authority, ':', (size_t)(at - authority)) : NULL;

	if (colon != NULL)
		hide_part(colon + 1, (size_t)(at - colon - 1));
}

static void hide_parameter(const char *url, const char *name)
{
	for (const char *at = strstr(url, name); at != NULL; at = strstr(at + 1, name)) {
		const char *value = at + strlen(name);

		if (at > url && (at[-1] == '?' || at[-1] == '&'))
			hide_part(value, strcspn(value, "&"));
	}
}

void secret_hide(const char *value)
{
	const char *slashes = strstr(value, "://");

	if (slashes != NULL) {
		hide_userinfo(slashes + 3);
		hide_parameter(slashes, "password=");
		hide_parameter(slashes, "sslpassword=");
	} else if (strncmp(value, "sqlite:", 7) != 0) {
		hide_part(value, strlen(value));
	}
}

/* --- The environment ---------------------------------------------------------- */

/* A copy; in the block that /proc/PID/environ shows there are zeros now, and getenv() knows it no more. */
static char *take_from_environment(const char *variable)
{
	char *value = getenv(variable), *copy;

	if (value == NULL)
		return NULL;
	copy = value[0] != '\0' ? strdup(value) : NULL;
	sodium_memzero(value, strlen(value));
	unsetenv(variable);
	return copy;
}

void secret_guard_others(void)
{
	static const char *const others[] = {"PGPASSWORD",  "http_proxy", "https_proxy",
					     "HTTPS_PROXY", "all_proxy",  "ALL_PROXY"};

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		char *value = take_from_environment(others[i]);

		if (value == NULL)
			continue;
		secret_hide(value);
		setenv(others[i], value, 1);
		sodium_memzero(value, strlen(value));
		free(value);
	}
}

/* --- Files ---------------------------------------------------------------------- */

static bool refuse(const char *variable, const char *path, const char *why, const char *mend)
{
	complain("%s, from %s: %s; %s", variable, path, why, mend);
	return false;
}

static bool good_file(const char *variable, const char *path, int fd, size_t *ret_size)
{
	struct stat info;

	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
		return refuse(variable, path, "it is no file", "name one that holds the secret");
	if ((info.st_mode & S_IRWXO) != 0)
		return refuse(variable, path, "everybody may read or change it", "chmod o= it");
	if (info.st_size > SECRET_BYTES_MAX)
		return refuse(variable, path, "it is too long", "8192 bytes at most");
	*ret_size = (size_t)info.st_size;
	return true;
}

static size_t read_whole(int fd, char *to, size_t size)
{
	size_t len = 0;
	ssize_t count;

	while (len < size && (count = read(fd, to + len, size - len)) > 0)
		len += (size_t)count;
	return len;
}

static bool good_text(const char *variable, const char *path, char *text, size_t len)
{
	if (len > 0 && text[len - 1] == '\n')
		len -= len > 1 && text[len - 2] == '\r' ? 2 : 1;
	text[len] = '\0';
	if (len == 0)
		return refuse(variable, path, "it is empty",
			      "write the secret into it, or unset the variable");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return refuse(variable, path, "it holds a control character or a second line",
				      "one line of text");
	return true;
}

static bool read_open(const char *variable, const char *path, int fd, char **ret)
{
	char text[SECRET_BYTES_MAX + 1];
	size_t size;
	bool good = good_file(variable, path, fd, &size);

	if (!good)
		return false;
	good = good_text(variable, path, text, read_whole(fd, text, size));
	if (good)
		*ret = strdup(text);
	sodium_memzero(text, sizeof(text));
	return good && *ret != NULL;
}

/* Where one was found, a newer one may be looked for. */
static bool note_file(const char *path)
{
	const char *kept = config_source_keep(path);

	for (size_t i = 0; i < file_count; i++)
		if (files[i] == kept)
			return true;
	if (kept != NULL && file_count < SECRETS_MAX)
		files[file_count++] = kept;
	return kept != NULL;
}

void secret_files(void (*fn)(void *arg, const char *path), void *arg)
{
	for (size_t i = 0; i < file_count; i++)
		fn(arg, files[i]);
}

/* *ret stays NULL where there is no such file and none need be. */
static bool read_file(const char *variable, const char *path, bool need, char **ret)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool good;

	if (fd < 0 && errno == ENOENT && !need)
		return true;
	if (fd < 0)
		return refuse(variable, path, strerror(errno), "name a file that may be read");
	good = read_open(variable, path, fd, ret);
	close(fd);
	return good && note_file(path);
}

/* A copy of what the file of settings says. */
static char *from_settings(const char *variable)
{
	const char *value = config_source_of_file(variable);

	return value != NULL ? strdup(value) : NULL;
}

static bool path_in(const char *variable, const char *folder, const char *name, const char *end, char *ret,
		    size_t size)
{
	int len = snprintf(ret, size, "%s%s%s", folder, name, end);

	if (len > 0 && (size_t)len < size)
		return true;
	complain("%s: the path of its file is too long", variable);
	return false;
}

static bool from_named_file(const char *variable, char **ret)
{
	char name[128];
	const char *path;

	if (!path_in(variable, "", variable, "_FILE", name, sizeof(name)))
		return false;
	path = config_source_get(name);
	return path == NULL || read_file(variable, path, true, ret);
}

static bool from_credential(const char *variable, char **ret)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char path[PATH_MAX];

	if (folder == NULL || folder[0] == '\0')
		return true;
	return path_in(variable, folder, "/", variable, path, sizeof(path)) &&
	       read_file(variable, path, false, ret);
}

/* --- All together ----------------------------------------------------------------- */

static void drop(char *value)
{
	if (value != NULL)
		sodium_memzero(value, strlen(value));
	free(value);
}

/* The one that there is, of three. */
static bool only_one(const char *variable, char *const given[3], char **ret)
{
	int count = 0;

	for (size_t i = 0; i < 3; i++) {
		if (given[i] == NULL)
			continue;
		*ret = given[i];
		count++;
	}
	if (count > 1)
		complain("%s: it comes from several places (%s, %s_FILE, systemd); keep one", variable,
			 variable, variable);
	return count <= 1;
}

/* Somebody may still be using it. */
static void forget_later(char *value)
{
	struct former *former = value != NULL ? malloc(sizeof(*former)) : NULL;

	if (former == NULL)
		return;
	former->value = value;
	former->next = formers;
	formers = former;
}

static const char *hold(const char *variable, char *value)
{
	size_t i = 0;

	while (i < SECRETS_MAX - 1 && held[i].variable != NULL && strcmp(held[i].variable, variable) != 0)
		i++;
	if (value == NULL)
		return held[i].value;
	if (held[i].value != NULL && strcmp(held[i].value, value) == 0) {
		drop(value);
		return held[i].value;
	}
	forget_later(held[i].value);
	held[i].variable = variable;
	held[i].value = value;
	secret_hide(value);
	return value;
}

bool secret_read(const char *variable, const char **ret)
{
	char *given[3] = {take_from_environment(variable), NULL, NULL}, *value = NULL;
	bool good;

	if (given[0] == NULL)
		given[0] = from_settings(variable);
	good = from_named_file(variable, &given[1]) && from_credential(variable, &given[2]) &&
	       only_one(variable, given, &value);

	if (good) {
		*ret = hold(variable, value);
		return true;
	}
	for (size_t i = 0; i < 3; i++)
		drop(given[i]);
	return false;
}
