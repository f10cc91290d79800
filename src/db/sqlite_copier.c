/*
 * How the log comes into the database: SQLite's checkpoints, in place of its own, which would come within a
 * commit.
 *
 * A thread with a connection of its own copies and syncs, while the writer goes on. What was written
 * meanwhile is little, and synced soon: the writer copies it itself, between two groups, and then the log can
 * begin anew.
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
#define REST_MAX 1000  /* of which the writer copies itself what is left */
#define TOO_LONG 65536 /* readers are waited for, so that the log can begin anew */

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
static void sync_database(struct sqlite_store *store)
{
	int code;

	do {
		code = fdatasync(store->map_fd);
	} while (code != 0 && errno == EINTR);
	if (code == 0)
		return;
	LOG(ERROR,
	    "the database cannot be synced: nothing is lost, and nothing is written any more; mend the disk, and start anew",
	    LOG_TEXT("file", store->path), LOG_TEXT("why", strerrorname_np(errno)));
	atomic_store(&store->unsynced, true);
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
		checkpoint(store, copier->db, SQLITE_CHECKPOINT_PASSIVE, &copier->copied);
		sync_database(store);
		pthread_mutex_lock(&copier->lock);
		if (copier->state == COPIER_ASKED)
			copier->state = COPIER_DONE;
	}
	pthread_mutex_unlock(&copier->lock);
	return NULL;
}

/* It knows that there is a log once it has asked. */
static bool start(struct sqlite_store *store)
{
	struct sqlite_copier *copier = &store->copier;

	if (sqlite3_open_v2(store->path, &copier->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) ==
		    SQLITE_OK &&
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

static void ask(struct sqlite_store *store)
{
	struct sqlite_copier *copier = &store->copier;

	store->log_asked = store->log_frames;
	if (copier->db == NULL && !start(store)) {
		copy_rest(store); /* there is no such thread: the writer copies all */
		return;
	}
	copier->copied = store->log_copied;
	copier->resets = store->log_resets;
	pthread_mutex_lock(&copier->lock);
	copier->state = COPIER_ASKED;
	pthread_cond_signal(&copier->changed);
	pthread_mutex_unlock(&copier->lock);
}

/* The thread has done its part. What came meanwhile is copied here if it is little, so that the log can begin
 * anew; if it is much, once more beside the writer. */
static void after_copy(struct sqlite_store *store)
{
	const struct sqlite_copier *copier = &store->copier;

	if (copier->resets != store->log_resets)
		return; /* all of it was copied, and is no more */
	store->log_copied = copier->copied;
	if (store->log_copied >=
	    store->log_frames) /* a guest's frames count too, and are not in log_frames */
		return;
	if (store->log_frames > TOO_LONG || store->log_frames - store->log_copied <= REST_MAX)
		copy_rest(store);
	else if (store->log_frames - store->log_asked > REST_MAX)
		ask(store);
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
			ask(store);
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
