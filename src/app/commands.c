/* See commands.h. */
#include "app/commands.h"

#include "app/app.h"
#include "http/openapi.h"
#include "json/write.h"

#include <stdio.h>
#include <stdlib.h>

int command_usage(const struct command *command)
{
	fprintf(stderr, "Usage: marca %s %s\n", command->name, command->usage);
	if (command->details[0] != '\0')
		fprintf(stderr, "`marca %s --help` tells more.\n", command->name);
	return 2;
}

static const struct command_option *option_of(const struct command_option *table, size_t count,
					      const char *word)
{
	bool named = word[0] == '-' && word[1] != '\0';

	for (size_t i = 0; i < count; i++)
		if (named ? table[i].name != NULL && strcmp(table[i].name, word) == 0 : table[i].name == NULL)
			return &table[i];
	return NULL;
}

bool command_options(const struct command_option *table, size_t count, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		const struct command_option *option = option_of(table, count, argv[i]);

		if (option == NULL)
			return false;
		if (option->flag != NULL) {
			*option->flag = true;
			continue;
		}
		if (option->name == NULL ? *option->text != NULL : ++i == argc)
			return false;
		*option->text = argv[i];
	}
	return true;
}

enum rc command_print_json(struct ctx *cx, const struct shape *shape, const void *object)
{
	struct writer writer;
	struct str text;

	writer_init(&writer, cx->arena, 512);
	write_shape(&writer, shape, object);
	if (!writer_take(&writer, &text))
		return RC_NO_MEMORY;
	printf("%.*s\n", (int)text.len, text.p);
	return RC_OK;
}

/* --- migrate ---------------------------------------------------------------- */

static void tell(const char *room, const struct migration *migration, bool up_to_date)
{
	if (up_to_date)
		printf("%-10s up to date\n", room);
	else
		printf("%-10s %04d %s\n", room, migration->number, migration->name);
	fflush(stdout);
}

static void tell_distributed(const char *table, bool copied)
{
	printf("%-24s %s\n", table, copied ? "a copy on each node" : "spread by tenant_id");
	fflush(stdout);
}

struct migrate_options {
	bool status, citus;
	int target;
};

static bool migrate_room(struct app *app, enum room room, const struct migrate_options *options)
{
	int version = 0;
	bool good, fits;

	if (!app_open_store(app, room))
		return false;
	if (options->status) {
		good = db_schema_version(app->dbs[room], &version, &fits) == RC_OK;
		if (good)
			printf("%-10s %d of %zu%s\n", app_queries[room]->name, version,
			       app_queries[room]->migration_count,
			       fits ? "" : ": this marca cannot serve it as it is");
	} else {
		good = db_migrate(app->dbs[room], options->target, tell) == RC_OK;
	}
	if (good && options->citus && room != ROOM_events) /* the embedded bus is SQLite */
		good = db_distribute(app->dbs[room], tell_distributed) == RC_OK;
	db_close(app->dbs[room]);
	app->dbs[room] = NULL;
	return good;
}

static bool migrate_options(int argc, char **argv, struct migrate_options *ret)
{
	char *end;
	long target;

	*ret = (struct migrate_options){
		.status = argc == 1 && strcmp(argv[0], "--status") == 0,
		.citus = argc == 1 && strcmp(argv[0], "--citus") == 0,
		.target = -1,
	};
	if (argc == 0 || ret->status || ret->citus)
		return true;
	if (argc != 2 || strcmp(argv[0], "--to") != 0)
		return false;
	target = strtol(argv[1], &end, 10);
	ret->target = (int)target;
	return *end == '\0' && end != argv[1] && target >= 0 && target < 10000;
}

int command_migrate(const struct command *command, int argc, char **argv)
{
	struct config config;
	struct app app;
	struct migrate_options options;
	bool good = true;
	enum room only;

	if (argc < 1 || !migrate_options(argc - 1, argv + 1, &options))
		return command_usage(command);
	only = app_room(argv[0]);
	if (only == ROOM_COUNT && strcmp(argv[0], "all") != 0) {
		fprintf(stderr,
			"marca: there is no service '%s': all, tenant, user, resource, booking or audit\n",
			argv[0]);
		return 2;
	}
	/* Of a fleet, the stores of this process: where the others' are, it does not know. */
	if (!config_read(&config) || !app_init(&app, &config) || !app_place(&app))
		return 1;
	for (size_t room = 0; room < ROOM_COUNT && good; room++)
		if (app_has_store(&app, (enum room)room) && (only == ROOM_COUNT || only == (enum room)room))
			good = migrate_room(&app, (enum room)room, &options);
	return good ? 0 : 1;
}

/* --- openapi, version --------------------------------------------------- */

int command_openapi(const struct command *command, int argc, char **argv)
{
	const struct service *const *one = argc > 0 ? app_service(argv[0]) : NULL;
	struct arena arena;
	struct str text;
	enum rc rc;

	if (argc > 1 || (argc == 1 && one == NULL))
		return command_usage(command);
	arena_init(&arena, NULL);
	rc = openapi_write(&arena, one != NULL ? one : app_services, one != NULL ? 1 : APP_SERVICES, &text);
	if (rc == RC_OK)
		printf("%.*s\n", (int)text.len, text.p);
	arena_finish(&arena);
	return rc == RC_OK ? 0 : 1;
}

int command_version(const struct command *command, int argc, char **argv)
{
	(void)argv;
	if (argc > 0)
		return command_usage(command);
	printf("marca %s\n", MARCA_VERSION);
	return 0;
}
