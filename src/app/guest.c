/* See guest.h. */
#include "app/guest.h"

#include "app/events.h"
#include "events/bus.h"
#include "events/tasks.h"

#include <stdio.h>

struct work {
	struct guest guest;
	guest_fn *fn;
	void *arg;
	int status;
};

static void run(struct task *task, void *arg)
{
	struct work *work = arg;
	struct arena arena;
	struct ctx cx;
	enum rc rc;

	work->guest.task = task;
	task_arena(task, &arena);
	task_begin(task, &arena, &cx);
	rc = work->fn(&work->guest, &cx, work->arg);
	work->status = rc == RC_OK ? 0 : 1;
	if (rc != RC_OK)
		fprintf(stderr, "marca: %s\n", error_table[rc].text[LANG_EN]);
	arena_finish(&arena);
}

static bool open_rooms(struct app *app, unsigned rooms)
{
	for (size_t room = 0; room < ROOM_COUNT; room++)
		if ((rooms & GUEST_ROOM(room)) != 0 && !app_open_guest(app, (enum room)room))
			return false;
	return true;
}

int guest_run(struct app *app, unsigned rooms, bool with_bus, guest_fn *fn, void *arg)
{
	struct work work = {.guest = {.app = app}, .fn = fn, .arg = arg, .status = 1};
	struct tasks *tasks = NULL;

	if (open_rooms(app, rooms) && app_tasks_create(app, &tasks) == RC_OK &&
	    (!with_bus || app_bus_create(app, tasks, &work.guest.bus) == RC_OK) &&
	    tasks_add(tasks, run, &work) != NULL && tasks_run(tasks) != RC_OK)
		work.status = 1;
	bus_destroy(work.guest.bus);
	tasks_destroy(tasks);
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		db_close(app->dbs[room]);
		app->dbs[room] = NULL;
	}
	return work.status;
}
