/*
 * marca events -- looks at the streams, and mends: what lies in them, how far each group is, what could not
 * be handled. It reaches the bus as the server does: Redis where REDIS_URL says so, else the embedded store,
 * also while the server has it open.
 */
#include "app/commands.h"

#include "app/events_lines.h"
#include "app/guest.h"
#include "events/bus.h"
#include "events/tasks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PAGE	     256
#define FOLLOW_MS    1000
#define LAST_DEFAULT 10

struct options {
	const char *stream, *group, *number;
	int64_t from, last; /* -1: not said */
	bool follow;
};

/* One run of one verb, on a task. */
struct run {
	struct app app;
	struct options options;
	const struct verb *verb;
	struct bus *bus;
	struct lines lines;
	int status;
};

/* A verb's part: everything it takes lives in cx->arena, which is new for each page of a long output. */
struct verb {
	const char *name;
	const char *options; /* those that it takes */
	enum rc (*fn)(struct run *run, struct task *task, struct ctx *cx);
};

/* --- tail ------------------------------------------------------------------------- */

static size_t wanted_streams(const struct run *run, const char *ret[STREAM_COUNT])
{
	size_t count = 0;

	for (size_t i = 0; i < STREAM_COUNT; i++) {
		if (run->options.stream == NULL || strcmp(run->options.stream, stream_names[i]) == 0)
			ret[count++] = stream_names[i];
	}
	return count;
}

/* Where the output begins: as asked, or some events before the end. */
static enum rc first_place(const struct run *run, struct ctx *cx, const char *stream, int64_t *ret)
{
	int64_t last = run->options.last >= 0 ? run->options.last : LAST_DEFAULT, end;
	enum rc rc;

	if (run->options.from >= 0) {
		*ret = run->options.from > 0 ? run->options.from - 1 : 0;
		return RC_OK;
	}
	rc = bus_end(run->bus, cx, stream, &end);
	if (rc == RC_OK)
		*ret = end > last ? end - last : 0;
	return rc;
}

/* From *place on, and moves it. */
static enum rc print_page(const struct run *run, struct ctx *cx, const char *stream, int64_t *place,
			  bool *ret_more)
{
	struct events events;
	enum rc rc = bus_range(run->bus, cx, stream, *place, PAGE, &events);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < events.count; i++) {
		rc = line_event(&run->lines, cx, &events.items[i]);
		*place = events.items[i].sequence;
	}
	*ret_more = events.count == PAGE;
	return rc;
}

static enum rc print_stream(const struct run *run, struct task *task, const char *stream, int64_t *place)
{
	struct arena arena;
	bool more = true;
	struct ctx cx;
	enum rc rc = RC_OK;

	while (rc == RC_OK && more) {
		task_arena(task, &arena);
		task_begin(task, &arena, &cx);
		rc = print_page(run, &cx, stream, place, &more);
		arena_finish(&arena);
	}
	return rc;
}

/* Until the process is ended, or nobody reads it any more. */
static enum rc print_coming(const struct run *run, struct task *task, struct bus_reader *reader)
{
	struct events events;
	struct arena arena;
	struct ctx cx;
	enum rc rc = RC_OK;

	while (rc == RC_OK && ferror(stdout) == 0) {
		task_arena(task, &arena);
		task_begin(task, &arena, &cx);
		rc = bus_take(reader, &cx, PAGE, FOLLOW_MS, &events);
		for (size_t i = 0; rc == RC_OK && i < events.count; i++)
			rc = line_event(&run->lines, &cx, &events.items[i]);
		fflush(stdout);
		arena_finish(&arena);
	}
	return rc;
}

static enum rc do_tail(struct run *run, struct task *task, struct ctx *cx)
{
	const char *streams[STREAM_COUNT];
	int64_t places[STREAM_COUNT];
	size_t count = wanted_streams(run, streams);
	struct bus_reader *reader;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < count; i++) {
		rc = first_place(run, cx, streams[i], &places[i]);
		if (rc == RC_OK)
			rc = print_stream(run, task, streams[i], &places[i]);
	}
	fflush(stdout);
	if (rc != RC_OK || !run->options.follow)
		return rc;
	rc = bus_follow(run->bus, cx, streams, count, places, &reader);
	if (rc != RC_OK)
		return rc;
	rc = print_coming(run, task, reader);
	bus_leave(reader);
	return rc;
}

/* --- groups, pending, dead ------------------------------------------------------------ */

static enum rc do_groups(struct run *run, struct task *task, struct ctx *cx)
{
	struct bus_group *groups;
	size_t count;
	enum rc rc = bus_groups(run->bus, cx, &groups, &count);

	(void)task;
	if (rc == RC_OK)
		line_groups_head(&run->lines);
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = line_group(&run->lines, cx, &groups[i]);
	return rc;
}

#define PENDING_MOST 1000

static enum rc do_pending(struct run *run, struct task *task, struct ctx *cx)
{
	struct bus_pending *pending;
	size_t count;
	enum rc rc = bus_pending(run->bus, cx, run->options.group, PENDING_MOST, &pending, &count);

	(void)task;
	if (rc == RC_OK)
		line_pending_head(&run->lines);
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = line_pending(&run->lines, cx, &pending[i]);
	if (rc == RC_OK && count == PENDING_MOST)
		fprintf(stderr, "marca: the first %d of them\n", PENDING_MOST);
	return rc;
}

/* Calls fn for each dead letter, page by page. *ret_count: of how many it said that it is done. */
static enum rc each_dead(struct run *run, struct task *task,
			 enum rc (*fn)(const struct run *run, struct ctx *cx, const struct bus_dead *dead,
				       bool *ret_done),
			 size_t *ret_count)
{
	int64_t after = 0;
	struct bus_dead *dead;
	size_t count = PAGE;
	struct arena arena;
	struct ctx cx;
	bool done;
	enum rc rc = RC_OK;

	*ret_count = 0;
	while (rc == RC_OK && count == PAGE) {
		task_arena(task, &arena);
		task_begin(task, &arena, &cx);
		rc = bus_dead(run->bus, &cx, after, PAGE, &dead, &count);
		for (size_t i = 0; rc == RC_OK && i < count; i++) {
			after = dead[i].number;
			rc = fn(run, &cx, &dead[i], &done);
			*ret_count += rc == RC_OK && done;
		}
		arena_finish(&arena);
	}
	return rc;
}

static enum rc print_dead(const struct run *run, struct ctx *cx, const struct bus_dead *dead, bool *ret_done)
{
	*ret_done = true;
	return line_dead(&run->lines, cx, dead);
}

static enum rc do_dead(struct run *run, struct task *task, struct ctx *cx)
{
	size_t count;
	enum rc rc = each_dead(run, task, print_dead, &count);

	(void)cx;
	if (rc == RC_OK && count == 0 && !run->lines.json)
		printf("no dead letters\n");
	return rc;
}

/* --- replay, drop ------------------------------------------------------------------------ */

static enum rc revive(const struct run *run, struct ctx *cx, const struct bus_dead *dead, bool *ret_done)
{
	enum rc rc = bus_revive(run->bus, cx, dead->number, ret_done);

	if (rc == RC_OK && !*ret_done)
		fprintf(stderr, "marca: the event of dead letter %" PRId64 " has left its stream\n",
			dead->number);
	return rc;
}

static enum rc drop(const struct run *run, struct ctx *cx, const struct bus_dead *dead, bool *ret_done)
{
	return bus_drop(run->bus, cx, dead->number, ret_done);
}

static bool parse_number(const char *text, int64_t *ret)
{
	char *end;

	*ret = strtoll(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0';
}

/* One dead letter, or all. */
static enum rc on_dead(struct run *run, struct task *task, struct ctx *cx,
		       enum rc (*one)(struct bus *bus, struct ctx *cx, int64_t number, bool *ret_found),
		       enum rc (*each)(const struct run *run, struct ctx *cx, const struct bus_dead *dead,
				       bool *ret_done),
		       const char *done)
{
	int64_t number;
	size_t count = 1;
	bool found = true;
	enum rc rc;

	if (strcmp(run->options.number, "all") == 0) {
		rc = each_dead(run, task, each, &count);
	} else if (parse_number(run->options.number, &number)) {
		rc = one(run->bus, cx, number, &found);
	} else {
		fprintf(stderr, "marca: '%s' is no number of a dead letter; `marca events dead` lists them\n",
			run->options.number);
		run->status = 2;
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	if (!found) {
		fprintf(stderr, "marca: there is no dead letter %s that can be %s\n", run->options.number,
			done);
		run->status = 1;
	} else {
		printf("%zu %s\n", count, done);
	}
	return RC_OK;
}

static enum rc replay_group(struct run *run, struct ctx *cx)
{
	bool found;
	enum rc rc = bus_seek(run->bus, cx, run->options.stream, run->options.group, run->options.from - 1,
			      &found);

	if (rc != RC_OK)
		return rc;
	if (!found) {
		fprintf(stderr, "marca: there is no group '%s' on %s; `marca events groups` lists them\n",
			run->options.group, run->options.stream);
		run->status = 1;
		return RC_OK;
	}
	printf("%s is given %s again from %" PRId64 " on; effects that it had stay single\n",
	       run->options.group, run->options.stream, run->options.from);
	return RC_OK;
}

static enum rc do_replay(struct run *run, struct task *task, struct ctx *cx)
{
	if (run->options.number != NULL)
		return on_dead(run, task, cx, bus_revive, revive, "given back");
	if (run->options.group != NULL && run->options.stream != NULL && run->options.from > 0)
		return replay_group(run, cx);
	fprintf(stderr, "marca: name a dead letter, or --group, --stream and --from\n");
	run->status = 2;
	return RC_OK;
}

static enum rc do_drop(struct run *run, struct task *task, struct ctx *cx)
{
	if (run->options.number != NULL)
		return on_dead(run, task, cx, bus_drop, drop, "dropped");
	fprintf(stderr, "marca: name a dead letter, or all\n");
	run->status = 2;
	return RC_OK;
}

/* --- The command ----------------------------------------------------------------------------- */

static const struct verb verbs[] = {
	{"tail", "stream from last follow json", do_tail},
	{"groups", "json", do_groups},
	{"pending", "group json", do_pending},
	{"dead", "json", do_dead},
	{"replay", "number group stream from", do_replay},
	{"drop", "number", do_drop},
};

static bool takes(const struct verb *verb, const char *option)
{
	struct str rest = str_from(verb->options);

	while (rest.len > 0) {
		if (str_equal(str_cut(&rest, ' '), str_from(option)))
			return true;
	}
	return false;
}

static bool is_stream(const char *name)
{
	for (size_t i = 0; i < STREAM_COUNT; i++) {
		if (strcmp(stream_names[i], name) == 0)
			return true;
	}
	fprintf(stderr, "marca: there is no stream '%s': booking-events, deletion-events or tenant-events\n",
		name);
	return false;
}

/* An option with a value; false when it is none of ours, or its value is no good. */
static bool set_option(struct options *options, const char *name, const char *value)
{
	if (strcmp(name, "group") == 0)
		options->group = value;
	else if (strcmp(name, "stream") == 0)
		return is_stream(options->stream = value);
	else if (strcmp(name, "from") == 0)
		return parse_number(value, &options->from);
	else if (strcmp(name, "last") == 0)
		return parse_number(value, &options->last);
	else
		return false;
	return true;
}

static bool parse_options(struct run *run, int argc, char **argv)
{
	struct options *options = &run->options;

	*options = (struct options){.from = -1, .last = -1};
	for (int i = 0; i < argc; i++) {
		const char *name = argv[i];

		if (strncmp(name, "--", 2) != 0) {
			if (!takes(run->verb, "number") || options->number != NULL)
				return false;
			options->number = name;
			continue;
		}
		name += 2;
		if (!takes(run->verb, name))
			return false;
		if (strcmp(name, "json") == 0)
			run->lines.json = true;
		else if (strcmp(name, "follow") == 0)
			options->follow = true;
		else if (i + 1 == argc || !set_option(options, name, argv[++i]))
			return false;
	}
	return true;
}

static enum rc run_verb(const struct guest *guest, struct ctx *cx, void *arg)
{
	struct run *run = arg;

	run->bus = guest->bus;
	return run->verb->fn(run, guest->task, cx);
}

static int execute(struct run *run)
{
	struct config config;
	int status;

	if (!config_read(&config) || !app_init(&run->app, &config))
		return 1;
	run->lines.colours = isatty(STDOUT_FILENO) == 1;
	status = guest_run(&run->app, GUEST_ROOM(ROOM_events), true, run_verb, run);
	return status != 0 ? status : run->status;
}

int command_events(const struct command *command, int argc, char **argv)
{
	struct run run = {.status = 0};

	for (size_t i = 0; argc > 0 && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].name, argv[0]) == 0)
			run.verb = &verbs[i];
	}
	if (run.verb == NULL || !parse_options(&run, argc - 1, argv + 1))
		return command_usage(command);
	return execute(&run);
}
