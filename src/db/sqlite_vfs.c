/*
 * How the writer's log reaches the disk. SQLite writes a frame by two calls, its head of 24 bytes and its
 * page, each behind the one before: some thirty system calls a booking. Here they are gathered, and written
 * in a few pieces before the log is synced, read, measured or cut.
 *
 * So for a connection with synchronous=FULL alone, where SQLite tells nobody of a commit (its shared index of
 * the log) before it has synced the log. What could not be written is told by that sync: the transaction
 * rolls back. And from the commit's begin to that sync alone: what a long transaction writes earlier, since
 * it fills the cache, may be rolled back, and then another process may commit at the same place of the log.
 *
 * A log that is as it was when last it was synced is not synced again, as a checkpoint would. What a guest
 * has put into it he has synced before SQLite told anyone.
 *
 * https://www.sqlite.org/vfs.html: a shim, which leaves all but the log to the VFS beneath. How one is made
 * is here too, for sqlite_map.c and sqlite_paced.c.
 */
#include "db/sqlite.h"

#include <stdlib.h>

#define GATHERED_MAX (120 * 1024) /* bytes; unixWrite() takes less than 128 KiB at once */
#define VFS_NAME     "marca"

/* The file beneath follows it in memory, whose size only its VFS knows. */
struct log_file {
	sqlite3_file base;
	sqlite3_int64 from; /* of the gathered bytes, in the file */
	int len;
	bool gathers;	/* a commit is under way */
	bool written;	/* since it was last synced; of a log that somebody else has left nothing is known */
	char *gathered; /* NULL: as yet nothing was */
};

static sqlite3_vfs *beneath;

static sqlite3_file *file_beneath(struct log_file *log)
{
	return (sqlite3_file *)(log + 1);
}

static void forget(struct log_file *log)
{
	log->gathers = false;
	log->len = 0;
}

static int flush(struct log_file *log)
{
	sqlite3_file *file = file_beneath(log);
	int len = log->len;

	log->len = 0;
	return len > 0 ? file->pMethods->xWrite(file, log->gathered, len, log->from) : SQLITE_OK;
}

/* --- Its methods -------------------------------------------------------------- */

static struct log_file *log_of(sqlite3_file *file)
{
	return (struct log_file *)file;
}

static int log_close(sqlite3_file *file)
{
	struct log_file *log = log_of(file);

	free(log->gathered);
	log->gathered = NULL;
	return file_beneath(log)->pMethods->xClose(file_beneath(log));
}

static int log_read(sqlite3_file *file, void *to, int len, sqlite3_int64 from)
{
	sqlite3_file *under = file_beneath(log_of(file));
	int code = flush(log_of(file));

	return code == SQLITE_OK ? under->pMethods->xRead(under, to, len, from) : code;
}

/* Behind what is gathered already, with room for it? */
static bool follows(const struct log_file *log, int len, sqlite3_int64 from)
{
	return (log->len == 0 || from == log->from + log->len) && len <= GATHERED_MAX - log->len;
}

static int log_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 from)
{
	struct log_file *log = log_of(file);
	sqlite3_file *under = file_beneath(log);
	int code = follows(log, len, from) ? SQLITE_OK : flush(log);

	log->written = true;
	if (code != SQLITE_OK)
		return code;
	if (log->gathers && log->gathered == NULL)
		log->gathered = malloc(GATHERED_MAX);
	if (!log->gathers || log->gathered == NULL || len > GATHERED_MAX)
		return under->pMethods->xWrite(under, bytes, len, from);
	if (log->len == 0)
		log->from = from;
	memcpy(log->gathered + log->len, bytes, (size_t)len);
	log->len += len;
	return SQLITE_OK;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	sqlite3_file *under = file_beneath(log_of(file));
	int code = flush(log_of(file));

	return code == SQLITE_OK ? under->pMethods->xTruncate(under, size) : code;
}

static int log_sync(sqlite3_file *file, int flags)
{
	struct log_file *log = log_of(file);
	sqlite3_file *under = file_beneath(log);
	int code = flush(log);

	forget(log);
	if (code == SQLITE_OK && log->written)
		code = under->pMethods->xSync(under, flags);
	if (code == SQLITE_OK)
		log->written = false;
	return code;
}

static int log_size(sqlite3_file *file, sqlite3_int64 *ret)
{
	sqlite3_file *under = file_beneath(log_of(file));
	int code = flush(log_of(file));

	return code == SQLITE_OK ? under->pMethods->xFileSize(under, ret) : code;
}

static int log_lock(sqlite3_file *file, int level)
{
	sqlite3_file *under = file_beneath(log_of(file));

	return under->pMethods->xLock(under, level);
}

static int log_unlock(sqlite3_file *file, int level)
{
	sqlite3_file *under = file_beneath(log_of(file));

	return under->pMethods->xUnlock(under, level);
}

static int log_is_reserved(sqlite3_file *file, int *ret)
{
	sqlite3_file *under = file_beneath(log_of(file));

	return under->pMethods->xCheckReservedLock(under, ret);
}

static int log_control(sqlite3_file *file, int what, void *arg)
{
	sqlite3_file *under = file_beneath(log_of(file));

	return under->pMethods->xFileControl(under, what, arg);
}

static int log_sector(sqlite3_file *file)
{
	sqlite3_file *under = file_beneath(log_of(file));

	return under->pMethods->xSectorSize(under);
}

static int log_device(sqlite3_file *file)
{
	sqlite3_file *under = file_beneath(log_of(file));

	return under->pMethods->xDeviceCharacteristics(under);
}

static const sqlite3_io_methods log_methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = log_lock,
	.xUnlock = log_unlock,
	.xCheckReservedLock = log_is_reserved,
	.xFileControl = log_control,
	.xSectorSize = log_sector,
	.xDeviceCharacteristics = log_device,
};

/* --- The VFS ------------------------------------------------------------------- */

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	struct log_file *log = log_of(file);
	int code;

	(void)vfs;
	if ((flags & SQLITE_OPEN_WAL) == 0)
		return beneath->xOpen(beneath, name, file, flags, ret_flags);
	*log = (struct log_file){.base.pMethods = NULL, .written = true};
	code = beneath->xOpen(beneath, name, file_beneath(log), flags, ret_flags);
	if (file_beneath(log)->pMethods != NULL) /* to be closed, even when opening failed */
		log->base.pMethods = &log_methods;
	return code;
}

sqlite3_vfs *sqlite_shim(sqlite3_vfs *shim, const char *name, size_t more, sqlite_open_fn *open)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	if (vfs == NULL)
		return NULL;
	*shim = *vfs; /* whose functions do not look at what they are called by, but for its pAppData */
	shim->zName = name;
	shim->szOsFile += (int)more;
	shim->xOpen = open;
	return sqlite3_vfs_register(shim, 0) == SQLITE_OK ? vfs : NULL;
}

static void register_once(void)
{
	static sqlite3_vfs vfs;

	beneath = sqlite_shim(&vfs, VFS_NAME, sizeof(struct log_file), open_file);
}

const char *sqlite_vfs(bool relaxed)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, register_once);
	return beneath != NULL && !relaxed ? VFS_NAME : NULL;
}

/* --- When it gathers ------------------------------------------------------------ */

/* NULL: the connection has no log of ours (yet). */
static struct log_file *log_under(sqlite3 *db)
{
	sqlite3_file *file = NULL;

	if (sqlite3_file_control(db, NULL, SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK ||
	    file == NULL || file->pMethods != &log_methods)
		return NULL;
	return log_of(file);
}

static int on_commit(void *db)
{
	struct log_file *log = log_under(db);

	if (log != NULL)
		log->gathers = true;
	return 0;
}

static void on_rollback(void *db)
{
	struct log_file *log = log_under(db);

	if (log != NULL)
		forget(log);
}

void sqlite_gather(sqlite3 *db)
{
	sqlite3_commit_hook(db, on_commit, db);
	sqlite3_rollback_hook(db, on_rollback, db);
}
