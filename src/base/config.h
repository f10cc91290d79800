/*
 * The process's settings, from config.def, the environment and a file. Texts belong to
 * config_source.c or to the binary, secrets to secret.c.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/base.h"

struct config {
#define CONFIG_TEXT(member, variable, dflt, doc)	  const char *member;
#define CONFIG_FILE(member, variable, doc)		  const char *member;
#define CONFIG_SECRET(member, variable, doc)		  const char *member;
#define CONFIG_INT(member, variable, dflt, min, max, doc) int member;
#include "base/config.def"
#undef CONFIG_TEXT
#undef CONFIG_FILE
#undef CONFIG_SECRET
#undef CONFIG_INT
};

/* Reads the environment and, under it, the file that MARCA_CONFIG_FILE names (config_source.h); takes the
 * secrets out of the environment, and the log learns to mask them. False, with the reasons and their mends by
 * complain(), when values are no good. Before any thread starts. */
bool config_read(struct config *ret) MUST_USE;
/* Later, on any one thread: the file may say something else now, and so may the secrets' files. The
 * environment is the same. What was read before stays valid. */
bool config_read_again(struct config *ret) MUST_USE;

/* --- What follows from several settings: the one place where it is decided. --- */

/* Anything but the word `development` is production: a typing error must not open a door. */
bool config_in_production(const struct config *config);
/* Only this machine can reach it. */
bool config_on_loopback(const struct config *config);
/* Strangers may reach it: production, or an address that is not loopback. */
bool config_exposed(const struct config *config);
/* A call without a token acts as the operator. Unset: where it is not exposed. */
bool config_auth_optional(const struct config *config);

enum config_kind { CONFIG_IS_TEXT, CONFIG_IS_FILE, CONFIG_IS_SECRET, CONFIG_IS_INT };

struct config_info {
	const char *variable, *dflt, *doc;
	enum config_kind kind;
	size_t offset; /* of its member in struct config */
	int dflt_int, min, max;
};

/* Rows of config.def, ended by one without a variable. For the docs and for --help. */
extern const struct config_info config_table[];

/* Does a running process take it over: config_live.def? */
bool config_is_live(const struct config_info *row);
/* Tells each row whose values differ. */
void config_changes(const struct config *from, const struct config *to,
		    void (*tell)(void *arg, const struct config_info *row), void *arg);
/* The values of those that are live. */
void config_take_live(struct config *to, const struct config *from);

#endif
