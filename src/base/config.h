/*
 * The process's settings, from config.def and the environment. Texts belong to
 * the environment or to the binary.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/base.h"

struct config {
#define CONFIG_TEXT(member, variable, dflt, doc)	  const char *member;
#define CONFIG_INT(member, variable, dflt, min, max, doc) int member;
#include "base/config.def"
#undef CONFIG_TEXT
#undef CONFIG_INT
};

/* Reads the environment. False, with the reason and its mend on standard error, when a value is no good. */
bool config_read(struct config *ret) MUST_USE;

struct config_info {
	const char *variable, *dflt, *doc;
	bool is_int;
	int dflt_int, min, max;
};

/* Rows of config.def, ended by one without a variable. For the docs and for --help. */
extern const struct config_info config_table[];

#endif
