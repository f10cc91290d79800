/*
 * How the log comes into the database: SQLite's checkpoints, in place of its own, which would come within a
 * commit.
 *
 * A thread with a connection of its own copies and syncs, while the writer goes on, in several passes, each
 * for what was written during the one before. The last few frames the writer copies itself, between two
 * groups, and then the log can begin anew.
 *
 * Where commits do not sync the log the thread does that too, a little at a time: a copy begins with a sync
 * of all of it, which is felt by every other store on that disk.
 *
 * SQLite before 3.51.3 can lose a log that begins anew while a checkpoint starts
 * (https://www.sqlite.org/wal.html#walresetbug). Here it does not: a log begins anew only when all of it is
 * copied; a copy is begun only when something is not, by what SQLite said of the last one; and there is one
 * at a time.
 */
#include "db/sqlite.h"

#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Frames. What the writer copies itself, nobody books meanwhile: a pass is worth its syncs (some 4 ms, in
 * which a commit or two come) until about so little is left. */
#define LITTLE 64
/* Where passes do not make it less: in a saturated server two or three groups. Else a reader holds the copy
 * up, or who writes is faster; then another pass is tried when as much has come. */
#define REST_MAX 1000
#define TOO_LONG 65536 /* readers are waited for, so that the log can begin anew */
#define UNSYNCED 128   /* of a log that commits do not sync: half a MiB, 2 ms */

#define HASTE_MAX 8  /* 4,096 pages */
#define AT_ONCE	  24 /* all of them: who closes the store waits */

/* --- Beside the writer ----------------------------------------------------------- */

/* Nobody can say what is on the disk: Linux tells each open file once of a write that failed, and takes what
 * was written for kept. So the log must stay, since it has all pages, and nothing is written any more; nor
 * read, since who reads asks the database for what SQLite takes for copied. */
static void stop(struct sqlite_store *store, const char *why)
{
	LOG(ERROR,
	    "the database cannot be synced: nothing is written any more, and what was acknowledged is in it or in its log; mend the disk, and start anew",
	    LOG_TEXT("file", store->path), LOG_TEXT("why", why));
	atomic_store(&store->unsynced, true);
}

/* How far the log is copied now, where that is known, whatever came of it. */
static void checkpoint(struct sqlite_store *store, sqlite3 *db, int mode, int *ret_copied)
{
	int code, copied = -1;

	if (!sqlite_lock_byte(store, LOCK_GUEST, F_WRLCK, false))
		return;
	code = sqlite3_wal_checkpoint_v2(db, "main", mode, NULL, &copied);
	(void)!sqlite_lock_byte(store, LOCK_GUEST, F_UNLCK, false);
	if (copied >= 0)
		*ret_copied = copied;
	if (code == SQLITE_OK || code == SQLITE_BUSY)
		return;
	if (sqlite3_extended_errcode(db) == SQLITE_IOERR_FSYNC)
		stop(store, sqlite3_errmsg(db));
	else
		LOG(WARN, "a checkpoint failed", LOG_TEXT("said", sqlite3_errmsg(db)));
}

/* SQLite does when it has copied all, which it has not where the writer went on. */
static void sync_database(struct sqlite_store *store)
{
	int code;

	do {
		code = fdatasync(store->map_fd);
	} while (code != 0 && errno == EINTR);
	if (code != 0)
		stop(store, strerrorname_np(errno));
}

/* By the open file that the next copy would sync too, and would not be told again of what failed here. */
static void sync_log(struct sqlite_store *store)
{
	sqlite3_file *file = NULL;

	if (sqlite3_file_control(store->copier.db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK ||
	    file == NULL || file->pMethods == NULL)
		return; /* there is no log */
	if (file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY) != SQLITE_OK)
		stop(store, "its log");
}

static bool has_work(enum copier_state state)
{
	return state == COPIER_COPIES || state == COPIER_SYNCS;
}

/* The state that it ends in. */
static enum copier_state work(struct sqlite_store *store, enum copier_state state)
{
	struct sqlite_copier *copier = &store->copier;

	if (state == COPIER_SYNCS) {
		sync_log(store);
		return COPIER_RESTS;
	}
	sqlite_pace(copier->db, store);
	checkpoint(store, copier->db, SQLITE_CHECKPOINT_PASSIVE, &copier->copied);
	sync_database(store);
	return COPIER_COPIED;
}

static void *run(void *arg)
{
	struct sqlite_store *store = arg;
	struct sqlite_copier *copier = &store->copier;

	pthread_mutex_lock(&copier->lock);
	while (copier->state != COPIER_ENDS) {
		enum copier_state state = copier->state;

		if (!has_work(state)) {
			pthread_cond_wait(&copier->changed, &copier->lock);
			continue;
		}
		pthread_mutex_unlock(&copier->lock);
		state = work(store, state);
		pthread_mutex_lock(&copier->lock);
		if (copier->state != COPIER_ENDS)
			copier->state = state;
	}
	pthread_mutex_unlock(&copier->lock);
	return NULL;
}

/* It knows that there is a log once it has asked. */
static bool start(struct sqlite_store *store)
{
	struct sqlite_copier *copier = &store->copier;

	if (sqlite3_open_v2(store->path, &copier->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
			    sqlite_paced_vfs()) == SQLITE_OK &&
	    sqlite3_db_config(copier->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL) == SQLITE_OK &&
	    sqlite3_exec(copier->db, "PRAGMA journal_mode", NULL, NULL, NULL) == SQLITE_OK &&
	    pthread_create(&copier->thread, NULL, run, store) == 0)
		return true;
	sqlite3_close(copier->db);
	copier->db = NULL;
	return false;
}

/* --- The writer's side ---------------------------------------------------------- */

static void copy_rest(struct sqlite_store *store)
{
	bool too_long = store->log_frames > TOO_LONG;

	checkpoint(store, store->writer.db, too_long ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE,
		   &store->log_copied);
}

/* False: there is no thread, and none can be had. */
static bool have(struct sqlite_store *store, enum copier_state state)
{
	struct sqlite_copier *copier = &store->copier;

	if (copier->db == NULL && !start(store))
		return false;
	pthread_mutex_lock(&copier->lock);
	copier->state = state;
	pthread_cond_signal(&copier->changed);
	pthread_mutex_unlock(&copier->lock);
	return true;
}

static void have_copied(struct sqlite_store *store, int haste)
{
	struct sqlite_copier *copier = &store->copier;

	store->log_asked = store->log_frames;
	copier->haste = haste < HASTE_MAX ? haste : HASTE_MAX;
	copier->copied = store->log_copied;
	if (!have(store, COPIER_COPIES))
		copy_rest(store); /* the writer copies all */
}

static void have_synced(struct sqlite_store *store)
{
	store->log_synced = store->log_frames;
	(void)!have(store, COPIER_SYNCS); /* else by the next copy */
}

/* A pass has ended. Another one where that makes the rest less; else it is copied here, so that the log can
 * begin anew. */
static void after_pass(struct sqlite_store *store)
{
	const struct sqlite_copier *copier = &store->copier;
	int before = store->log_asked - store->log_copied, rest;

	if (store->log_asked == 0)
		return; /* it has begun anew: all of it was copied */
	store->log_copied = copier->copied;
	rest = store->log_frames - store->log_copied;
	if (rest <= 0) /* a guest's frames count too, and are not in log_frames */
		return;
	if (rest > LITTLE && rest <= before / 2 && store->log_frames <= TOO_LONG)
		have_copied(store, copier->haste);
	else if (rest <= REST_MAX || store->log_frames > TOO_LONG)
		copy_rest(store);
	else if (store->log_frames - store->log_asked > REST_MAX)
		have_copied(store, copier->haste + (copier->copied >= store->log_asked));
}

/* Those that the last copy neither copied nor looked at: what it did look at a reader may have been in the
 * way of. */
static int new_frames(const struct sqlite_store *store)
{
	int known = store->log_copied > store->log_asked ? store->log_copied : store->log_asked;

	return store->log_frames - known;
}

static enum copier_state take_state(struct sqlite_copier *copier)
{
	enum copier_state state;

	pthread_mutex_lock(&copier->lock);
	state = copier->state;
	if (state == COPIER_COPIED)
		copier->state = COPIER_RESTS;
	pthread_mutex_unlock(&copier->lock);
	return state;
}

void sqlite_copy_log(struct sqlite_store *store, int least)
{
	if (store->guest || atomic_load(&store->unsynced))
		return;
	switch (take_state(&store->copier)) {
	case COPIER_COPIED:
		after_pass(store);
		break;
	case COPIER_RESTS:
		if (new_frames(store) >= least)
			have_copied(store, 0);
		else if (store->relaxed && store->log_frames - store->log_synced >= UNSYNCED)
			have_synced(store);
		break;
	case COPIER_COPIES: /* what comes meanwhile is looked at after the next group */
	case COPIER_SYNCS:
	case COPIER_ENDS:
		break;
	}
}

void sqlite_copier_init(struct sqlite_copier *copier)
{
	*copier = (struct sqlite_copier){.db = NULL};
	pthread_mutex_init(&copier->lock, NULL);
	pthread_cond_init(&copier->changed, NULL);
}

void sqlite_copier_finish(struct sqlite_copier *copier)
{
	if (copier->db != NULL) {
		pthread_mutex_lock(&copier->lock);
		copier->state = COPIER_ENDS;
		copier->haste = AT_ONCE;
		pthread_cond_signal(&copier->changed);
		pthread_mutex_unlock(&copier->lock);
		pthread_join(copier->thread, NULL);
		sqlite3_close(copier->db);
		copier->db = NULL;
	}
	pthread_cond_destroy(&copier->changed);
	pthread_mutex_destroy(&copier->lock);
}
