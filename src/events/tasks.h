/*
 * Tasks: what a process does besides answering requests. One thread with a libuv loop; each task is a fiber
 * on it, from the start to the stop: a relay, a consumer, the janitor. So they read top to bottom where they
 * wait, and need no locks against one another.
 */
#ifndef EVENTS_TASKS_H
#define EVENTS_TASKS_H

#include "base/ctx.h"

struct uv_loop_s;
struct tasks;
struct task;

struct tasks_options {
	const struct world *world;
	/* On the tasks' thread, at its start and at its end; `close` takes what a failed `open` left as well.
	 */
	bool (*open)(void *app, struct room_locals *ret);
	void (*close)(void *app, struct room_locals *locals);
	/* The thread is about to wait. */
	void (*rest)(const struct room_locals *locals);
	void *app;
	struct tracer *tracer; /* NULL: no spans are wanted */
};

enum rc tasks_create(const struct tasks_options *options, struct tasks **ret) MUST_USE;
/* After tasks_stop(), if they were started. NULL is fine. */
void tasks_destroy(struct tasks *tasks);

/* Before they start. The task ends when fn returns. NULL: memory. */
struct task *tasks_add(struct tasks *tasks, void (*fn)(struct task *task, void *arg), void *arg) MUST_USE;

/* On a thread of their own. RC_INTERNAL when it could not be opened. */
enum rc tasks_start(struct tasks *tasks) MUST_USE;
/* Asks all tasks to end, and waits until they have. */
void tasks_stop(struct tasks *tasks);
/* On this thread, until each has ended by itself: for commands. */
enum rc tasks_run(struct tasks *tasks) MUST_USE;

/* The loop, for handles of the tasks' own; they are closed when the last task has ended. */
struct uv_loop_s *tasks_loop(struct tasks *tasks);
/* A counter of seconds and parts of it that never goes back, in ms. */
uint64_t tasks_clock(const struct tasks *tasks);

/* --- Within a task -------------------------------------------------------- */

/* The one that runs now on this thread. */
struct task *task_self(void);
struct tasks *task_tasks(const struct task *task);
const struct world *task_world(const struct task *task);
bool task_stopping(const struct task *task);

/*
 * Gives the thread back until the task is rung, or so many ms have passed (-1: for ever), or all shall stop.
 * True when it was rung, since the last wait or within this one.
 */
bool task_wait(struct task *task, int ms);
/* So many ms, whoever rings; only a stop ends it early. */
void task_sleep(struct task *task, int ms);
/* On any thread. Many rings before it looks are one. */
void task_ring(struct task *task);

/* A piece of work of its own: this thread's stores, the time now, a new trace. */
void task_begin(const struct task *task, struct arena *arena, struct ctx *ret);
/* For task_begin(): empty, with the thread's chunks. */
void task_arena(struct task *task, struct arena *ret);

#endif
