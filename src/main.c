/* marca: argv to a row of the table of commands. */
#include "app/commands.h"

#include <stdio.h>
#include <string.h>

static const struct command commands[] = {
	{"serve", "[--listen ADDR] [--data DIR]", "Answer requests until told to stop.", command_serve},
	{"migrate", "all|NAME [--status | --to N]", "Bring the stores' schemas up to date.", command_migrate},
	{"openapi", "[NAME]", "Print the OpenAPI document of all services, or of one.", command_openapi},
	{"docs", "configuration|errors", "Print a table of the documentation, in Markdown.", command_docs},
	{"version", "", "Print the version.", command_version},
};

static int help(FILE *out)
{
	fprintf(out,
		"marca %s - scheduling for any business, behind one API\n\n"
		"Usage: marca COMMAND [OPTIONS]\n\n"
		"Commands:\n",
		MARCA_VERSION);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-8s %-30s %s\n", commands[i].name, commands[i].usage, commands[i].summary);
	fprintf(out, "\n"
		     "Settings come from the environment: `marca docs configuration` lists them.\n"
		     "Exit status: 0 done; 1 it failed, and standard error says why; 2 wrong usage.\n\n"
		     "First steps:\n"
		     "  marca serve            then open http://127.0.0.1:8000/\n");
	return out == stdout ? 0 : 2;
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return help(stderr);
	if (asks_for_help(argv[1]))
		return help(stdout);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *command = &commands[i];

		if (strcmp(command->name, argv[1]) != 0)
			continue;
		if (argc == 3 && asks_for_help(argv[2])) {
			printf("Usage: marca %s %s\n\n%s\n", command->name, command->usage, command->summary);
			return 0;
		}
		return command->run(command, argc - 2, argv + 2);
	}
	fprintf(stderr, "marca: there is no command '%s'; `marca help` lists them\n", argv[1]);
	return 2;
}
