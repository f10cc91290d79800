/* See config.h. */
#include "base/config.h"

#include "base/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const struct config_info config_table[] = {
#define CONFIG_TEXT(member, variable, dflt, doc) {variable, dflt, doc, CONFIG_IS_TEXT, 0, 0, 0},
#define CONFIG_FILE(member, variable, doc)	 {variable, NULL, doc, CONFIG_IS_FILE, 0, 0, 0},
#define CONFIG_SECRET(member, variable, doc)	 {variable, NULL, doc, CONFIG_IS_SECRET, 0, 0, 0},
#define CONFIG_INT(member, variable, dflt, min, max, doc) \
	{variable, NULL, doc, CONFIG_IS_INT, dflt, min, max},
#include "base/config.def"
#undef CONFIG_TEXT
#undef CONFIG_FILE
#undef CONFIG_SECRET
#undef CONFIG_INT
	{NULL, NULL, NULL, CONFIG_IS_TEXT, 0, 0, 0},
};

static const char *text_of(const char *variable, const char *dflt)
{
	const char *value = getenv(variable);

	return value != NULL && value[0] != '\0' ? value : dflt;
}

static bool int_of(const char *variable, int dflt, int min, int max, int *ret)
{
	const char *value = getenv(variable);
	char *end;
	long number;

	if (value == NULL || value[0] == '\0') {
		*ret = dflt;
		return true;
	}
	errno = 0;
	number = strtol(value, &end, 10);
	if (errno != 0 || *end != '\0' || number < min || number > max) {
		fprintf(stderr, "marca: %s=%s: must be a whole number from %d to %d\n", variable, value, min,
			max);
		return false;
	}
	*ret = (int)number;
	return true;
}

bool config_read(struct config *ret)
{
	struct config config;
	bool good = true;

	secret_guard_others();
#define CONFIG_TEXT(member, variable, dflt, doc) config.member = text_of(variable, dflt);
#define CONFIG_FILE(member, variable, doc)	 config.member = text_of(variable, NULL);
#define CONFIG_SECRET(member, variable, doc)	 good &= secret_read(variable, &config.member);
#define CONFIG_INT(member, variable, dflt, min, max, doc) \
	good &= int_of(variable, dflt, min, max, &config.member);
#include "base/config.def"
#undef CONFIG_TEXT
#undef CONFIG_FILE
#undef CONFIG_SECRET
#undef CONFIG_INT
	if (good)
		*ret = config;
	return good;
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
