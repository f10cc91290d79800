/* See relay.h. */
#include "events/relay.h"

#include "base/log.h"
#include "events/backoff.h"

#include <stdlib.h>

#define LOOK_MS	   1000 /* a commit rings; but a ring from another process can be lost */
#define SYNC_MS	   5000 /* Redis may have lost what it had, and nobody says so while nothing happens */
#define PURGE_ROWS 2000
#define LINGER_MS  4 /* after events that were fewer than a batch: those of the next commits come together */

struct relay {
	struct relay_options options;
	struct task *task;
	struct uuid me;
	bool shared; /* other processes may hold the lease */

	/* The lease. */
	atomic_bool leads;
	int64_t beat;	  /* of whoever holds it, as last seen */
	uint64_t beat_at; /* ms: when it was first seen, or when ours was given */
	struct uuid source;

	/* What the streams have, once they were asked. */
	bool synced;
	uint64_t synced_at; /* ms */
	int64_t last[STREAM_COUNT], highest;
	bool behind;  /* marked events may wait to be published */
	bool lingers; /* events came just now, and more may follow upon them */
	bool stale;   /* the stream has refused what it had asked for */
	struct backoff backoff;
	_Atomic uint64_t published;
	_Atomic int64_t told[STREAM_COUNT]; /* as `last`, for other threads; -1: not known */
};

/* --- One query, or one script of one step -------------------------------------- */

static enum rc write_one(const struct relay *relay, struct ctx *cx, const struct query *query, const void *in,
			 struct rows *ret)
{
	struct script script;
	struct step *step;
	enum rc rc;

	script_init(&script, cx, relay->options.queries.room, &UUID_NONE, &relay->me);
	step = script_add(&script, query, in);
	rc = db_write(&script);
	if (rc == RC_OK)
		*ret = step->rows;
	return rc;
}

/* --- The lease ------------------------------------------------------------------ */

static uint64_t clock_ms(const struct relay *relay)
{
	return tasks_clock(relay->options.tasks);
}

static void lose_lease(struct relay *relay)
{
	LOG(WARN, "another relay has taken over, or the database was set back",
	    LOG_TEXT("relay", relay->options.name));
	atomic_store(&relay->leads, false);
	relay->synced = false;
}

/* Another holder lives as long as the beat moves; by our own clock, since others may go otherwise. */
static bool holder_lives(struct relay *relay, const struct relay_state *state)
{
	uint64_t now = clock_ms(relay);

	if (!relay->shared || uuid_is_none(&state->holder) || uuid_equal(&state->holder, &relay->me))
		return false;
	if (relay->beat_at == 0 || state->beat != relay->beat) {
		relay->beat = state->beat;
		relay->beat_at = now;
	}
	return now - relay->beat_at < (uint64_t)relay->options.lease_ms;
}

static enum rc try_lease(struct relay *relay, struct ctx *cx)
{
	const struct relay_queries *queries = &relay->options.queries;
	struct relay_take in = {.holder = relay->me};
	struct rows rows, taken;
	const struct relay_state *state;
	enum rc rc = db_read(cx, queries->read, NULL, &rows);

	if (rc != RC_OK)
		return rc;
	state = rows.items;
	if (holder_lives(relay, state))
		return RC_OK;
	in.beat = state->beat;
	rc = write_one(relay, cx, queries->take, &in, &taken);
	if (rc != RC_OK || taken.count == 0)
		return rc;
	relay->source = state->source;
	relay->beat_at = clock_ms(relay);
	atomic_store(&relay->leads, true);
	return RC_OK;
}

static bool beat_is_due(const struct relay *relay)
{
	return relay->shared && clock_ms(relay) - relay->beat_at >= (uint64_t)relay->options.lease_ms / 4;
}

/* --- What the streams have ------------------------------------------------------- */

static enum rc rename_source(struct relay *relay, struct ctx *cx)
{
	const struct relay_renew in = {.holder = relay->me, .source = uuid_v7(cx->world, cx->now)};
	struct rows rows;
	enum rc rc = write_one(relay, cx, relay->options.queries.renew, &in, &rows);

	if (rc != RC_OK)
		return rc; /* what was published under a name that is not kept would come again under the next
			    */
	if (rows.count == 0)
		lose_lease(relay);
	else
		relay->source = in.source;
	return RC_OK;
}

static enum rc ask_streams(struct relay *relay, struct ctx *cx)
{
	relay->highest = 0;
	for (size_t i = 0; i < relay->options.stream_count; i++) {
		enum rc rc = bus_last(relay->options.bus, cx, relay->options.streams[i], &relay->source,
				      &relay->last[i]);

		if (rc != RC_OK)
			return rc;
		atomic_store(&relay->told[i], relay->last[i]);
		if (relay->last[i] > relay->highest)
			relay->highest = relay->last[i];
	}
	return RC_OK;
}

/*
 * A stream that has taken events which this database never had knows it from before it was restored from a
 * backup: what now gets those numbers is something else. Under a new name all of it is published again; those
 * who had it know it by the events' ids.
 */
static enum rc sync(struct relay *relay, struct ctx *cx)
{
	const struct relay_state *state;
	struct rows rows;
	enum rc rc = uuid_is_none(&relay->source) ? rename_source(relay, cx) : RC_OK;

	if (rc == RC_OK)
		rc = db_read(cx, relay->options.queries.read, NULL, &rows);
	if (rc == RC_OK)
		rc = ask_streams(relay, cx);
	if (rc != RC_OK || !atomic_load(&relay->leads))
		return rc;
	state = rows.items;
	if (relay->highest > state->sequence) {
		LOG(WARN,
		    "the streams know more of this database than it does: it was restored; its events are "
		    "sent again",
		    LOG_TEXT("relay", relay->options.name), LOG_NUMBER("here", state->sequence),
		    LOG_NUMBER("there", relay->highest));
		rc = rename_source(relay, cx);
		if (rc == RC_OK)
			rc = ask_streams(relay, cx);
	}
	relay->synced = rc == RC_OK && atomic_load(&relay->leads);
	relay->synced_at = clock_ms(relay);
	relay->behind = true;
	return rc;
}

/* --- Marking and publishing -------------------------------------------------------- */

/*
 * One script: the lease is held, up to a batch is marked. *ret: how many. Nothing is marked by a database
 * that has been set back beneath us (one that lags behind has taken over): the streams have had those
 * numbers.
 */
static enum rc mark(struct relay *relay, struct ctx *cx, int64_t *ret)
{
	const struct relay_queries *queries = &relay->options.queries;
	const struct relay_mark in = {.holder = relay->me, .least = relay->highest, .limit = BUS_BATCH};
	const struct relay_hold holding = {.holder = relay->me, .least = relay->highest};
	const struct relay_holder holder = {relay->me};
	struct step *hold, *advance;
	struct script script;
	enum rc rc;

	*ret = 0;
	script_init(&script, cx, queries->room, &UUID_NONE, &relay->me);
	hold = script_add(&script, queries->hold, &holding);
	script_add(&script, queries->mark, &in);
	advance = script_add(&script, queries->advance, &holder);
	rc = db_write(&script);
	if (rc != RC_OK) {
		relay->behind = true; /* they may be marked all the same */
		return rc;
	}
	if (hold->rows.count == 0) {
		lose_lease(relay);
		return RC_OK;
	}
	relay->beat_at = clock_ms(relay);
	*ret = ((const struct relay_sequence *)advance->rows.items)->sequence -
	       ((const struct relay_sequence *)hold->rows.items)->sequence;
	relay->behind |= *ret > 0;
	return RC_OK;
}

/* An empty mark is a write all the same: so look first, unless it serves as a sign of life. */
static enum rc mark_waiting(struct relay *relay, struct ctx *cx, int64_t *ret)
{
	struct rows waiting;
	enum rc rc;

	*ret = 0;
	if (beat_is_due(relay))
		return mark(relay, cx, ret);
	rc = db_read(cx, relay->options.queries.waiting, NULL, &waiting);
	return rc == RC_OK && waiting.count > 0 ? mark(relay, cx, ret) : rc;
}

/* One batch of one stream. *ret: how many. */
static enum rc publish_next(struct relay *relay, struct ctx *cx, size_t stream, size_t *ret)
{
	const struct relay_next in = {.stream = relay->options.streams[stream],
				      .sequence = relay->last[stream],
				      .limit = BUS_BATCH};
	const struct event *events;
	struct rows rows;
	enum rc rc = db_read(cx, relay->options.queries.next, &in, &rows);

	*ret = rows.count;
	if (rc != RC_OK || rows.count == 0)
		return rc;
	events = rows.items;
	rc = bus_publish(relay->options.bus, cx, in.stream, &relay->source, in.sequence, events, rows.count);
	if (rc != RC_OK)
		return rc;
	relay->last[stream] = events[rows.count - 1].sequence;
	atomic_store(&relay->told[stream], relay->last[stream]);
	if (relay->last[stream] > relay->highest)
		relay->highest = relay->last[stream];
	atomic_fetch_add_explicit(&relay->published, rows.count, memory_order_relaxed);
	return RC_OK;
}

static enum rc publish(struct relay *relay, struct ctx *cx)
{
	bool full = false;
	size_t count;

	for (size_t i = 0; i < relay->options.stream_count; i++) {
		enum rc rc = publish_next(relay, cx, i, &count);

		/*
		 * Somebody else has published, or the stream has been lost: ask it again. One that refuses
		 * what it has just asked for (what it keeps of us was written over) is not asked for ever.
		 */
		if (rc != RC_OK) {
			bool again = rc == RC_STALE && !relay->stale;

			relay->stale = rc == RC_STALE;
			relay->synced = false;
			return again ? RC_OK : rc;
		}
		relay->stale &= count == 0;
		full |= count == BUS_BATCH;
	}
	relay->behind = full;
	return RC_OK;
}

/* --- The task ----------------------------------------------------------------------- */

/* What there is to do now, up to one batch. *ret_more: at once again. */
static enum rc work(struct relay *relay, struct ctx *cx, bool *ret_more)
{
	int64_t marked = 0;
	enum rc rc = RC_OK;

	*ret_more = false;
	if (!atomic_load(&relay->leads))
		rc = try_lease(relay, cx);
	if (rc != RC_OK || !atomic_load(&relay->leads))
		return rc;
	if (clock_ms(relay) - relay->synced_at >= SYNC_MS)
		relay->synced = false;
	/* Events wait unmarked while the bus is away: nothing but reads. */
	if (!relay->synced) {
		rc = sync(relay, cx);
		if (rc != RC_OK || !atomic_load(&relay->leads))
			return rc;
	}
	rc = mark_waiting(relay, cx, &marked);
	if (rc == RC_OK && relay->behind && atomic_load(&relay->leads))
		rc = publish(relay, cx);
	*ret_more = marked == BUS_BATCH || relay->behind;
	relay->lingers = marked > 0;
	return rc;
}

static int rest_ms(const struct relay *relay)
{
	int beat = relay->options.lease_ms / 4;

	return relay->shared && beat < LOOK_MS ? beat : LOOK_MS;
}

static void give_lease(const struct relay *relay, struct ctx *cx)
{
	const struct relay_holder in = {relay->me};
	struct rows none;

	if (atomic_load(&relay->leads) &&
	    write_one(relay, cx, relay->options.queries.give, &in, &none) != RC_OK)
		LOG(WARN, "the relay's lease could not be given back; others will wait for its end",
		    LOG_TEXT("relay", relay->options.name));
}

static void run(struct task *task, void *arg)
{
	struct relay *relay = arg;
	struct arena arena;
	struct ctx cx;
	bool more, first = true;
	enum rc rc;

	while (!task_stopping(task)) {
		task_arena(task, &arena);
		task_begin(task, &arena, &cx);
		if (first)
			relay->me = uuid_v7(cx.world, cx.now);
		first = false;
		rc = work(relay, &cx, &more);
		/* Who does not lead, or does not get on, may have lost the lease to another who is to hear of
		 * commits. */
		db_watch_here(relay->options.db, rc == RC_OK && atomic_load(&relay->leads));
		arena_finish(&arena);
		if (rc != RC_OK) {
			backoff_wait(&relay->backoff, task, rc);
			continue;
		}
		backoff_reset(&relay->backoff);
		if (!atomic_load(&relay->leads)) /* commits are another's to heed */
			task_sleep(task, rest_ms(relay));
		else if (!more && relay->lingers)
			task_sleep(task, LINGER_MS);
		else if (!more)
			task_wait(task, rest_ms(relay));
	}
	task_arena(task, &arena);
	task_begin(task, &arena, &cx);
	db_watch_here(relay->options.db, false);
	give_lease(relay, &cx);
	arena_finish(&arena);
}

/* --- From outside ------------------------------------------------------------------- */

/* A commit has left an event. */
static void on_commit(void *arg)
{
	task_ring(((struct relay *)arg)->task);
}

enum rc relay_create(const struct relay_options *options, struct relay **ret)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	enum rc rc = RC_NO_MEMORY;

	if (relay == NULL)
		return rc;
	relay->options = *options;
	relay->backoff.who = options->name;
	relay->shared = db_is_shared(options->db);
	for (size_t i = 0; i < STREAM_COUNT; i++)
		atomic_init(&relay->told[i], -1);
	relay->task = tasks_add(options->tasks, run, relay);
	if (relay->task != NULL)
		rc = db_watch(options->db, on_commit, relay);
	if (rc != RC_OK) {
		free(relay);
		return rc;
	}
	*ret = relay;
	return RC_OK;
}

void relay_destroy(struct relay *relay)
{
	if (relay == NULL)
		return;
	db_unwatch(relay->options.db);
	free(relay);
}

void relay_stats(const struct relay *relay, struct relay_stats *ret)
{
	ret->name = relay->options.name;
	ret->room = relay->options.queries.room;
	ret->published = atomic_load_explicit(&relay->published, memory_order_relaxed);
	ret->leads = atomic_load(&relay->leads);
}

static enum rc add_backlog(struct ctx *cx, const struct query *query, const void *in,
			   struct outbox_backlog *sum)
{
	const struct outbox_backlog *found;
	struct rows rows;
	enum rc rc = db_read(cx, query, in, &rows);

	if (rc != RC_OK)
		return rc;
	found = rows.items;
	sum->count += found->count;
	if (sum->oldest == UTIME_NONE || (found->oldest != UTIME_NONE && found->oldest < sum->oldest))
		sum->oldest = found->oldest;
	return RC_OK;
}

enum rc relay_backlog(const struct relay *relay, struct ctx *cx, struct outbox_backlog *ret)
{
	const struct relay_queries *queries = &relay->options.queries;
	const struct outbox_limit waiting = {.limit = RELAY_BACKLOG_MAX};
	struct outbox_backlog sum = {.oldest = UTIME_NONE};
	enum rc rc = add_backlog(cx, queries->backlog, &waiting, &sum);

	/* Marked, and not sent: whoever leads knows. */
	for (size_t i = 0; rc == RC_OK && atomic_load(&relay->leads) && i < relay->options.stream_count;
	     i++) {
		const struct relay_next unsent = {.stream = relay->options.streams[i],
						  .sequence = atomic_load(&relay->told[i]),
						  .limit = RELAY_BACKLOG_MAX};

		if (unsent.sequence >= 0)
			rc = add_backlog(cx, queries->unsent, &unsent, &sum);
	}
	if (rc == RC_OK)
		*ret = sum;
	return rc;
}

enum rc relay_purge(struct relay *relay, struct ctx *cx, utime before, bool *ret_more)
{
	struct rows gone;
	enum rc rc = RC_OK;

	*ret_more = false;
	if (!atomic_load(&relay->leads) || !relay->synced)
		return RC_OK;
	for (size_t i = 0; i < relay->options.stream_count && rc == RC_OK; i++) {
		const struct outbox_purge in = {.stream = relay->options.streams[i],
						.sequence = relay->last[i],
						.before = before,
						.limit = PURGE_ROWS};

		rc = write_one(relay, cx, relay->options.queries.purge, &in, &gone);
		*ret_more |= rc == RC_OK && gone.count == PURGE_ROWS;
	}
	return rc;
}

enum rc relay_oldest(const struct relay *relay, struct ctx *cx, utime *ret)
{
	struct rows rows;
	utime oldest = UTIME_MAX;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < relay->options.stream_count && rc == RC_OK; i++) {
		const struct outbox_oldest in = {relay->options.streams[i]};
		const struct outbox_age *first;

		rc = db_read(cx, relay->options.queries.oldest, &in, &rows);
		first = rc == RC_OK && rows.count > 0 ? rows.items : NULL;
		if (first != NULL && first->created_at < oldest)
			oldest = first->created_at;
	}
	if (rc == RC_OK)
		*ret = oldest;
	return rc;
}
