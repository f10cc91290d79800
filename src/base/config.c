/* See config.h. */
#include "base/config.h"

#include "base/config_source.h"
#include "base/log.h"
#include "base/secret.h"

#include <errno.h>
#include <stdlib.h>

const struct config_info config_table[] = {
#define CONFIG_TEXT(member, variable, dflt, doc) \
	{variable, dflt, doc, CONFIG_IS_TEXT, offsetof(struct config, member), 0, 0, 0},
#define CONFIG_FILE(member, variable, doc) \
	{variable, NULL, doc, CONFIG_IS_FILE, offsetof(struct config, member), 0, 0, 0},
#define CONFIG_SECRET(member, variable, doc) \
	{variable, NULL, doc, CONFIG_IS_SECRET, offsetof(struct config, member), 0, 0, 0},
#define CONFIG_INT(member, variable, dflt, min, max, doc) \
	{variable, NULL, doc, CONFIG_IS_INT, offsetof(struct config, member), dflt, min, max},
#include "base/config.def"
#undef CONFIG_TEXT
#undef CONFIG_FILE
#undef CONFIG_SECRET
#undef CONFIG_INT
	{NULL, NULL, NULL, CONFIG_IS_TEXT, 0, 0, 0, 0},
};

static bool text_of(const char *variable, const char *dflt, const char **ret)
{
	const char *value = config_source_get(variable);

	*ret = value != NULL ? config_source_keep(value) : dflt;
	return value == NULL || *ret != NULL;
}

static bool int_of(const char *variable, int dflt, int min, int max, int *ret)
{
	const char *value = config_source_get(variable);
	char *end;
	long number;

	if (value == NULL) {
		*ret = dflt;
		return true;
	}
	errno = 0;
	number = strtol(value, &end, 10);
	if (errno != 0 || *end != '\0' || number < min || number > max) {
		complain("%s=%s: must be a whole number from %d to %d", variable, value, min, max);
		return false;
	}
	*ret = (int)number;
	return true;
}

/* X_FILE of a secret X, too. MARCA_CONFIG_FILE itself can only come from the environment. */
static enum setting_kind kind_of(const char *name)
{
	size_t len = strlen(name);

	for (const struct config_info *row = config_table; row->variable != NULL; row++) {
		size_t own = strlen(row->variable);

		if (strcmp(name, row->variable) == 0 && strcmp(name, "MARCA_CONFIG_FILE") != 0)
			return row->kind == CONFIG_IS_SECRET ? SETTING_SECRET : SETTING_PLAIN;
		if (row->kind == CONFIG_IS_SECRET && len == own + 5 &&
		    strncmp(name, row->variable, own) == 0 && strcmp(name + own, "_FILE") == 0)
			return SETTING_PLAIN;
	}
	return SETTING_UNKNOWN;
}

bool config_read_again(struct config *ret)
{
	struct config config;
	bool good = true;

	if (!config_source_open(kind_of))
		return false;
#define CONFIG_TEXT(member, variable, dflt, doc) good &= text_of(variable, dflt, &config.member);
#define CONFIG_FILE(member, variable, doc)	 good &= text_of(variable, NULL, &config.member);
#define CONFIG_SECRET(member, variable, doc)	 good &= secret_read(variable, &config.member);
#define CONFIG_INT(member, variable, dflt, min, max, doc) \
	good &= int_of(variable, dflt, min, max, &config.member);
#include "base/config.def"
#undef CONFIG_TEXT
#undef CONFIG_FILE
#undef CONFIG_SECRET
#undef CONFIG_INT
	config_source_close();
	if (good)
		*ret = config;
	return good;
}

bool config_read(struct config *ret)
{
	secret_guard_others();
	return config_read_again(ret);
}

/* --- What a running process may take over ------------------------------------- */

bool config_is_live(const struct config_info *row)
{
	static const size_t live[] = {
#define CONFIG_LIVE(member) offsetof(struct config, member),
#include "base/config_live.def"
#undef CONFIG_LIVE
	};

	for (size_t i = 0; i < ARRAY_LEN(live); i++)
		if (live[i] == row->offset)
			return true;
	return false;
}

static size_t size_of(const struct config_info *row)
{
	return row->kind == CONFIG_IS_INT ? sizeof(int) : sizeof(const char *);
}

static bool differs(const struct config_info *row, const struct config *one, const struct config *other)
{
	const char *texts[2];
	int numbers[2];

	if (row->kind == CONFIG_IS_INT) {
		memcpy(&numbers[0], (const char *)one + row->offset, sizeof(int));
		memcpy(&numbers[1], (const char *)other + row->offset, sizeof(int));
		return numbers[0] != numbers[1];
	}
	memcpy(&texts[0], (const char *)one + row->offset, sizeof(texts[0]));
	memcpy(&texts[1], (const char *)other + row->offset, sizeof(texts[1]));
	return texts[0] == NULL || texts[1] == NULL ? texts[0] != texts[1] : strcmp(texts[0], texts[1]) != 0;
}

void config_changes(const struct config *from, const struct config *to,
		    void (*tell)(void *arg, const struct config_info *row), void *arg)
{
	for (const struct config_info *row = config_table; row->variable != NULL; row++)
		if (differs(row, from, to))
			tell(arg, row);
}

void config_take_live(struct config *to, const struct config *from)
{
	for (const struct config_info *row = config_table; row->variable != NULL; row++)
		if (config_is_live(row))
			memcpy((char *)to + row->offset, (const char *)from + row->offset, size_of(row));
}

bool config_in_production(const struct config *config)
{
	return strcmp(config->environment, "development") != 0;
}

bool config_on_loopback(const struct config *config)
{
	return strncmp(config->listen, "127.", 4) == 0 || strncmp(config->listen, "[::1]:", 6) == 0;
}

bool config_exposed(const struct config *config)
{
	return config_in_production(config) || !config_on_loopback(config);
}

bool config_auth_optional(const struct config *config)
{
	return config->auth != NULL ? strcmp(config->auth, "optional") == 0 : !config_exposed(config);
}
