/*
 * How much of the database is synced at once. Who copies the log writes thousands of pages; synced together
 * they have the disk for tens of milliseconds, in which no commit's log gets through. So they are synced by
 * the piece. A piece has as many pages as the log has got frames since the last sync began, or the copy would
 * not catch up with who writes as fast as the disk can, but PIECE_MIN at least; and twice as many for each
 * pass in a row that has not made the rest less.
 *
 * https://www.sqlite.org/vfs.html
 */
#include "db/sqlite.h"

#define VFS_NAME  "marca-copier"
#define PIECE_MIN 16 /* pages: 1.5 ms; of 64 the log's own syncs took twice as long beside it */

/* Behind SQLite's own file in memory. */
struct paced_file {
	sqlite3_io_methods methods; /* those beneath, with one of ours */
	const sqlite3_io_methods *beneath;
	const struct sqlite_store *store; /* NULL: not paced */
	int pages;			  /* written since the last sync */
	int frames;			  /* that the log had then, or when the pass began */
};

static sqlite3_vfs *beneath;

static struct paced_file *paced_of(sqlite3_file *file)
{
	return (struct paced_file *)((char *)file + beneath->szOsFile);
}

static bool piece_is_full(const struct paced_file *paced)
{
	int64_t came = (int64_t)paced->store->log_frames - paced->frames;

	return paced->pages >= (came > PIECE_MIN ? came : PIECE_MIN) << paced->store->copier.haste;
}

static int paced_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 from)
{
	struct paced_file *paced = paced_of(file);
	int code = paced->beneath->xWrite(file, bytes, len, from);

	if (code != SQLITE_OK || paced->store == NULL)
		return code;
	paced->pages++;
	if (!piece_is_full(paced))
		return SQLITE_OK;
	paced->pages = 0;
	paced->frames = paced->store->log_frames;
	return paced->beneath->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

/* --- The VFS ------------------------------------------------------------------- */

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	struct paced_file *paced = paced_of(file);
	int code = beneath->xOpen(beneath, name, file, flags, ret_flags);

	(void)vfs;
	if ((flags & SQLITE_OPEN_MAIN_DB) == 0 || file->pMethods == NULL)
		return code;
	*paced = (struct paced_file){.methods = *file->pMethods, .beneath = file->pMethods};
	paced->methods.xWrite = paced_write;
	file->pMethods = &paced->methods;
	return code;
}

static void register_once(void)
{
	static sqlite3_vfs vfs;

	beneath = sqlite_shim(&vfs, VFS_NAME, sizeof(struct paced_file), open_file);
}

const char *sqlite_paced_vfs(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, register_once);
	return beneath != NULL ? VFS_NAME : NULL;
}

void sqlite_pace(sqlite3 *db, const struct sqlite_store *store)
{
	sqlite3_file *file = NULL;
	struct paced_file *paced;

	if (sqlite3_file_control(db, NULL, SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file == NULL ||
	    file->pMethods == NULL || file->pMethods->xWrite != paced_write)
		return;
	paced = paced_of(file);
	paced->store = store;
	paced->pages = 0;
	paced->frames = store->log_frames;
}
