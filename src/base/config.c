/* See config.h. */
#include "base/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const struct config_info config_table[] = {
#define CONFIG_TEXT(member, variable, dflt, doc)	  {variable, dflt, doc, false, 0, 0, 0},
#define CONFIG_INT(member, variable, dflt, min, max, doc) {variable, NULL, doc, true, dflt, min, max},
#include "base/config.def"
#undef CONFIG_TEXT
#undef CONFIG_INT
	{NULL, NULL, NULL, false, 0, 0, 0},
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

#define CONFIG_TEXT(member, variable, dflt, doc) config.member = text_of(variable, dflt);
#define CONFIG_INT(member, variable, dflt, min, max, doc) \
	good &= int_of(variable, dflt, min, max, &config.member);
#include "base/config.def"
#undef CONFIG_TEXT
#undef CONFIG_INT
	if (good)
		*ret = config;
	return good;
}
