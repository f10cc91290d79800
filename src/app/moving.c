/* See moving.h. */
#include "app/moving.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#define SHOW_EVERY (200 * UTIME_SECOND / 1000)
#define TICKS	   256 /* rows between looks at the clock */

const enum room moving_order[ROOM_COUNT] = {
	ROOM_events, ROOM_audit, ROOM_booking, ROOM_resource, ROOM_user, ROOM_tenant,
};

/* --- Signals ------------------------------------------------------------------- */

static volatile sig_atomic_t stop_asked;

static void on_signal(int signal)
{
	(void)signal;
	stop_asked = 1;
}

void moving_catch_signals(void)
{
	struct sigaction stop = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
}

bool moving_stopped(void)
{
	static bool said;

	if (stop_asked != 0 && !said)
		fprintf(stderr, "\nmarca: stopped\n");
	said |= stop_asked != 0;
	return stop_asked != 0;
}

/* --- Progress ------------------------------------------------------------------- */

struct size_text size_text(int64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	struct size_text text;
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 1000 && unit + 1 < ARRAY_LEN(units); unit++)
		value /= 1000;
	snprintf(text.text, sizeof(text.text), unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
	return text;
}

void progress_begin(struct progress *progress, const struct world *world, const char *what)
{
	utime now = world_now(world);

	*progress = (struct progress){
		.world = world,
		.what = what,
		.shows = isatty(STDERR_FILENO) == 1,
		.began = now,
		.shown = now,
	};
}

static void show(struct progress *progress)
{
	utime now = world_now(progress->world), elapsed = now - progress->began;

	if (now - progress->shown < SHOW_EVERY || elapsed <= 0)
		return;
	progress->shown = now;
	fprintf(stderr, "\r\033[K%s ", progress->what);
	if (progress->rows > 0)
		fprintf(stderr, "%lld rows, ", (long long)progress->rows);
	fprintf(stderr, "%s", size_text(progress->bytes).text);
	if (progress->of > 0)
		fprintf(stderr, " of %s", size_text(progress->of).text);
	fprintf(stderr, ", %s/s",
		size_text((int64_t)((double)progress->bytes * UTIME_SECOND / (double)elapsed)).text);
}

bool progress_add(void *arg, int64_t rows, int64_t bytes)
{
	struct progress *progress = arg;

	progress->rows += rows;
	progress->bytes += bytes;
	if (progress->shows && ++progress->ticks % TICKS == 0)
		show(progress);
	return !moving_stopped();
}

bool progress_copy(void *arg, int64_t bytes, int64_t of)
{
	struct progress *progress = arg;

	progress->bytes = bytes;
	progress->of = of;
	if (progress->shows)
		show(progress);
	return !moving_stopped();
}

void progress_end(struct progress *progress)
{
	if (progress->shows && progress->shown != progress->began)
		fprintf(stderr, "\r\033[K");
}

/* --- Files ------------------------------------------------------------------------ */

bool moving_path(char ret[MOVING_PATH_MAX], const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(ret, MOVING_PATH_MAX, format, args);
	va_end(args);
	if (len > 0 && len < MOVING_PATH_MAX)
		return true;
	fprintf(stderr, "marca: a path is too long\n");
	return false;
}

static bool failed(const char *what, const char *path)
{
	fprintf(stderr, "marca: cannot %s %s: %s\n", what, path, strerror(errno));
	return false;
}

bool new_file_open(struct new_file *ret, const char *path)
{
	int fd;

	*ret = (struct new_file){.file = NULL};
	if (!moving_path(ret->path, "%s", path) || !moving_path(ret->part, "%s.part", path))
		return false;
	/* One that was left by a run that was killed is of no use to anybody. */
	if (unlink(ret->part) != 0 && errno != ENOENT)
		return failed("replace", ret->part);
	fd = open(ret->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ret->file = fd >= 0 ? fdopen(fd, "w+") : NULL;
	if (ret->file != NULL)
		return true;
	failed("make", ret->part);
	if (fd >= 0)
		close(fd);
	return false;
}

bool new_file_keep(struct new_file *file)
{
	bool good = fflush(file->file) == 0 && fsync(fileno(file->file)) == 0 &&
		    rename(file->part, file->path) == 0;

	if (!good)
		return failed("write", file->path);
	fclose(file->file);
	file->file = NULL;
	return moving_sync_parent(file->path);
}

void new_file_drop(struct new_file *file)
{
	if (file->file == NULL)
		return;
	fclose(file->file);
	unlink(file->part);
	file->file = NULL;
}

bool moving_sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (!good)
		failed("make durable what is in", path);
	if (fd >= 0)
		close(fd);
	return good;
}

bool moving_sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[MOVING_PATH_MAX];

	if (slash == NULL)
		return moving_sync_folder(".");
	return moving_path(folder, "%.*s", slash > path ? (int)(slash - path) : 1, path) &&
	       moving_sync_folder(folder);
}

bool moving_temporary(char ret[MOVING_PATH_MAX])
{
	const char *folder = getenv("TMPDIR");

	return moving_path(ret, "%s/marca-XXXXXX", folder != NULL ? folder : "/var/tmp");
}

FILE *moving_spool(void)
{
	char path[MOVING_PATH_MAX];
	int fd;

	if (!moving_temporary(path))
		return NULL;
	fd = mkstemp(path);
	if (fd < 0) {
		failed("make", path);
		return NULL;
	}
	unlink(path);
	return fdopen(fd, "w+");
}

static bool copy_stream(FILE *from, FILE *to)
{
	char bytes[16384];
	size_t len;

	while ((len = fread(bytes, 1, sizeof(bytes), from)) > 0)
		if (moving_stopped() || fwrite(bytes, 1, len, to) != len)
			return false;
	return ferror(from) == 0 && fflush(to) == 0;
}

FILE *moving_open(const char *path)
{
	bool named = strcmp(path, "-") != 0;
	FILE *file = named ? fopen(path, "re") : moving_spool();

	if (file == NULL && named)
		failed("read", path);
	if (file != NULL && !named && !copy_stream(stdin, file)) {
		failed("keep", "what comes on standard input (set TMPDIR to where there is room)");
		fclose(file);
		return NULL;
	}
	if (file != NULL)
		rewind(file);
	return file;
}

/* --- Stores ------------------------------------------------------------------------- */

bool moving_knows_schema(const struct app *app, enum room room)
{
	int known = (int)app_queries[room]->migration_count, version = 0;
	bool fits;

	if (db_schema_version(app->dbs[room], &version, &fits) != RC_OK)
		return false;
	if (version == known)
		return true;
	fprintf(stderr, "marca: the schema of the %s store is number %d, and that of this marca %d: %s\n",
		app_queries[room]->name, version, known,
		version < known ? "`marca migrate all` brings it up to date"
				: "use the marca that migrated it");
	return false;
}

/* For each, in the order above, until one fails. */
static enum rc for_each(struct db_whole *wholes[ROOM_COUNT], enum rc (*fn)(struct db_whole *whole))
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < ROOM_COUNT; i++)
		if (wholes[moving_order[i]] != NULL)
			rc = fn(wholes[moving_order[i]]);
	return rc;
}

static enum rc look(struct db_whole *whole)
{
	return db_whole_start(whole, WHOLE_READ);
}

enum rc moving_look(const struct app *app, struct db_whole *ret[ROOM_COUNT])
{
	enum rc rc = RC_OK;

	for (size_t room = 0; rc == RC_OK && room < ROOM_COUNT; room++)
		if (app->dbs[room] != NULL)
			rc = moving_knows_schema(app, (enum room)room)
				     ? db_whole_open(app->dbs[room], &ret[room])
				     : RC_INTERNAL;
	if (rc == RC_OK)
		rc = for_each(ret, db_whole_hold);
	if (rc == RC_OK)
		rc = for_each(ret, look);
	for (size_t room = 0; room < ROOM_COUNT; room++)
		if (ret[room] != NULL)
			db_whole_release(ret[room]);
	return rc;
}

void moving_look_end(struct db_whole *wholes[ROOM_COUNT])
{
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (wholes[room] != NULL && db_whole_end(wholes[room], false) != RC_OK)
			fprintf(stderr, "marca: the look at the %s store did not end well\n",
				app_queries[room]->name);
		wholes[room] = NULL;
	}
}

void moving_store_text(const struct app *app, enum room room, char *ret, size_t size)
{
	char url[APP_STORE_URL_MAX];
	const char *host, *end;

	if (!app_store_url(&app->config, room, url, sizeof(url))) {
		snprintf(ret, size, "a store with too long an address");
		return;
	}
	if (strncmp(url, "sqlite:", 7) == 0) {
		snprintf(ret, size, "%s", url + 7);
		return;
	}
	/* Behind a password, before options, which may hold another. */
	host = strrchr(url, '@');
	host = host != NULL ? host + 1 : strstr(url, "//") != NULL ? strstr(url, "//") + 2 : "";
	end = strchr(host, '?');
	snprintf(ret, size, "PostgreSQL %.*s", (int)(end != NULL ? end - host : (ptrdiff_t)strlen(host)),
		 host);
}
