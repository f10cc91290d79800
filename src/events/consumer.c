/*
 * See consumer.h. A worker takes a batch, and tries to have all of its effects by one script: one
 * transaction, whatever the number of events. Where that fails, each event is tried alone, in order, so that
 * only the one that is to blame is left: it is tried again after a while, and its subject's later events wait
 * for it; long because what may become of an event is one story, from the take to the acknowledgement.
 */
#include "events/consumer.h"

#include "base/log.h"
#include "events/backoff.h"
#include "trace/span.h"
#include "json/shape.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BATCH	  128
#define TAKE_MS	  1000
#define LINGER_MS 20 /* between two batches that were not full: what comes meanwhile shares a commit */
#define NAME_MAX  96

struct group {
	const struct consumers_options *options;
	const struct consumer_group *row;
	const char *streams[STREAM_COUNT];
	size_t stream_count;
	_Atomic uint64_t handled, repeated, retried, buried;
};

struct worker {
	struct group *group;
	char name[NAME_MAX];
	struct bus_reader *reader;
	struct backoff backoff;
	uint64_t claimed_at; /* ms: when the dead were last looked for */
	uint64_t take_at;    /* ms: not before then */
};

struct consumers {
	struct consumers_options options;
	struct group *groups;
	struct worker *workers;
	size_t worker_count;
};

/* What has become of one event of a batch. */
enum fate { OPEN, DONE, BURIED };

/* One event in hand. */
struct item {
	struct event event;
	const struct consumer *row; /* NULL: nothing follows from it */
	enum fate fate;
	int64_t tries, clashes;
	enum rc why;
};

struct batch {
	struct worker *worker;
	struct task *task;
	struct ctx *cx;
	struct item *items;
	size_t count;
};

const void *event_payload(struct ctx *cx, const struct event *event, const struct shape *shape)
{
	struct issues issues = {.arena = cx->arena};
	void *payload;

	if (shape_parse(shape, PARSE_WHOLE, str_from(event->payload), &issues, &payload) != RC_OK)
		return NULL;
	return payload;
}

/* --- Effects ------------------------------------------------------------------ */

static void count(_Atomic uint64_t *counter, uint64_t more)
{
	atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static const struct consumer *row_for(const struct group *group, const struct event *event)
{
	const struct consumers_options *options = group->options;

	for (size_t i = 0; i < options->row_count; i++) {
		const struct consumer *row = &options->rows[i];

		if (strcmp(row->group, group->row->name) == 0 && strcmp(row->stream, event->stream) == 0 &&
		    (row->type == NULL || strcmp(row->type, event->type) == 0))
			return row;
	}
	return NULL;
}

/* If the group has had it, this is refused, and nothing of the script is kept. */
static void add_id(struct delivery *delivery, const struct consumer_group *group, const struct event *event)
{
	const struct effect effect = {.tenant_id = event->tenant_id,
				      .consumer = group->name,
				      .event_id = event->id,
				      .applied_at = delivery->cx->now};

	script_add(delivery->script, group->effects.add, &effect);
}

static enum rc add_effect(struct delivery *delivery, const struct item *item)
{
	const struct event *event = &item->event;

	snprintf(delivery->cx->trace_id, sizeof(delivery->cx->trace_id), "%s", event->trace_id);
	return item->row->apply(delivery, event);
}

/* A script with the effects of these items, the ids first: steps that are alike and side by side cost less.
 * RC_STORE_CONSTRAINT: one of them may have been had before. */
static enum rc have_effects(const struct batch *batch, struct item *const *items, size_t item_count)
{
	const struct consumer_group *group = batch->worker->group->row;
	struct script script;
	struct delivery delivery = {.cx = batch->cx, .script = &script};
	const struct event *first = &items[0]->event;
	const struct event **events = arena_array(batch->cx->arena, item_count, sizeof(*events));
	enum rc rc = events != NULL ? RC_OK : RC_NO_MEMORY;

	for (size_t i = 0; rc == RC_OK && i < item_count; i++)
		events[i] = &items[i]->event;
	script_init(&script, batch->cx, group->effects.room, &first->tenant_id, &first->subject_id);
	script_reserve(&script, item_count * (1 + group->steps));
	if (rc == RC_OK && group->begin != NULL)
		rc = group->begin(&delivery, events, item_count);
	for (size_t i = 0; i < item_count; i++)
		add_id(&delivery, group, &items[i]->event);
	for (size_t i = 0; rc == RC_OK && i < item_count; i++)
		rc = add_effect(&delivery, items[i]);
	if (rc == RC_OK && group->finish != NULL)
		rc = group->finish(&delivery);
	return rc == RC_OK ? db_write(&script) : rc;
}

/* One of each event, in its own trace, for what was done for all of them together. */
static enum rc trace_effects(const struct batch *batch, struct item *const *items, size_t count)
{
	const char *group = batch->worker->group->row->name;
	uint64_t began = batch->cx->tracer != NULL ? span_clock() : 0;
	enum rc rc = have_effects(batch, items, count);

	for (size_t i = 0; batch->cx->tracer != NULL && i < count; i++) {
		const struct event *event = &items[i]->event;
		char id[UUID_TEXT_LEN + 1];
		struct span *span =
			span_of_trace(batch->cx, event->trace_id, SPAN_CONSUMER, event->type, began);

		span_text(span, "messaging.system", "marca");
		span_text(span, "messaging.operation.type", "process");
		span_text(span, "messaging.destination.name", event->stream);
		span_text(span, "messaging.consumer.group.name", group);
		span_text(span, "messaging.message.id", uuid_text(id, &event->id));
		span_number(span, "messaging.batch.message_count", (int64_t)count);
		span_end(span, rc == RC_OK ? NULL : error_table[rc].code);
	}
	return rc;
}

static struct effect_find find_of(const struct batch *batch, const struct item *item)
{
	return (struct effect_find){.tenant_id = item->event.tenant_id,
				    .consumer = batch->worker->group->row->name,
				    .event_id = item->event.id};
}

static enum rc was_had(const struct batch *batch, const struct item *item, bool *ret)
{
	const struct consumer_group *group = batch->worker->group->row;
	const struct effect_find in = find_of(batch, item);
	struct rows rows;
	enum rc rc = db_read(batch->cx, group->effects.find, &in, &rows);

	*ret = rc == RC_OK && rows.count > 0;
	return rc;
}

static enum rc try_alone(const struct batch *batch, struct item *item)
{
	struct group *group = batch->worker->group;
	enum rc rc = trace_effects(batch, &item, 1), found;
	bool had = false;

	if (rc == RC_STORE_CONSTRAINT) {
		found = was_had(batch, item, &had);
		if (found != RC_OK)
			return found;
	}
	if (rc != RC_OK && !had)
		return rc;
	item->fate = DONE;
	count(had ? &group->repeated : &group->handled, 1);
	return RC_OK;
}

/* By tenant, and within it as they came. */
static int by_tenant(const void *a, const void *b)
{
	const struct item *x = *(struct item *const *)a, *y = *(struct item *const *)b;
	int order = memcmp(x->event.tenant_id.b, y->event.tenant_id.b, sizeof(x->event.tenant_id.b));

	return order != 0 ? order : (x > y) - (x < y);
}

/* What is to do with all that are open, in one go. */
static enum rc try_together(const struct batch *batch)
{
	struct item **items = arena_array(batch->cx->arena, batch->count, sizeof(*items));
	size_t open = 0;
	enum rc rc;

	if (items == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->items[i].fate == OPEN)
			items[open++] = &batch->items[i];
	}
	qsort(items, open, sizeof(items[0]), by_tenant);
	rc = open > 0 ? trace_effects(batch, items, open) : RC_OK;
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < open; i++)
		items[i]->fate = DONE;
	count(&batch->worker->group->handled, open);
	return RC_OK;
}

/*
 * A stretch that comes again, since its acknowledgement was lost or a stream is read anew: what has been had
 * is done. By one look at all that are open.
 */
static enum rc leave_out_had(const struct batch *batch)
{
	struct worker *worker = batch->worker;
	struct arena *arena = batch->cx->arena;
	struct effect_find *finds = arena_array(arena, batch->count, sizeof(*finds));
	const void **ins = arena_array(arena, batch->count, sizeof(*ins));
	struct rows *found = arena_array(arena, batch->count, sizeof(*found));
	size_t open = 0;
	enum rc rc;

	if (finds == NULL || ins == NULL || found == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->items[i].fate != OPEN)
			continue;
		finds[open] = find_of(batch, &batch->items[i]);
		ins[open] = &finds[open];
		open++;
	}
	rc = db_read_each(batch->cx, worker->group->row->effects.find, ins, open, found);
	for (size_t i = 0, at = 0; rc == RC_OK && i < batch->count; i++) {
		if (batch->items[i].fate != OPEN || found[at++].count == 0)
			continue;
		batch->items[i].fate = DONE;
		count(&worker->group->repeated, 1);
	}
	return rc;
}

/* Two that add to the same rows at once clash, and the next time one of them is first: worth another try or
 * two before each event costs a commit of its own. */
#define CLASHES_TOGETHER 2

static enum rc try_together_again(const struct batch *batch)
{
	enum rc rc = try_together(batch);

	if (rc == RC_STORE_CONSTRAINT) {
		rc = leave_out_had(batch);
		if (rc == RC_OK)
			rc = try_together(batch);
	}
	for (unsigned i = 0; i < CLASHES_TOGETHER && rc == RC_STORE_CONSTRAINT; i++) {
		task_sleep(batch->task, backoff_ms(i, batch->cx->world));
		rc = try_together(batch);
	}
	return rc;
}

/* --- Tries, and the end of them --------------------------------------------------- */

/* Its turn will come when something else works again; it is not to blame. */
static bool is_outage(enum rc rc)
{
	return rc == RC_STORE_DOWN || rc == RC_BUS_DOWN || rc == RC_NO_MEMORY || rc == RC_OVERLOADED ||
	       rc == RC_SETTINGS_DOWN || rc == RC_BOOKINGS_DOWN;
}

/* With memory of its own, since an outage may ask for many tries. */
static enum rc bury_once(const struct batch *batch, const struct item *item)
{
	struct ctx own = *batch->cx;
	struct arena arena;
	enum rc rc;

	task_arena(batch->task, &arena);
	own.arena = &arena;
	rc = bus_bury(batch->worker->reader, &own, &item->event, error_table[item->why].code, item->tries);
	arena_finish(&arena);
	return rc;
}

static void bury(const struct batch *batch, struct item *item)
{
	struct worker *worker = batch->worker;
	char tenant[UUID_TEXT_LEN + 1];
	enum rc rc;

	LOG(ERROR, "an event's effect fails for good; `marca events dead` shows it",
	    LOG_TEXT("group", worker->group->row->name), LOG_TEXT("type", item->event.type),
	    LOG_TEXT("tenant_id", uuid_text(tenant, &item->event.tenant_id)),
	    LOG_TEXT("trace_id", item->event.trace_id), LOG_TEXT("why", error_table[item->why].name));
	while ((rc = bury_once(batch, item)) != RC_OK) {
		backoff_wait(&worker->backoff, batch->task, rc);
		if (task_stopping(batch->task))
			return;
	}
	item->fate = BURIED;
	count(&worker->group->buried, 1);
}

/*
 * Another process has added to the same rows at the same time (two that extend one chain of the audit trail,
 * say): no fault of the event's, and next time it may be first. But not for ever: it could be a constraint
 * that always refuses.
 */
#define CLASHES_A_TRY 20

static bool is_hopeless(const struct group *group, struct item *item, enum rc why)
{
	item->why = why;
	if (why != RC_STORE_CONSTRAINT || ++item->clashes == CLASHES_A_TRY) {
		item->clashes = 0;
		item->tries++;
	}
	return item->tries >= group->options->tries;
}

/* An earlier event of the same subject waits for its next try. */
static bool must_wait(const struct batch *batch, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (batch->items[i].fate == OPEN &&
		    uuid_equal(&batch->items[i].event.subject_id, &batch->items[index].event.subject_id))
			return true;
	}
	return false;
}

/* One try for each that is open. *ret_left: how many still are. An outage ends it at once. */
static enum rc try_each(const struct batch *batch, size_t *ret_left)
{
	struct group *group = batch->worker->group;

	*ret_left = 0;
	for (size_t i = 0; i < batch->count; i++) {
		struct item *item = &batch->items[i];
		enum rc rc;

		if (item->fate != OPEN)
			continue;
		if (must_wait(batch, i)) {
			(*ret_left)++;
			continue;
		}
		rc = try_alone(batch, item);
		if (is_outage(rc))
			return rc;
		if (rc == RC_OK)
			continue;
		count(&group->retried, 1);
		if (is_hopeless(group, item, rc))
			bury(batch, item);
		*ret_left += item->fate == OPEN;
	}
	return RC_OK;
}

/* Until each has had its effect or is buried; or the tasks stop, and others will be given the rest. */
static void settle(const struct batch *batch)
{
	struct worker *worker = batch->worker;
	struct arena own = {0}, *outer = batch->cx->arena;
	unsigned rounds = 0;
	size_t left = 0;
	enum rc rc = try_together_again(batch);

	if (rc == RC_OK)
		return;
	do {
		task_arena(batch->task, &own);
		batch->cx->arena = &own;
		batch->cx->now = world_now(batch->cx->world);
		rc = try_each(batch, &left);
		batch->cx->arena = outer;
		arena_finish(&own);
		if (rc != RC_OK)
			backoff_wait(&worker->backoff, batch->task, rc);
		else if (left > 0)
			task_sleep(batch->task, backoff_ms(rounds++, batch->cx->world));
		if (rc == RC_OK)
			backoff_reset(&worker->backoff);
	} while ((rc != RC_OK || left > 0) && !task_stopping(batch->task));
}

/* --- Batches ---------------------------------------------------------------------- */

static enum rc acknowledge(const struct batch *batch)
{
	struct event *done = arena_array(batch->cx->arena, batch->count, sizeof(*done));
	size_t n = 0;

	if (done == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->items[i].fate == DONE)
			done[n++] = batch->items[i].event;
	}
	return n > 0 ? bus_ack(batch->worker->reader, batch->cx, done, n) : RC_OK;
}

/* An acknowledgement that is lost costs a look at the event's id when it is delivered again. */
static enum rc handle(struct worker *worker, struct task *task, struct ctx *cx, const struct events *events)
{
	struct batch batch = {.worker = worker, .task = task, .cx = cx, .count = events->count};

	batch.items = arena_array(cx->arena, batch.count, sizeof(*batch.items));
	if (batch.items == NULL)
		return RC_NO_MEMORY;
	for (size_t i = 0; i < batch.count; i++) {
		struct item *item = &batch.items[i];

		item->event = events->items[i];
		item->row = row_for(worker->group, &item->event);
		if (item->row == NULL)
			item->fate = DONE;
	}
	settle(&batch);
	return acknowledge(&batch);
}

/* A first event is taken at once. Those that follow upon it are taken together. */
static enum rc handle_new(struct worker *worker, struct task *task, struct ctx *cx)
{
	const struct tasks *tasks = task_tasks(task);
	uint64_t now = tasks_clock(tasks); /* looked at once: a sleep of less than nothing has no end */
	struct events events;
	enum rc rc;

	if (now < worker->take_at)
		task_sleep(task, (int)(worker->take_at - now));
	rc = bus_take(worker->reader, cx, BATCH, TAKE_MS, &events);
	if (rc != RC_OK || events.count == 0)
		return rc;
	worker->take_at = events.count < BATCH ? tasks_clock(tasks) + LINGER_MS : 0;
	cx->now = world_now(cx->world); /* it may have waited */
	return handle(worker, task, cx, &events);
}

/* What the dead have left, in order; as full batches as there are. */
static enum rc handle_claimed(struct worker *worker, struct task *task, struct ctx *cx, bool *ret_more)
{
	struct events events;
	enum rc rc = bus_claim(worker->reader, cx, BATCH, worker->group->options->claim_ms, &events);

	*ret_more = rc == RC_OK && events.count == BATCH;
	return rc == RC_OK && events.count > 0 ? handle(worker, task, cx, &events) : rc;
}

static bool claim_is_due(const struct worker *worker, const struct task *task)
{
	uint64_t every = (uint64_t)worker->group->options->claim_ms / 4;

	if (every > TAKE_MS)
		every = TAKE_MS;
	return tasks_clock(task_tasks(task)) - worker->claimed_at >= every;
}

static enum rc work(struct worker *worker, struct task *task, struct ctx *cx)
{
	const struct group *group = worker->group;
	enum rc rc = RC_OK;
	bool more = false;

	if (worker->reader == NULL)
		rc = bus_join(group->options->bus, cx, group->row->name, worker->name, group->streams,
			      group->stream_count, &worker->reader);
	if (rc == RC_OK && claim_is_due(worker, task)) {
		rc = handle_claimed(worker, task, cx, &more);
		if (!more)
			worker->claimed_at = tasks_clock(task_tasks(task));
	}
	return rc == RC_OK && !more ? handle_new(worker, task, cx) : rc;
}

static void run(struct task *task, void *arg)
{
	struct worker *worker = arg;
	struct arena arena;
	struct ctx cx;
	enum rc rc;

	while (!task_stopping(task)) {
		task_arena(task, &arena);
		task_begin(task, &arena, &cx);
		ctx_enter(&cx);
		rc = work(worker, task, &cx);
		ctx_enter(NULL);
		arena_finish(&arena);
		if (rc != RC_OK)
			backoff_wait(&worker->backoff, task, rc);
		else
			backoff_reset(&worker->backoff);
	}
	bus_leave(worker->reader);
	worker->reader = NULL;
}

/* --- From outside --------------------------------------------------------------------- */

static void find_streams(struct group *group)
{
	const struct consumers_options *options = group->options;

	for (size_t i = 0; i < STREAM_COUNT; i++) {
		for (size_t j = 0; j < options->row_count; j++) {
			if (strcmp(options->rows[j].group, group->row->name) != 0 ||
			    strcmp(options->rows[j].stream, stream_names[i]) != 0)
				continue;
			group->streams[group->stream_count++] = stream_names[i];
			break;
		}
	}
}

/* Two processes, on whichever machines, never bear one name. */
static void name_worker(struct worker *worker, int number)
{
	char host[64] = "";

	(void)!gethostname(host, sizeof(host) - 1);
	snprintf(worker->name, sizeof(worker->name), "%.40s-%d-%d", host, (int)getpid(), number);
}

static bool add_workers(struct consumers *consumers, struct group *group)
{
	for (int i = 0; i < consumers->options.workers; i++) {
		struct worker *worker = &consumers->workers[consumers->worker_count++];

		worker->group = group;
		worker->backoff.who = group->row->name;
		name_worker(worker, i + 1);
		if (tasks_add(consumers->options.tasks, run, worker) == NULL)
			return false;
	}
	return true;
}

enum rc consumers_create(const struct consumers_options *options, struct consumers **ret)
{
	struct consumers *consumers = calloc(1, sizeof(*consumers));
	bool good = consumers != NULL;

	if (good) {
		consumers->options = *options;
		consumers->groups = calloc(options->group_count, sizeof(consumers->groups[0]));
		consumers->workers = calloc(options->group_count * (size_t)options->workers + 1,
					    sizeof(consumers->workers[0]));
		good = consumers->groups != NULL && consumers->workers != NULL;
	}
	for (size_t i = 0; good && i < options->group_count; i++) {
		struct group *group = &consumers->groups[i];

		group->options = &consumers->options;
		group->row = &options->groups[i];
		find_streams(group);
		good = add_workers(consumers, group);
	}
	if (!good) {
		consumers_destroy(consumers);
		return RC_NO_MEMORY;
	}
	*ret = consumers;
	return RC_OK;
}

void consumers_destroy(struct consumers *consumers)
{
	if (consumers == NULL)
		return;
	free(consumers->groups);
	free(consumers->workers);
	free(consumers);
}

void consumers_stats(const struct consumers *consumers, size_t group, struct consumer_stats *ret)
{
	const struct group *one = &consumers->groups[group];

	ret->handled = atomic_load_explicit(&one->handled, memory_order_relaxed);
	ret->repeated = atomic_load_explicit(&one->repeated, memory_order_relaxed);
	ret->retried = atomic_load_explicit(&one->retried, memory_order_relaxed);
	ret->buried = atomic_load_explicit(&one->buried, memory_order_relaxed);
}
