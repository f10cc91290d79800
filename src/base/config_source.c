/* See config_source.h. */
#include "base/config_source.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct line {
	const char *name, *value;
};

/* The file while it is open. */
static struct {
	char *text;
	size_t size;
	struct line lines[CONFIG_SOURCE_LINES_MAX];
	size_t count;
	bool for_all; /* everybody may read it */
} file;

static struct kept {
	struct kept *next;
	char text[];
} * all_kept;

const char *config_source_keep(const char *text)
{
	struct kept *kept = all_kept;
	size_t size;

	if (text == NULL)
		return NULL;
	while (kept != NULL && strcmp(kept->text, text) != 0)
		kept = kept->next;
	if (kept != NULL)
		return kept->text;
	size = strlen(text) + 1;
	kept = malloc(sizeof(*kept) + size);
	if (kept == NULL)
		return NULL;
	memcpy(kept->text, text, size);
	kept->next = all_kept;
	all_kept = kept;
	return kept->text;
}

/* --- Lines ------------------------------------------------------------------ */

static char *trim(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
		text[--len] = '\0';
	return text + strspn(text, " \t");
}

static bool is_name(const char *text)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");

	return len > 0 && text[len] == '\0' && strchr(first, text[0]) != NULL;
}

static const char *line_fault(char *text, enum setting_kind (*kind_of)(const char *name), struct line *ret)
{
	char *equals = strchr(text, '=');
	enum setting_kind kind;

	for (const char *c = text; *c != '\0'; c++)
		if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
			return "it holds a control character; end lines by a newline alone";
	if (equals == NULL)
		return "it is no KEY=VALUE";
	*equals = '\0';
	*ret = (struct line){trim(text), trim(equals + 1)};
	if (!is_name(ret->name))
		return "it is no KEY=VALUE: KEY is a setting's name, as docs/configuration.md lists them";
	kind = kind_of(ret->name);
	if (kind == SETTING_UNKNOWN)
		return "there is no such setting; docs/configuration.md lists them";
	if (kind == SETTING_SECRET && file.for_all)
		return "it is a secret, and everybody may read this file; chmod o= it, or name a file of its "
		       "own by _FILE";
	if (ret->value[0] == '"' || ret->value[0] == '\'')
		return "quotes are not taken away; write the value as it is meant";
	for (size_t i = 0; i < file.count; i++)
		if (strcmp(file.lines[i].name, ret->name) == 0)
			return "it is set twice";
	return file.count == CONFIG_SOURCE_LINES_MAX ? "there are too many lines" : NULL;
}

static bool parse(const char *path, enum setting_kind (*kind_of)(const char *name))
{
	char *text = file.text, *next;
	struct line line = {NULL, NULL};
	bool good = true;

	for (int number = 1; text != NULL; number++, text = next) {
		const char *why;

		next = strchr(text, '\n');
		if (next != NULL)
			*next++ = '\0';
		text = trim(text);
		if (text[0] == '\0' || text[0] == '#')
			continue;
		why = line_fault(text, kind_of, &line);
		if (why == NULL)
			file.lines[file.count++] = line;
		else
			complain("%s, line %d: %s", path, number, why);
		good &= why == NULL;
	}
	return good;
}

/* --- The file --------------------------------------------------------------- */

static bool refuse(const char *path, const char *why)
{
	complain("MARCA_CONFIG_FILE=%s: %s", path, why);
	return false;
}

static bool read_whole(const char *path, int fd)
{
	struct stat info;
	ssize_t count = 1;
	size_t len = 0;

	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
		return refuse(path, "it is no file");
	file.for_all = (info.st_mode & S_IRWXO) != 0;
	file.size = CONFIG_SOURCE_BYTES_MAX + 1;
	file.text = malloc(file.size);
	if (file.text == NULL)
		return refuse(path, "there is no memory for it");
	while (len < file.size && (count = read(fd, file.text + len, file.size - len)) > 0)
		len += (size_t)count;
	if (count < 0)
		return refuse(path, strerror(errno));
	if (len == file.size)
		return refuse(path, "it is too long: 65536 bytes at most");
	if (memchr(file.text, '\0', len) != NULL)
		return refuse(path, "it is no text");
	file.text[len] = '\0';
	return true;
}

bool config_source_open(enum setting_kind (*kind_of)(const char *name))
{
	const char *path = getenv("MARCA_CONFIG_FILE");
	bool good;
	int fd;

	config_source_close();
	if (path == NULL || path[0] == '\0')
		return true;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return refuse(path, strerror(errno));
	good = read_whole(path, fd);
	close(fd);
	good = good && parse(path, kind_of);
	if (!good)
		config_source_close();
	return good;
}

void config_source_close(void)
{
	if (file.text != NULL)
		sodium_memzero(file.text, file.size);
	free(file.text);
	file.text = NULL;
	file.count = 0;
}

const char *config_source_of_file(const char *name)
{
	for (size_t i = 0; i < file.count; i++)
		if (strcmp(file.lines[i].name, name) == 0)
			return file.lines[i].value[0] != '\0' ? file.lines[i].value : NULL;
	return NULL;
}

const char *config_source_get(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && value[0] != '\0' ? value : config_source_of_file(name);
}
