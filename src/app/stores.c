/* The process's stores: which address, which options, opened and migrated. See app.h. */
#include "app/app.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

/* One SQLite file a service, also where one URL is given for all: marca.db becomes marca.booking.db. */
static bool sqlite_url(const char *url, const char *room, char *ret, size_t size)
{
	const char *slash = strrchr(url, '/');
	const char *dot = strrchr(slash != NULL ? slash : url, '.');
	int stem = (int)(dot != NULL ? dot - url : (ptrdiff_t)strlen(url));
	int len = snprintf(ret, size, "%.*s.%s%s", stem, url, room, dot != NULL ? dot : ".db");

	return len > 0 && (size_t)len < size;
}

/* The room's own URL; NULL when it has none. */
static const char *own_url(const struct config *config, enum room room)
{
	const char *const own[ROOM_COUNT] = {
		[ROOM_tenant] = config->tenant_database,     [ROOM_user] = config->user_database,
		[ROOM_resource] = config->resource_database, [ROOM_booking] = config->booking_database,
		[ROOM_audit] = config->audit_database,
	};

	return own[room];
}

static bool is_sqlite(const char *url)
{
	return strncmp(url, "sqlite:", 7) == 0;
}

/* The embedded bus is always SQLite. */
static bool in_data_folder(const struct config *config, enum room room)
{
	return own_url(config, room) == NULL &&
	       (config->database_url == NULL || (room == ROOM_events && !is_sqlite(config->database_url)));
}

bool app_store_url(const struct config *config, enum room room, char *ret, size_t size)
{
	const char *own = own_url(config, room), *name = app_queries[room]->name;
	int len;

	if (in_data_folder(config, room))
		len = snprintf(ret, size, "sqlite:%s/%s.db", config->data, name);
	else if (own == NULL && is_sqlite(config->database_url))
		return sqlite_url(config->database_url, name, ret, size);
	else
		len = snprintf(ret, size, "%s", own != NULL ? own : config->database_url);
	return len > 0 && (size_t)len < size;
}

/* DATABASE_REPLICA_URL is a standby of DATABASE_URL, and of no other store. */
const char *app_replica_url(const struct config *config, enum room room)
{
	const char *const own[ROOM_COUNT] = {
		[ROOM_tenant] = config->tenant_replica,	    [ROOM_user] = config->user_replica,
		[ROOM_resource] = config->resource_replica, [ROOM_booking] = config->booking_replica,
		[ROOM_audit] = config->audit_replica,
	};

	if (room == ROOM_events || own[room] != NULL)
		return own[room];
	return own_url(config, room) == NULL ? config->database_replica : NULL;
}

static bool data_folder(const char *path)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return true;
	fprintf(stderr, "marca: cannot make the folder %s: %s; set MARCA_DATA or --data\n", path,
		strerror(errno));
	return false;
}

bool app_make_data_folder(const struct config *config)
{
	for (size_t room = 0; room < ROOM_COUNT; room++)
		if (in_data_folder(config, (enum room)room) &&
		    (room != ROOM_events || config->redis_url == NULL))
			return data_folder(config->data);
	return true;
}

/* Machines start in any order: a store that does not answer yet is asked again for MARCA_DB_WAIT seconds. */
static enum rc open_patiently(struct app *app, enum room room, const struct db_options *options)
{
	const struct timespec pause = {.tv_sec = 1};
	enum rc rc = db_open(app_queries[room], options, &app->dbs[room]);
	int tries = app->guest ? 0 : app->config.db_wait; /* somebody waits for a command's answer */

	for (; rc == RC_STORE_DOWN && tries > 0; tries--) {
		nanosleep(&pause, NULL);
		rc = db_open(app_queries[room], options, &app->dbs[room]);
	}
	return rc;
}

bool app_store_is_named(const struct config *config, enum room room)
{
	return !in_data_folder(config, room);
}

bool app_has_store(const struct app *app, enum room room)
{
	return room == ROOM_events ? app->config.redis_url == NULL : app->here[room];
}

bool app_open_store(struct app *app, enum room room)
{
	char url[APP_STORE_URL_MAX];
	struct db_options options = {
		/* What it loses with the power comes again from the outboxes. */
		.relaxed = room == ROOM_events,
		.guest = app->guest,
		.url = url,
		.role = app->config.db_role,
		.pooled = app->config.db_pooled != 0,
		.replica_url = app->guest ? NULL : app_replica_url(&app->config, room),
		.replica_lag_ms = app->config.replica_lag_ms,
		.write_connections = app->config.db_writers,
		.read_connections = app->config.db_readers,
		.group_max = (size_t)app->config.group_max,
		.world = &app->world,
	};

	if (!app_store_url(&app->config, room, url, sizeof(url))) {
		fprintf(stderr, "marca: the address of the %s store is too long\n", app_queries[room]->name);
		return false;
	}
	if (options.replica_url != NULL && is_sqlite(url)) {
		fprintf(stderr,
			"marca: the %s store is SQLite, which has no replica; unset DATABASE_REPLICA_URL and "
			"the like, or set the store's PostgreSQL\n",
			app_queries[room]->name);
		return false;
	}
	if (in_data_folder(&app->config, room) && !app->guest && !data_folder(app->config.data))
		return false;
	return open_patiently(app, room, &options) == RC_OK;
}

bool app_open_guest(struct app *app, enum room room)
{
	bool fits;
	int version;

	app->guest = true;
	if (!app_has_store(app, room))
		return true;
	if (!app_open_store(app, room) || db_schema_version(app->dbs[room], &version, &fits) != RC_OK)
		return false;
	if (fits)
		return true;
	fprintf(stderr, "marca: the schema of the %s store is another version's: `marca migrate all`\n",
		app_queries[room]->name);
	return false;
}

bool app_open_stores(struct app *app)
{
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (!app_has_store(app, (enum room)room))
			continue;
		if (!app_open_store(app, (enum room)room))
			return false;
		if (db_migrate(app->dbs[room], -1, NULL) != RC_OK)
			return false;
	}
	return true;
}
