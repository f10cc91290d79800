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
 * copied, a copy is begun only when something is not, and there is one at a time.
 */
#include "db/sqlite.h"

#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#define LOG_TOO_LONG 65536 /* frames: readers are waited for, so that it can begin anew */

enum { RESTS, ASKED, DONE, ENDS };

/* --- Beside the writer ----------------------------------------------------------- */

static bool checkpoint(const struct sqlite_store *store, sqlite3 *db, int mode)
{
	int code;

	if (!sqlite_lock_byte(store, LOCK_GUEST, F_WRLCK, false))
		return false;
	code = sqlite3_wal_checkpoint_v2(db, NULL, mode, NULL, NULL);
	(void)!sqlite_lock_byte(store, LOCK_GUEST, F_UNLCK, false);
	if (code != SQLITE_OK && code != SQLITE_BUSY)
		LOG(WARN, "a checkpoint failed", LOG_TEXT("said", sqlite3_errmsg(db)));
	return code == SQLITE_OK;
}

/* SQLite syncs the database only when it has copied all, which it has not where the writer went on. */
static void *copy(void *arg)
{
	struct sqlite_store *store = arg;
	struct sqlite_copier *copier = &store->copier;

	pthread_mutex_lock(&copier->lock);
	for (;;) {
		while (copier->state != ASKED && copier->state != ENDS)
			pthread_cond_wait(&copier->changed, &copier->lock);
		if (copier->state == ENDS)
			break;
		pthread_mutex_unlock(&copier->lock);
		copier->good = checkpoint(store, copier->db, SQLITE_CHECKPOINT_PASSIVE) &&
			       fdatasync(store->map_fd) == 0;
		pthread_mutex_lock(&copier->lock);
		if (copier->state == ASKED)
			copier->state = DONE;
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
	bool too_long = store->log_frames > LOG_TOO_LONG;

	if (store->log_frames > store->log_copied &&
	    checkpoint(store, store->writer.db,
		       too_long ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE))
		store->log_copied = store->log_frames;
}

static void ask(struct sqlite_store *store)
{
	struct sqlite_copier *copier = &store->copier;

	if (copier->db == NULL && !start(store)) {
		copy_rest(store); /* there is no such thread: the writer copies all */
		return;
	}
	copier->frames = store->log_frames;
	copier->beginnings = store->log_beginnings;
	pthread_mutex_lock(&copier->lock);
	copier->state = ASKED;
	pthread_cond_signal(&copier->changed);
	pthread_mutex_unlock(&copier->lock);
}

void sqlite_copy_log(struct sqlite_store *store, int beyond)
{
	struct sqlite_copier *copier = &store->copier;
	int state;

	if (store->guest)
		return;
	pthread_mutex_lock(&copier->lock);
	state = copier->state;
	if (state == DONE)
		copier->state = RESTS;
	pthread_mutex_unlock(&copier->lock);
	if (state == DONE && copier->good && copier->beginnings == store->log_beginnings) {
		store->log_copied = copier->frames;
		copy_rest(store);
	}
	if (state != ASKED && store->log_frames - store->log_copied >= beyond)
		ask(store);
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
		copier->state = ENDS;
		pthread_cond_signal(&copier->changed);
		pthread_mutex_unlock(&copier->lock);
		pthread_join(copier->thread, NULL);
		sqlite3_close(copier->db);
		copier->db = NULL;
	}
	pthread_cond_destroy(&copier->changed);
	pthread_mutex_destroy(&copier->lock);
}
