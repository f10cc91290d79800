/* `marca check`: goes through check_table, and says what is not as it must be. See check.h. */
#include "app/check.h"

#include "app/commands.h"
#include "app/events.h"
#include "auth/keys.h"
#include "events/tasks.h"
#include "json/shape.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define PROGRESS_MS 200
#define TOLD_MAX    20 /* faults of one check in words; further ones are counted */

/* clang-format off */
#define FAULT_LINE(F, T)                                                              \
	F(T, TEXT, check,     REQUIRED, "Which check has found it.")                  \
	F(T, TEXT, service,   OPTIONAL, "In which store, where it looks at each.")    \
	F(T, UUID, tenant_id, OPTIONAL, "Whose row.")                                 \
	F(T, UUID, id,        OPTIONAL, "Which one.")                                 \
	F(T, TEXT, fault,     REQUIRED, "What is wrong.")
SHAPE_DECLARE(fault_line, FAULT_LINE);
SHAPE_DEFINE(fault_line, FAULT_LINE);

#define CHECK_LINE(F, T)                                                              \
	F(T, TEXT, check,    REQUIRED, "Its name.")                                   \
	F(T, TEXT, what,     REQUIRED, "That must be so.")                            \
	F(T, INT,  rows,     REQUIRED, "Rows, or stores, that it has looked at.")     \
	F(T, INT,  faults,   REQUIRED, "Of which so many are not so.")                \
	F(T, TEXT, left_out, OPTIONAL, "Why it could not be checked here.")
SHAPE_DECLARE(check_line, CHECK_LINE);
SHAPE_DEFINE(check_line, CHECK_LINE);

#define CHECKS_LINE(F, T)                                                             \
	F(T, INT, checks, REQUIRED, "That were made.")                                \
	F(T, INT, faults, REQUIRED, "That they have found.")
SHAPE_DECLARE(checks_line, CHECKS_LINE);
SHAPE_DEFINE(checks_line, CHECKS_LINE);
/* clang-format on */

struct check_run {
	struct app app;
	struct tasks *tasks;
	struct keys *keys;
	bool json, shows, line;
	const struct check *only; /* NULL: all of them */
	uint64_t shown;		  /* tasks_clock() */

	/* Of the check at hand. */
	const struct check *check;
	struct ctx *cx;
	enum room room;
	struct uuid tenant;
	int64_t rows, found;

	int64_t checks, faults;
	enum rc rc;
};

/* --- What it says ------------------------------------------------------------------ */

static void clear_progress(struct check_run *run)
{
	if (run->line)
		fprintf(stderr, "\r\033[K");
	run->line = false;
}

void check_looked(struct check_run *run, size_t rows)
{
	uint64_t now = tasks_clock(run->tasks);

	run->rows += (int64_t)rows;
	if (!run->shows || now - run->shown < PROGRESS_MS)
		return;
	run->shown = now;
	run->line = true;
	fprintf(stderr, "\r\033[K%s: %" PRId64, run->check->name, run->rows);
}

static void tell_in_words(struct check_run *run, const struct uuid *id, const char *what)
{
	char text[UUID_TEXT_LEN + 1];

	if (run->found == TOLD_MAX + 1)
		printf("  ... and more\n");
	if (run->found > TOLD_MAX)
		return;
	printf("  %s: ", run->check->name);
	if (run->check->scope == CHECK_STORE)
		printf("%s: ", app_queries[run->room]->name);
	else
		printf("tenant %s: ", uuid_text(text, &run->tenant));
	if (id != NULL)
		printf("%s: ", uuid_text(text, id));
	printf("%s\n", what);
}

void check_fault(struct check_run *run, const struct uuid *id, const char *what)
{
	bool of_tenant = run->check->scope == CHECK_TENANT;
	const struct fault_line line = {
		.check = run->check->name,
		.service = of_tenant ? NULL : app_queries[run->room]->name,
		.tenant_id = of_tenant ? run->tenant : UUID_NONE,
		.id = id != NULL ? *id : UUID_NONE,
		.fault = what,
	};

	run->found++;
	clear_progress(run);
	if (!run->json)
		tell_in_words(run, id, what);
	else if (command_print_json(run->cx, &fault_line_shape, &line) != RC_OK)
		run->rc = RC_NO_MEMORY;
}

static enum rc tell_check(struct check_run *run, struct ctx *cx, const char *left_out)
{
	const struct check *check = run->check;
	const struct check_line line = {.check = check->name,
					.what = check->what,
					.rows = run->rows,
					.faults = run->found,
					.left_out = left_out};

	clear_progress(run);
	run->faults += run->found;
	run->checks += left_out == NULL;
	if (run->json)
		return command_print_json(cx, &check_line_shape, &line);
	printf("%-8s %-10s %s",
	       left_out != NULL ? "left out"
	       : run->found > 0 ? "FAULT"
				: "ok",
	       check->name, check->what);
	if (left_out != NULL)
		printf(": %s\n", left_out);
	else
		printf(" (%" PRId64 ")\n", run->rows);
	return RC_OK;
}

static enum rc tell_sum(struct check_run *run, struct ctx *cx)
{
	const struct checks_line line = {.checks = run->checks, .faults = run->faults};

	if (run->json)
		return command_print_json(cx, &checks_line_shape, &line);
	printf("%" PRId64 " checks, %" PRId64 " fault%s\n", run->checks, run->faults,
	       run->faults == 1 ? "" : "s");
	return RC_OK;
}

/* --- What a row may use ------------------------------------------------------------- */

struct db *check_db(const struct check_run *run)
{
	return run->app.dbs[run->room];
}

enum room check_room(const struct check_run *run)
{
	return run->room;
}

struct uuid check_tenant(const struct check_run *run)
{
	return run->tenant;
}

struct keys *check_keys(struct check_run *run)
{
	if (run->keys == NULL)
		run->keys = keys_create(&run->app.config, &run->app.world, KEYS_FOUND);
	return run->keys;
}

/* --- The walk ------------------------------------------------------------------------ */

/* One piece of work with memory of its own. */
static enum rc look(struct task *task, struct check_run *run)
{
	struct arena arena;
	struct ctx cx;
	enum rc rc;

	task_arena(task, &arena);
	task_begin(task, &arena, &cx);
	cx.principal.role = ROLE_OPERATOR;
	run->cx = &cx;
	rc = run->check->fn(run, &cx);
	run->cx = NULL;
	arena_finish(&arena);
	return rc;
}

static enum rc each_store(struct task *task, struct check_run *run)
{
	enum rc rc = RC_OK;

	for (size_t room = 0; rc == RC_OK && room < ROOM_COUNT; room++) {
		if ((run->check->rooms >> room & 1) == 0 || run->app.dbs[room] == NULL)
			continue;
		run->room = (enum room)room;
		rc = look(task, run);
	}
	return rc;
}

/* The id after that one; false after the last. */
static bool id_after(struct uuid *id)
{
	size_t i = sizeof(id->b);

	while (i > 0 && ++id->b[i - 1] == 0)
		i--;
	return i > 0;
}

static enum rc next_tenant(struct task *task, struct check_run *run, const struct uuid *from, bool *ret_found)
{
	struct arena arena;
	struct ctx cx;
	enum rc rc;

	task_arena(task, &arena);
	task_begin(task, &arena, &cx);
	cx.principal.role = ROLE_OPERATOR;
	rc = run->check->next(&cx, from, &run->tenant, ret_found);
	arena_finish(&arena);
	return rc;
}

static enum rc each_tenant(struct task *task, struct check_run *run)
{
	struct uuid from = UUID_NONE;
	bool found = true;
	enum rc rc = RC_OK;

	while (rc == RC_OK && found) {
		rc = next_tenant(task, run, &from, &found);
		if (rc == RC_OK && found)
			rc = look(task, run);
		from = run->tenant;
		if (!id_after(&from))
			break;
	}
	return rc;
}

/* The first store that it needs and that is not configured here. NULL: it may be made. */
static const char *lacks(const struct check_run *run, struct ctx *cx)
{
	const struct check *check = run->check;
	bool any = false;

	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if ((check->rooms >> room & 1) == 0)
			continue;
		any |= run->app.dbs[room] != NULL;
		if (run->app.dbs[room] == NULL && check->scope == CHECK_TENANT)
			return arena_printf(cx->arena, "the store of %s is not configured here",
					    app_queries[room]->name);
	}
	return any ? NULL : "none of their stores is configured here";
}

static enum rc make_check(struct task *task, struct check_run *run, struct ctx *cx)
{
	const char *left_out = lacks(run, cx);
	enum rc rc = RC_OK;

	run->rows = run->found = 0;
	if (left_out == NULL)
		rc = run->check->scope == CHECK_STORE ? each_store(task, run) : each_tenant(task, run);
	if (rc == RC_OK)
		return tell_check(run, cx, left_out);
	clear_progress(run);
	fprintf(stderr, "marca: the check `%s` could not be made to its end\n", run->check->name);
	return rc;
}

/* A check that fails does not keep others from being made. */
static void check_all(struct task *task, void *arg)
{
	struct check_run *run = arg;
	enum rc rc = RC_OK, one;
	struct arena arena;
	struct ctx cx;

	task_arena(task, &arena);
	task_begin(task, &arena, &cx);
	for (run->check = check_table; run->check->name != NULL; run->check++) {
		if (run->only != NULL && run->only != run->check)
			continue;
		one = make_check(task, run, &cx);
		rc = one != RC_OK ? one : rc;
	}
	one = tell_sum(run, &cx);
	if (run->rc == RC_OK)
		run->rc = rc != RC_OK ? rc : one;
	arena_finish(&arena);
}

/* --- The run ------------------------------------------------------------------------- */

/* Where a setting names any store, those that none names are another machine's. */
static bool is_here(const struct check_run *run, enum room room)
{
	const struct config *config = &run->app.config;
	bool any = false;

	for (size_t i = 0; i < SERVICE_COUNT; i++)
		any |= app_store_is_named(config, (enum room)i);
	if (room == ROOM_events)
		return config->redis_url == NULL && !any;
	return !any || app_store_is_named(config, room);
}

static bool open_stores(struct check_run *run)
{
	unsigned rooms = run->only != NULL ? run->only->rooms : UINT_MAX;

	for (size_t room = 0; room < ROOM_COUNT; room++)
		if ((rooms >> room & 1) != 0 && is_here(run, (enum room)room) &&
		    !app_open_guest(&run->app, (enum room)room))
			return false;
	return true;
}

static bool go(struct check_run *run)
{
	run->app.guest = true;
	return open_stores(run) && app_tasks_create(&run->app, &run->tasks) == RC_OK &&
	       tasks_add(run->tasks, check_all, run) != NULL && tasks_run(run->tasks) == RC_OK;
}

static const struct check *named(const char *name)
{
	const struct check *check = check_table;

	while (check->name != NULL && strcmp(check->name, name) != 0)
		check++;
	return check->name != NULL ? check : NULL;
}

static bool read_options(struct config *config, struct check_run *run, int argc, char **argv)
{
	const char *only = NULL;
	const struct command_option table[] = {
		{.name = "--json", .flag = &run->json},
		{.name = "--only", .text = &only},
		{.name = "--data", .text = &config->data},
	};

	if (!COMMAND_OPTIONS(table, argc, argv))
		return false;
	run->only = only != NULL ? named(only) : NULL;
	return only == NULL || run->only != NULL;
}

int command_check(const struct command *command, int argc, char **argv)
{
	struct check_run run = {.rc = RC_OK};
	struct config config;
	bool good;

	if (!config_read(&config))
		return 1;
	if (!read_options(&config, &run, argc, argv))
		return command_usage(command);
	if (!app_init(&run.app, &config))
		return 1;
	run.shows = isatty(STDERR_FILENO) == 1;
	good = go(&run);
	tasks_destroy(run.tasks);
	keys_destroy(run.keys);
	for (size_t room = 0; room < ROOM_COUNT; room++)
		db_close(run.app.dbs[room]);
	return good && run.rc == RC_OK && run.faults == 0 ? 0 : 1;
}
