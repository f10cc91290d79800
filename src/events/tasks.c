/* See tasks.h. */
#include "events/tasks.h"

#include "base/fiber.h"
#include "base/log.h"

#include <stdlib.h>
#include <uv.h>

struct task {
	struct tasks *tasks;
	struct task *next;
	void (*fn)(struct task *, void *arg);
	void *arg;
	struct fiber *fiber;   /* once it runs */
	struct fiber *waiting; /* in task_wait() */
	uv_timer_t timer;
	bool sleeps; /* not for rings */
	atomic_bool rung;
};

struct tasks {
	struct tasks_options options;
	uv_loop_t loop;
	uv_async_t bell;     /* rung for letters, for tasks that are rung, and for the stop */
	uv_prepare_t before; /* each time the thread is about to wait */
	struct mailbox mailbox;
	struct fiber_pool *fibers;
	struct arena_pool arenas;
	struct room_locals rooms;
	struct task *all;
	size_t running;
	atomic_bool stopping;
	uv_thread_t thread;
	bool started, opened;
	uv_sem_t opening; /* posted once `opened` is known */
};

static _Thread_local struct tasks *here;

/* --- Waiting ---------------------------------------------------------------- */

/* Only on the tasks' own thread: so a wait ends exactly once. */
static void wake(struct task *task)
{
	struct fiber *fiber = task->waiting;

	task->waiting = NULL;
	uv_timer_stop(&task->timer);
	fiber_wake(fiber);
}

static void on_timer(uv_timer_t *timer)
{
	struct task *task = timer->data;

	if (task->waiting != NULL)
		wake(task);
}

bool task_stopping(const struct task *task)
{
	return atomic_load(&task->tasks->stopping);
}

static void rest(struct task *task, int ms, bool sleeps)
{
	if (ms >= 0)
		uv_timer_start(&task->timer, on_timer, (uint64_t)ms, 0);
	task->sleeps = sleeps;
	task->waiting = fiber_self();
	fiber_wait();
}

bool task_wait(struct task *task, int ms)
{
	if (task_stopping(task))
		return false;
	if (atomic_exchange(&task->rung, false))
		return true;
	rest(task, ms, false);
	return atomic_exchange(&task->rung, false);
}

void task_sleep(struct task *task, int ms)
{
	if (!task_stopping(task))
		rest(task, ms, true);
}

void task_ring(struct task *task)
{
	if (!atomic_exchange(&task->rung, true))
		uv_async_send(&task->tasks->bell);
}

struct task *task_self(void)
{
	struct task *task = here->all;

	while (task != NULL && task->fiber != fiber_self())
		task = task->next;
	return task;
}

struct tasks *task_tasks(const struct task *task)
{
	return task->tasks;
}

const struct world *task_world(const struct task *task)
{
	return task->tasks->options.world;
}

/* --- Work ------------------------------------------------------------------- */

void task_arena(struct task *task, struct arena *ret)
{
	arena_init(ret, &task->tasks->arenas);
}

void task_begin(const struct task *task, struct arena *arena, struct ctx *ret)
{
	const struct tasks *tasks = task->tasks;

	*ret = (struct ctx){
		.arena = arena,
		.world = tasks->options.world,
		.now = world_now(tasks->options.world),
		.ports = tasks->rooms.ports,
		.locals = tasks->rooms.locals,
		.tracer = tasks->options.tracer,
	};
	ctx_trace(ret);
}

/* --- The loop ----------------------------------------------------------------- */

static void ring(struct mailbox *mailbox)
{
	uv_async_send(&CONTAINER_OF(mailbox, struct tasks, mailbox)->bell);
}

static void on_bell(uv_async_t *bell)
{
	struct tasks *tasks = bell->data;
	bool stopping = atomic_load(&tasks->stopping);

	mailbox_open(&tasks->mailbox);
	for (struct task *task = tasks->all; task != NULL; task = task->next) {
		bool rung = !task->sleeps && atomic_load(&task->rung);

		if (task->waiting != NULL && (stopping || rung))
			wake(task);
	}
}

static void on_before(uv_prepare_t *before)
{
	struct tasks *tasks = before->data;

	if (tasks->options.rest != NULL)
		tasks->options.rest(&tasks->rooms);
}

static void run_task(void *arg)
{
	struct task *task = arg;
	struct tasks *tasks = task->tasks;

	task->fiber = fiber_self();
	task->fn(task, task->arg);
	task->fiber = NULL;
	tasks->running--;
}

static void close_if_open(uv_handle_t *handle, void *arg)
{
	if (handle != arg && !uv_is_closing(handle))
		uv_close(handle, NULL);
}

/* Opens, and tells whoever waits in tasks_start(). */
static bool open_here(struct tasks *tasks)
{
	here = tasks;
	tasks->opened = tasks->options.open == NULL || tasks->options.open(tasks->options.app, &tasks->rooms);
	return tasks->opened;
}

static void run_here(struct tasks *tasks)
{
	for (struct task *task = tasks->all; task != NULL; task = task->next) {
		tasks->running++;
		if (fiber_run(tasks->fibers, run_task, task) != RC_OK) {
			LOG(ERROR, "no memory for a background task");
			tasks->running--;
		}
	}
	while (tasks->running > 0)
		uv_run(&tasks->loop, UV_RUN_ONCE);
}

static void close_here(struct tasks *tasks)
{
	if (tasks->options.close != NULL)
		tasks->options.close(tasks->options.app, &tasks->rooms);
	uv_walk(&tasks->loop, close_if_open, &tasks->bell);
	/* The bell may be rung by other threads until nobody knows the tasks any more. */
	uv_unref((uv_handle_t *)&tasks->bell);
	uv_run(&tasks->loop, UV_RUN_DEFAULT);
	arena_pool_finish(&tasks->arenas);
	here = NULL;
}

static void thread_main(void *arg)
{
	struct tasks *tasks = arg;
	bool opened = open_here(tasks);

	uv_sem_post(&tasks->opening);
	if (opened)
		run_here(tasks);
	close_here(tasks);
}

enum rc tasks_start(struct tasks *tasks)
{
	if (uv_thread_create(&tasks->thread, thread_main, tasks) != 0) {
		LOG(ERROR, "cannot start a thread");
		return RC_INTERNAL;
	}
	tasks->started = true;
	uv_sem_wait(&tasks->opening);
	return tasks->opened ? RC_OK : RC_INTERNAL;
}

enum rc tasks_run(struct tasks *tasks)
{
	bool opened = open_here(tasks);

	if (opened)
		run_here(tasks);
	close_here(tasks);
	return opened ? RC_OK : RC_INTERNAL;
}

void tasks_stop(struct tasks *tasks)
{
	if (tasks == NULL || !tasks->started)
		return;
	atomic_store(&tasks->stopping, true);
	uv_async_send(&tasks->bell);
	uv_thread_join(&tasks->thread);
	tasks->started = false;
}

/* --- Life --------------------------------------------------------------------- */

struct uv_loop_s *tasks_loop(struct tasks *tasks)
{
	return &tasks->loop;
}

uint64_t tasks_clock(const struct tasks *tasks)
{
	(void)tasks;
	return uv_hrtime() / 1000000;
}

enum rc tasks_create(const struct tasks_options *options, struct tasks **ret)
{
	struct tasks *tasks = calloc(1, sizeof(*tasks));

	if (tasks == NULL)
		return RC_NO_MEMORY;
	tasks->options = *options;
	if (uv_loop_init(&tasks->loop) != 0) {
		free(tasks);
		return RC_NO_MEMORY;
	}
	mailbox_init(&tasks->mailbox, ring);
	tasks->fibers = fiber_pool_create(&tasks->mailbox);
	uv_sem_init(&tasks->opening, 0);
	if (tasks->fibers == NULL || uv_async_init(&tasks->loop, &tasks->bell, on_bell) != 0) {
		fiber_pool_destroy(tasks->fibers);
		uv_sem_destroy(&tasks->opening);
		uv_loop_close(&tasks->loop);
		free(tasks);
		return RC_NO_MEMORY;
	}
	tasks->bell.data = tasks;
	uv_prepare_init(&tasks->loop, &tasks->before);
	tasks->before.data = tasks;
	uv_prepare_start(&tasks->before, on_before);
	*ret = tasks;
	return RC_OK;
}

struct task *tasks_add(struct tasks *tasks, void (*fn)(struct task *task, void *arg), void *arg)
{
	struct task *task = calloc(1, sizeof(*task)), **end = &tasks->all;

	if (task == NULL)
		return NULL;
	task->tasks = tasks;
	task->fn = fn;
	task->arg = arg;
	uv_timer_init(&tasks->loop, &task->timer);
	task->timer.data = task;
	while (*end != NULL)
		end = &(*end)->next;
	*end = task;
	return task;
}

void tasks_destroy(struct tasks *tasks)
{
	struct task *next;

	if (tasks == NULL)
		return;
	uv_walk(&tasks->loop, close_if_open, NULL);
	uv_run(&tasks->loop, UV_RUN_DEFAULT);
	uv_loop_close(&tasks->loop);
	fiber_pool_destroy(tasks->fibers);
	uv_sem_destroy(&tasks->opening);
	for (struct task *task = tasks->all; task != NULL; task = next) {
		next = task->next;
		free(task);
	}
	free(tasks);
}
