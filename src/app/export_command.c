/* marca export: all rows of all stores, as one stream (dump.h). Works beside a running marca. */
#include "app/commands.h"
#include "app/guest.h"
#include "app/moving.h"
#include "app/moving_events.h"
#include "auth/key_folder.h"

#include <unistd.h>

struct run {
	struct app app;
	const char *out; /* NULL: standard output */
	struct db_whole *wholes[ROOM_COUNT];
	struct dump_writer writer;
	struct progress progress;
};

static enum rc write_all(struct run *run, FILE *out)
{
	const struct dump_progress progress = {progress_add, &run->progress};
	unsigned rooms = 0;
	enum rc rc;

	for (size_t room = 0; room < ROOM_COUNT; room++)
		if (run->wholes[room] != NULL)
			rooms |= GUEST_ROOM(room);
	rc = dump_begin(&run->writer, out, &progress, rooms);
	for (size_t i = 0; rc == RC_OK && i < ROOM_COUNT; i++)
		if (run->wholes[moving_order[i]] != NULL)
			rc = dump_store(&run->writer, moving_order[i], run->wholes[moving_order[i]]);
	return rc == RC_OK ? dump_end(&run->writer) : rc;
}

static enum rc write_file(struct run *run)
{
	struct new_file file;
	enum rc rc;

	if (run->out == NULL)
		return write_all(run, stdout);
	if (!new_file_open(&file, run->out))
		return RC_INTERNAL;
	rc = write_all(run, file.file);
	if (rc == RC_OK && !new_file_keep(&file))
		rc = RC_INTERNAL;
	new_file_drop(&file);
	return rc;
}

static void tell_what_else(const struct run *run)
{
	char keys[MOVING_PATH_MAX];

	fprintf(stderr,
		"\nThe stream holds hashes of passwords and sealed secrets: keep it as you keep the stores.\n"
		"Not in it, and to be moved too:\n");
	if (key_folder_path(&run->app.config, keys, sizeof(keys)))
		fprintf(stderr,
			"  the keys      %s (MARCA_KEYS): without them no token is good any more, and no\n"
			"                sealed secret can be opened\n",
			keys);
	fprintf(stderr, "  the settings  the environment of marca: `marca docs environment` lists them\n"
			"`marca import FILE` fills empty stores with it.\n");
}

static enum rc export_all(const struct guest *guest, struct ctx *cx, void *arg)
{
	struct run *run = arg;
	enum rc rc;

	moving_catch_signals();
	progress_begin(&run->progress, &run->app.world, "exported");
	rc = moving_look(&run->app, run->wholes);
	if (rc == RC_OK)
		rc = write_file(run);
	moving_look_end(run->wholes);
	dump_finish(&run->writer);
	progress_end(&run->progress);
	if (rc != RC_OK)
		return rc;
	fprintf(stderr, "exported %lld rows, %s\n", (long long)run->writer.summary.rows,
		size_text(run->writer.summary.bytes).text);
	moving_tell_waiting(guest->bus, cx);
	tell_what_else(run);
	return RC_OK;
}

static bool read_options(struct run *run, struct config *config, int argc, char **argv)
{
	const struct command_option table[] = {
		{.name = "--out", .text = &run->out},
		{.name = "--data", .text = &config->data},
	};

	if (!COMMAND_OPTIONS(table, argc, argv))
		return false;
	if (run->out != NULL && strcmp(run->out, "-") == 0)
		run->out = NULL;
	return true;
}

int command_export(const struct command *command, int argc, char **argv)
{
	struct run run = {.out = NULL};
	struct config config;

	if (!config_read(&config))
		return 1;
	if (!read_options(&run, &config, argc, argv))
		return command_usage(command);
	if (run.out == NULL && isatty(STDOUT_FILENO) == 1) {
		fprintf(stderr,
			"marca: that would fill the terminal: say --out FILE, or send it on by > or |\n");
		return 2;
	}
	if (!app_init(&run.app, &config))
		return 1;
	return guest_run(&run.app, GUEST_ALL_ROOMS, true, export_all, &run);
}
