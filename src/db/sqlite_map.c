/*
 * How readers see the database: through a mapping of it. A page that their cache lacks is then no system call
 * and no copy, and what they have seen stays there when something is committed, which empties the cache.
 * SQLite can map files itself (PRAGMA mmap_size), but 2 GiB at most, anew after each commit; and where the
 * disk fails, the process dies.
 *
 * A page that the disk cannot give is a SIGBUS. Here it becomes a page of zeros, and the read that met it
 * fails, whatever SQLite made of it: sqlite_map_end(). Page 1 and the log are read by calls, as ever, and so
 * is all where there is no mapping.
 *
 * https://www.sqlite.org/mmap.html; https://www.sqlite.org/c3ref/io_methods.html, xFetch
 */
#include "db/sqlite.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define VFS_NAME     "marca-reader"
#define CONTROL_MAP  101 /* ours: SQLite's own are below 100 */
#define RESERVED_MIN ((size_t)64 * 1024 * 1024)

/* Behind SQLite's own file in memory. */
struct sqlite_map {
	sqlite3_io_methods methods; /* those beneath, with four of ours */
	const sqlite3_io_methods *beneath;
	int fd;		    /* not ours; negative: no mapping */
	char *at;	    /* NULL: none yet */
	size_t reserved;    /* bytes of addresses there: the file grows into them */
	sqlite3_int64 size; /* of the file, as it was last seen */
	bool outgrown;	    /* it has more than has room there */
	int out;	    /* pages that SQLite has in hand */
	volatile sig_atomic_t lost;
};

static sqlite3_vfs *beneath;
static struct sigaction before;
static uintptr_t page_mask;
static _Thread_local struct sqlite_map *reading;

static struct sqlite_map *map_of(sqlite3_file *file)
{
	return (struct sqlite_map *)((char *)file + beneath->szOsFile);
}

static void unmap(struct sqlite_map *map)
{
	if (map->at != NULL)
		munmap(map->at, map->reserved);
	map->at = NULL;
	map->reserved = 0;
	map->size = 0;
}

/* With room for a file of that size, and for as much again. */
static void remap(struct sqlite_map *map, size_t size)
{
	size_t reserved = RESERVED_MIN;
	void *at;

	unmap(map);
	if (size > SIZE_MAX / 4) {
		map->fd = -1;
		return;
	}
	while (reserved < 2 * size)
		reserved *= 2;
	at = mmap(NULL, reserved, PROT_READ, MAP_SHARED, map->fd, 0);
	if (at == MAP_FAILED) {
		map->fd = -1;
		return;
	}
	/* Keys come in no order: what lies beside a page is not wanted. */
	(void)madvise(at, reserved, MADV_RANDOM);
	map->at = at;
	map->reserved = reserved;
}

/* While SQLite has pages in hand the mapping stays where it is, and what has no room there is read by calls.
 */
static void measure(struct sqlite_map *map)
{
	struct stat about;

	if (map->fd < 0 || fstat(map->fd, &about) != 0)
		return;
	if ((size_t)about.st_size > map->reserved && map->out == 0)
		remap(map, (size_t)about.st_size);
	map->outgrown = (size_t)about.st_size > map->reserved;
	map->size = map->outgrown ? (sqlite3_int64)map->reserved : about.st_size;
}

/* --- Its methods ----------------------------------------------------------------- */

static int map_fetch(sqlite3_file *file, sqlite3_int64 from, int len, void **ret)
{
	struct sqlite_map *map = map_of(file);

	if (from + len > map->size || (map->outgrown && map->out == 0))
		measure(map);
	*ret = NULL; /* then SQLite reads */
	if (from + len <= map->size) {
		*ret = map->at + from;
		map->out++;
	}
	return SQLITE_OK;
}

/* `page` is NULL when another connection has committed: the mapping shows that as it is. */
static int map_unfetch(sqlite3_file *file, sqlite3_int64 from, void *page)
{
	(void)from;
	if (page != NULL)
		map_of(file)->out--;
	return SQLITE_OK;
}

static int map_control(sqlite3_file *file, int what, void *arg)
{
	struct sqlite_map *map = map_of(file);

	if (what == CONTROL_MAP) {
		*(struct sqlite_map **)arg = map;
		return SQLITE_OK;
	}
	/* The VFS beneath must not map too. */
	return what == SQLITE_FCNTL_MMAP_SIZE ? SQLITE_OK : map->beneath->xFileControl(file, what, arg);
}

static int map_close(sqlite3_file *file)
{
	struct sqlite_map *map = map_of(file);

	unmap(map);
	return map->beneath->xClose(file);
}

/* --- The VFS ----------------------------------------------------------------------- */

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	struct sqlite_map *map = map_of(file);
	int code = beneath->xOpen(beneath, name, file, flags, ret_flags);

	(void)vfs;
	if ((flags & SQLITE_OPEN_MAIN_DB) == 0 || file->pMethods == NULL || file->pMethods->iVersion < 3)
		return code;
	*map = (struct sqlite_map){.methods = *file->pMethods, .beneath = file->pMethods, .fd = -1};
	map->methods.xClose = map_close;
	map->methods.xFileControl = map_control;
	map->methods.xFetch = map_fetch;
	map->methods.xUnfetch = map_unfetch;
	file->pMethods = &map->methods;
	return code;
}

/* What this thread reads there just now: not what somebody sent (si_code), nor what broke elsewhere. */
static bool is_ours(const siginfo_t *about)
{
	const struct sqlite_map *map = reading;

	return about->si_code > 0 && about->si_code != BUS_MCEERR_AO && map != NULL && map->at != NULL &&
	       ((uintptr_t)about->si_addr & page_mask) - (uintptr_t)map->at < map->reserved;
}

/* What is not ours goes to whom it went before us: at once, or when the same instruction is tried again. */
static void on_bus(int signal, siginfo_t *about, void *context)
{
	uintptr_t page = (uintptr_t)about->si_addr & page_mask;

	(void)context;
	if (is_ours(about) && mmap((void *)page, ~page_mask + 1, PROT_READ,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
		reading->lost = 1;
		return;
	}
	sigaction(signal, &before, NULL);
	raise(signal);
}

static void register_once(void)
{
	static sqlite3_vfs vfs;
	struct sigaction action = {.sa_sigaction = on_bus, .sa_flags = SA_SIGINFO};

	page_mask = ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	if (sigaction(SIGBUS, &action, &before) == 0)
		beneath = sqlite_shim(&vfs, VFS_NAME, sizeof(struct sqlite_map), open_file);
}

const char *sqlite_map_vfs(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, register_once);
	return beneath != NULL ? VFS_NAME : NULL;
}

/* --- For readers --------------------------------------------------------------------- */

struct sqlite_map *sqlite_map_of(sqlite3 *db, int fd)
{
	struct sqlite_map *map = NULL;

	if (sqlite3_file_control(db, NULL, CONTROL_MAP, &map) != SQLITE_OK)
		return NULL;
	map->fd = fd;
	return map;
}

void sqlite_map_begin(struct sqlite_map *map)
{
	reading = map;
}

bool sqlite_map_end(void)
{
	struct sqlite_map *map = reading;

	reading = NULL;
	return map == NULL || !map->lost;
}
