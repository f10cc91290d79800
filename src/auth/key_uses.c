/* See key_uses.h. */
#include "auth/key_uses.h"

#include "base/log.h"
#include "events/tasks.h"
#include "user/queries.h"

#include <pthread.h>
#include <stdlib.h>

struct use {
	struct uuid tenant_id, id;
	utime at;
};

struct key_uses {
	pthread_mutex_t lock;
	struct task *writer; /* NULL: does not run */
	size_t count;
	struct use waiting[KEY_USES_MAX];
};

struct key_uses *key_uses_create(void)
{
	struct key_uses *uses = calloc(1, sizeof(*uses));

	if (uses != NULL)
		pthread_mutex_init(&uses->lock, NULL);
	return uses;
}

void key_uses_destroy(struct key_uses *uses)
{
	if (uses == NULL)
		return;
	pthread_mutex_destroy(&uses->lock);
	free(uses);
}

void key_uses_note(struct key_uses *uses, const struct uuid *tenant_id, const struct uuid *id, utime at)
{
	pthread_mutex_lock(&uses->lock);
	if (uses->count < KEY_USES_MAX)
		uses->waiting[uses->count++] = (struct use){*tenant_id, *id, at};
	if (uses->writer != NULL)
		task_ring(uses->writer);
	pthread_mutex_unlock(&uses->lock);
}

static void set_writer(struct key_uses *uses, struct task *writer)
{
	pthread_mutex_lock(&uses->lock);
	uses->writer = writer;
	pthread_mutex_unlock(&uses->lock);
}

static bool take(struct key_uses *uses, struct use *ret)
{
	bool some;

	pthread_mutex_lock(&uses->lock);
	some = uses->count > 0;
	if (some)
		*ret = uses->waiting[--uses->count];
	pthread_mutex_unlock(&uses->lock);
	return some;
}

/* Nobody waits for it, and the next use is noted again: so a store that refuses is not asked twice. */
static void write_one(struct ctx *cx, const struct use *use)
{
	struct script script;

	script_init(&script, cx, ROOM_user, &use->tenant_id, &use->id);
	SCRIPT_ADD(&script, api_key_used, .tenant_id = use->tenant_id, .id = use->id, .at = use->at,
		   .unless_since = use->at - KEY_USE_STEP + 1);
	if (db_write(&script) != RC_OK)
		LOG(WARN, "the last use of an API key could not be written");
}

static void write_all(struct task *task, struct key_uses *uses)
{
	struct arena arena;
	struct use use;
	struct ctx cx;

	while (take(uses, &use)) {
		task_arena(task, &arena);
		task_begin(task, &arena, &cx);
		write_one(&cx, &use);
		arena_finish(&arena);
	}
}

void key_uses_run(struct task *task, struct key_uses *uses)
{
	set_writer(uses, task);
	while (!task_stopping(task)) {
		write_all(task, uses);
		task_wait(task, -1);
	}
	set_writer(uses, NULL);
	write_all(task, uses);
}
