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

/* Frames. */
#define LITTLE	  64	/* what the writer copies itself */
#define REST_MAX  1000	/* what it copies when further passes would not make it less */
#define TOO_LONG  65536 /* readers are waited for, so that the log can begin anew */
#define UNSYNCED  128	/* of a log that commits do not sync */
#define HASTE_MAX 8

/* --- Beside the writer ----------------------------------------------------------- */

/* How far the log is copied now, where that is known, whatever came of it. */
static void checkpoint(const struct sqlite_store *store, sqlite3 *db, int mode, int *ret_copied)
{
	int code, copied = -1;

	if (!sqlite_lock_byte(store, LOCK_GUEST, F_WRLCK, false))
		return;
	code = sqlite3_wal_checkpoint_v2(db, "main", mode, NULL, &copied);
	(void)!sqlite_lock_byte(store, LOCK_GUEST, F_UNLCK, false);
	if (copied >= 0)
		*ret_copied = copied;
	if (code != SQLITE_OK && code != SQLITE_BUSY)
		LOG(WARN, "a checkpoint failed", LOG_TEXT("said", sqlite3_errmsg(db)));
}

/*
 * SQLite syncs the database only when it has copied all, which it has not where the writer went on. When this
 * fails nobody can say which pages are there (Linux tells once, and takes them for written): then the log
 * must stay, since it has them all, and so nothing is written any more; nor read, since who reads asks the
 * database for what SQLite takes for copied.
 */
static void is_synced(struct sqlite_store *store, bool synced)
{
	if (synced)
		return;
	LOG(ERROR,
	    "the database cannot be synced: nothing is lost, and nothing is written any more; mend the disk, and start anew",
	    LOG_TEXT("file", store->path), LOG_TEXT("why", strerrorname_np(errno)));
	atomic_store(&store->unsynced, true);
}

static bool sync_database(const struct sqlite_store *store)
{
	int code;

	do {
		code = fdatasync(store->map_fd);
	} while (code != 0 && errno == EINTR);
	return code == 0;
}

/* By the file that the next copy would sync: what is told of it here is not told there. */
static bool sync_log(const struct sqlite_copier *copier)
{
	sqlite3_file *file = NULL;

	return sqlite3_file_control(copier->db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &file) == SQLITE_OK &&
	       (file == NULL || file->pMethods == NULL ||
		file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY) == SQLITE_OK);
}

/* What the thread was asked. */
static void serve(struct sqlite_store *store)
{
	struct sqlite_copier *copier = &store->copier;

	if (copier->syncs_only) {
		is_synced(store, sync_log(copier));
		return;
	}
	sqlite_pace(copier->db, store);
	checkpoint(store, copier->db, SQLITE_CHECKPOINT_PASSIVE, &copier->copied);
	is_synced(store, sync_database(store));
}

static void *copy(void *arg)
{
	struct sqlite_store *store = arg;
	struct sqlite_copier *copier = &store->copier;

	pthread_mutex_lock(&copier->lock);
	for (;;) {
		while (copier->state != COPIER_ASKED && copier->state != COPIER_ENDS)
			pthread_cond_wait(&copier->changed, &copier->lock);
		if (copier->state == COPIER_ENDS)
			break;
		pthread_mutex_unlock(&copier->lock);
		serve(store);
		pthread_mutex_lock(&copier->lock);
		if (copier->state == COPIER_ASKED)
			copier->state = copier->syncs_only ? COPIER_RESTS : COPIER_DONE;
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
	    pthread_create(&copier->thread, NULL, copy, store) == 0)
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

/* False: there is no such thread. */
static bool wake(struct sqlite_store *store, bool syncs_only)
{
	struct sqlite_copier *copier = &store->copier;

	store->log_synced = store->log_frames;
	if (copier->db == NULL && !start(store))
		return false;
	pthread_mutex_lock(&copier->lock);
	copier->syncs_only = syncs_only;
	copier->state = COPIER_ASKED;
	pthread_cond_signal(&copier->changed);
	pthread_mutex_unlock(&copier->lock);
	return true;
}

static void ask(struct sqlite_store *store, int haste)
{
	struct sqlite_copier *copier = &store->copier;

	store->log_asked = store->log_frames;
	copier->haste = haste < HASTE_MAX ? haste : HASTE_MAX;
	copier->left = store->log_frames - store->log_copied;
	copier->copied = store->log_copied;
	copier->resets = store->log_resets;
	if (!wake(store, false))
		copy_rest(store); /* the writer copies all */
}

/* The thread has done its part. Another pass where that makes the rest less; else it is copied here, so that
 * the log can begin anew. What a reader holds up stays until more has come. */
static void after_copy(struct sqlite_store *store)
{
	const struct sqlite_copier *copier = &store->copier;
	int rest;

	if (copier->resets != store->log_resets)
		return; /* all of it was copied, and is no more */
	store->log_copied = copier->copied;
	rest = store->log_frames - store->log_copied;
	if (rest <= 0) /* a guest's frames count too, and are not in log_frames */
		return;
	if (rest > LITTLE && rest <= copier->left / 2 && store->log_frames <= TOO_LONG)
		ask(store, copier->haste);
	else if (rest <= REST_MAX || store->log_frames > TOO_LONG)
		copy_rest(store);
	else if (store->log_frames - store->log_asked > REST_MAX)
		ask(store, copier->haste + 1);
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
	if (state == COPIER_DONE)
		copier->state = COPIER_RESTS;
	pthread_mutex_unlock(&copier->lock);
	return state;
}

void sqlite_copy_log(struct sqlite_store *store, int least)
{
	if (store->guest || atomic_load(&store->unsynced))
		return;
	switch (take_state(&store->copier)) {
	case COPIER_DONE:
		after_copy(store);
		break;
	case COPIER_RESTS:
		if (new_frames(store) >= least)
			ask(store, 0);
		else if (store->relaxed && store->log_frames - store->log_synced >= UNSYNCED)
			(void)!wake(store, true);
		break;
	case COPIER_ASKED: /* what comes meanwhile is looked at after the next group */
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
		pthread_cond_signal(&copier->changed);
		pthread_mutex_unlock(&copier->lock);
		pthread_join(copier->thread, NULL);
		sqlite3_close(copier->db);
		copier->db = NULL;
	}
	pthread_cond_destroy(&copier->changed);
	pthread_mutex_destroy(&copier->lock);
}
