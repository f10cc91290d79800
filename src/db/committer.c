/*
 * Group commit: what queued up while the last commit ran becomes one transaction.
 *
 * A group is sorted by (tenant, key), so that two processes lock rows in one order
 * and never wait for each other in a circle. A script that fails is left out and the rest runs again:
 * free while failures are rare. When several fail in one group, somebody may be sending
 * bad requests on purpose, and the rest runs apart, where a failure costs only itself. Savepoints from the
 * start are dearer: on SQLite 8,400 scripts/s instead of 12,200 when none fails, and no better at 10 %
 * (db_bench).
 */
#include "db/driver.h"

#include "base/log.h"

#include <stdlib.h>
#include <time.h>

#define DROPS_MAX 3  /* failures in one group before the rest runs apart */
#define AGAIN_MAX 10 /* deadlocks of one group */

struct group {
	struct script *scripts[GROUP_MAX];
	size_t count;
};

static int compare(const void *a, const void *b)
{
	const struct script *x = *(struct script *const *)a, *y = *(struct script *const *)b;
	int order = memcmp(x->tenant.b, y->tenant.b, sizeof(x->tenant.b));

	if (order == 0)
		order = memcmp(x->key.b, y->key.b, sizeof(x->key.b));
	/* Under one key, the first come is served first. */
	return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static void touch(struct db *db, const struct script *script)
{
	db_touch(db, &script->key);
	if (!uuid_is_none(&script->also))
		db_touch(db, &script->also);
}

/* All that is left has ended. The versions move before anyone is told that his change is kept. */
static void settle(struct db *db, struct group *group)
{
	uint64_t kept = 0;
	bool tells = false;

	for (size_t i = 0; i < group->count; i++) {
		const struct script *script = group->scripts[i];

		kept += script->job.rc == RC_OK; /* run apart, some may have failed */
		tells |= script->tells;
		touch(db, script);
	}
	db_note_kept(db, group->scripts, group->count);
	atomic_fetch_add_explicit(&db->writes, kept, memory_order_relaxed);
	atomic_fetch_add_explicit(&db->commits, 1, memory_order_relaxed);
	for (size_t i = 0; i < group->count; i++)
		job_done(&group->scripts[i]->job, group->scripts[i]->job.rc);
	group->count = 0;
	if (tells)
		db_tell(db);
}

/* Perhaps it was kept after all: so the versions move here too. */
static void give_up(struct db *db, struct group *group, enum rc rc)
{
	for (size_t i = 0; i < group->count; i++)
		touch(db, group->scripts[i]);
	db_note_kept(db, group->scripts, group->count);
	for (size_t i = 0; i < group->count; i++)
		job_done(&group->scripts[i]->job, rc);
	group->count = 0;
}

static void drop(struct group *group, size_t index)
{
	struct script *script = group->scripts[index];

	group->count--;
	memmove(&group->scripts[index], &group->scripts[index + 1],
		(group->count - index) * sizeof(group->scripts[0]));
	job_done(&script->job, script->job.rc);
}

/* False when the writer has lost its store. */
static bool commit_group(const struct hand *hand, struct group *group)
{
	struct db *db = hand->db;
	unsigned drops = 0, again = 0;
	size_t failed;

	while (group->count > 0) {
		switch (db->driver->commit(hand->writer, group->scripts, group->count, drops >= DROPS_MAX,
					   &failed)) {
		case OUTCOME_DONE:
			settle(db, group);
			break;
		case OUTCOME_REFUSED:
			drop(group, failed);
			drops++;
			break;
		case OUTCOME_AGAIN:
			if (++again == AGAIN_MAX)
				give_up(db, group, RC_STORE_DOWN);
			break;
		case OUTCOME_LOST:
			give_up(db, group, RC_STORE_DOWN);
			return false;
		}
	}
	return true;
}

/* How many from the first on may share a transaction: of a store that is spread over machines, one tenant's.
 */
static size_t together(const struct db *db, struct script *const *scripts, size_t count)
{
	size_t same = 1;

	if (!db->one_tenant)
		return count;
	while (same < count && uuid_equal(&scripts[same]->tenant, &scripts[0]->tenant))
		same++;
	return same;
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool commit_timed(const struct hand *hand, struct group *group)
{
	size_t count = group->count;
	uint64_t began = clock_ns();
	bool fine = commit_group(hand, group);

	histogram_add(&hand->db->group_sizes, &histogram_sizes, count);
	histogram_add(&hand->db->commit_durations, &histogram_durations, clock_ns() - began);
	return fine;
}

static bool run(void *arg, struct job **jobs, size_t count)
{
	const struct hand *hand = arg;
	struct script *scripts[GROUP_MAX];
	bool good = true;

	for (size_t i = 0; i < count; i++) {
		scripts[i] = CONTAINER_OF(jobs[i], struct script, job);
		scripts[i]->place = (unsigned)i;
	}
	qsort(scripts, count, sizeof(scripts[0]), compare);
	for (size_t from = 0; from < count;) {
		struct group group = {.count = together(hand->db, scripts + from, count - from)};

		memcpy(group.scripts, scripts + from, group.count * sizeof(scripts[0]));
		from += group.count;
		if (good)
			good = commit_timed(hand, &group);
		else
			give_up(hand->db, &group, RC_STORE_DOWN);
	}
	if (good && hand->db->driver->writer_answered != NULL)
		hand->db->driver->writer_answered(hand->writer);
	return good;
}

static bool ready(void *arg)
{
	struct hand *hand = arg;

	return hand->db->driver->writer_ready(hand->writer);
}

static void idle(void *arg)
{
	struct hand *hand = arg;

	if (hand->db->driver->writer_idle != NULL)
		hand->db->driver->writer_idle(hand->writer);
}

struct crew *committer_create(struct db *db)
{
	static const struct crew_work work = {.ready = ready, .run = run, .idle = idle, .enough = 20};
	void *hands[WRITERS_MAX];

	for (size_t i = 0; i < db->hand_count; i++)
		hands[i] = &db->hands[i];
	return crew_create(&work, hands, db->hand_count, db->options.group_max);
}
