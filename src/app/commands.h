/* The command line: one function a command, named by the table in main.c. */
#ifndef APP_COMMANDS_H
#define APP_COMMANDS_H

#include "base/ctx.h"

struct shape;

struct command {
	const char *name, *usage, *summary;
	const char *details; /* what --help tells besides */
	/* The words after the command's name. Returns the exit status. */
	int (*run)(const struct command *command, int argc, char **argv);
};

/* Says how the command is used, on standard error; returns 2. */
int command_usage(const struct command *command);

/* --NAME alone sets *flag, --NAME TEXT sets *text. A NULL name: the one word that is no option; "-" is one,
 * too. */
struct command_option {
	const char *name;
	bool *flag;
	const char **text;
};
#define COMMAND_OPTIONS(table, argc, argv) command_options(table, ARRAY_LEN(table), argc, argv)
/* False: a word that the table does not have, or one too many; or a text is missing. */
bool command_options(const struct command_option *table, size_t count, int argc, char **argv) MUST_USE;

/* One JSON object, on a line of its own, on standard output. RC_NO_MEMORY. */
enum rc command_print_json(struct ctx *cx, const struct shape *shape, const void *object) MUST_USE;

int command_serve(const struct command *command, int argc, char **argv);
int command_migrate(const struct command *command, int argc, char **argv);
int command_admin(const struct command *command, int argc, char **argv);
int command_check(const struct command *command, int argc, char **argv);
int command_audit(const struct command *command, int argc, char **argv);
int command_tenant(const struct command *command, int argc, char **argv);
int command_health(const struct command *command, int argc, char **argv);
int command_openapi(const struct command *command, int argc, char **argv);
int command_docs(const struct command *command, int argc, char **argv);
int command_events(const struct command *command, int argc, char **argv);
int command_backup(const struct command *command, int argc, char **argv);
int command_export(const struct command *command, int argc, char **argv);
int command_import(const struct command *command, int argc, char **argv);
int command_keys(const struct command *command, int argc, char **argv);
int command_restore(const struct command *command, int argc, char **argv);
int command_token(const struct command *command, int argc, char **argv);
int command_version(const struct command *command, int argc, char **argv);

#endif
