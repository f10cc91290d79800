/* See app.h. */
#include "app/app.h"

#include "base/log.h"
#include "booking/booking.h"
#include "booking/queries.h"
#include "resource/queries.h"
#include "resource/resource.h"
#include "tenant/queries.h"
#include "tenant/tenant.h"
#include "user/queries.h"
#include "user/user.h"
#include "json/arena_json.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

const struct service *const app_services[ROOM_COUNT] = {
#define ROOM(name) &name##_service,
#include "base/rooms.def"
#undef ROOM
};

const struct query_set *const app_queries[ROOM_COUNT] = {
#define ROOM(name) &name##_queries,
#include "base/rooms.def"
#undef ROOM
};

enum room app_room(const char *name)
{
	size_t room = 0;

	while (room < ROOM_COUNT && strcmp(app_services[room]->name, name) != 0)
		room++;
	return (enum room)room;
}

/* --- Configuration ---------------------------------------------------------- */

static bool choose(const char *variable, const char *value, const char *const *words, int *ret)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], value) == 0) {
			*ret = i;
			return true;
		}
	}
	fprintf(stderr, "marca: %s=%s: must be one of:", variable, value);
	for (int i = 0; words[i] != NULL; i++)
		fprintf(stderr, " %s", words[i]);
	fprintf(stderr, "\n");
	return false;
}

static bool clock_start(const struct config *config, bool production, utime *ret)
{
	struct wire_time when;

	*ret = UTIME_NONE;
	if (config->clock == NULL)
		return true;
	if (production) {
		fprintf(stderr,
			"marca: MARCA_CLOCK is for tests; unset it, or set ENVIRONMENT=development\n");
		return false;
	}
	if (!utime_parse(str_from(config->clock), &when) || when.local) {
		fprintf(stderr, "marca: MARCA_CLOCK=%s: must be a time such as 2025-12-01T12:00:00Z\n",
			config->clock);
		return false;
	}
	*ret = when.at;
	return true;
}

bool app_init(struct app *app, const struct config *config)
{
	static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
	static const char *const formats[] = {"text", "json", "auto", NULL};
	static const char *const environments[] = {"development", "production", NULL};
	int level, format, environment;
	utime start;

	*app = (struct app){.config = *config};
	if (sodium_init() < 0) {
		fprintf(stderr, "marca: the machine gives no random numbers\n");
		return false;
	}
	if (!choose("MARCA_LOG_LEVEL", config->log_level, levels, &level) ||
	    !choose("MARCA_LOG_FORMAT", config->log_format, formats, &format) ||
	    !choose("ENVIRONMENT", config->environment, environments, &environment) ||
	    !clock_start(config, environment == 1, &start))
		return false;
	log_init((enum log_level)level, format == 2 ? -1 : format);
	arena_json_init();
	world_init(&app->world, start);
	return true;
}

/* --- Stores ----------------------------------------------------------------- */

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
		[ROOM_tenant] = config->tenant_database,
		[ROOM_user] = config->user_database,
		[ROOM_resource] = config->resource_database,
		[ROOM_booking] = config->booking_database,
	};

	return own[room];
}

static bool in_data_folder(const struct config *config, enum room room)
{
	return own_url(config, room) == NULL && config->database_url == NULL;
}

static bool store_url(const struct config *config, enum room room, char *ret, size_t size)
{
	const char *own = own_url(config, room), *name = app_services[room]->name;
	int len;

	if (in_data_folder(config, room))
		len = snprintf(ret, size, "sqlite:%s/%s.db", config->data, name);
	else if (own == NULL && strncmp(config->database_url, "sqlite:", 7) == 0)
		return sqlite_url(config->database_url, name, ret, size);
	else
		len = snprintf(ret, size, "%s", own != NULL ? own : config->database_url);
	return len > 0 && (size_t)len < size;
}

static bool data_folder(const char *path)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return true;
	fprintf(stderr, "marca: cannot make the folder %s: %s; set MARCA_DATA or --data\n", path,
		strerror(errno));
	return false;
}

/* Machines start in any order: a store that does not answer yet is asked again for MARCA_DB_WAIT seconds. */
static enum rc open_patiently(struct app *app, enum room room, const struct db_options *options)
{
	const struct timespec pause = {.tv_sec = 1};
	enum rc rc = db_open(app_queries[room], options, &app->dbs[room]);

	for (int tries = app->config.db_wait; rc == RC_STORE_DOWN && tries > 0; tries--) {
		nanosleep(&pause, NULL);
		rc = db_open(app_queries[room], options, &app->dbs[room]);
	}
	return rc;
}

bool app_open_store(struct app *app, enum room room)
{
	char url[4096];
	struct db_options options = {
		.url = url,
		.write_connections = app->config.db_writers,
		.read_connections = app->config.db_readers,
		.group_max = (size_t)app->config.group_max,
		.world = &app->world,
	};

	if (!store_url(&app->config, room, url, sizeof(url))) {
		fprintf(stderr, "marca: the address of the %s store is too long\n", app_services[room]->name);
		return false;
	}
	if (in_data_folder(&app->config, room) && !data_folder(app->config.data))
		return false;
	return open_patiently(app, room, &options) == RC_OK;
}

static bool open_stores(struct app *app)
{
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (!app_open_store(app, (enum room)room))
			return false;
		if (db_migrate(app->dbs[room], -1, NULL) != RC_OK)
			return false;
	}
	return true;
}

/* --- Threads ---------------------------------------------------------------- */

static void thread_close(void *arg, struct room_locals *rooms)
{
	(void)arg;
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (rooms->locals[room] != NULL)
			app_services[room]->local_destroy(rooms->locals[room]);
		db_port_close(rooms->ports[room]);
	}
}

static void thread_rest(const struct room_locals *rooms)
{
	for (size_t room = 0; room < ROOM_COUNT; room++)
		db_port_rest(rooms->ports[room]);
}

static bool thread_open(void *arg, struct room_locals *ret)
{
	struct app *app = CONTAINER_OF((struct gateway *)arg, struct app, gateway);

	for (size_t room = 0; room < ROOM_COUNT; room++) {
		const struct service *service = app_services[room];

		ret->ports[room] = db_port_open(app->dbs[room]);
		if (ret->ports[room] == NULL)
			return false;
		if (service->local_create == NULL)
			continue;
		ret->locals[room] = service->local_create(&app->config);
		if (ret->locals[room] == NULL)
			return false;
	}
	return true;
}

/* --- Start and end ------------------------------------------------------------ */

static bool start_dispatcher(struct app *app)
{
	static const struct service *served[ROOM_COUNT + 1];
	const struct dispatcher_options options = {
		.services = served,
		.service_count = ARRAY_LEN(served),
		.world = &app->world,
		.app = &app->gateway,
		.strict = app->config.strict != 0,
		.open = thread_open,
		.close = thread_close,
		.rest = thread_rest,
	};

	memcpy(served, app_services, sizeof(app_services));
	served[ROOM_COUNT] = &gateway_service;
	return dispatcher_create(&options, &app->dispatcher) == RC_OK;
}

static bool start_server(struct app *app)
{
	const struct http_options options = {
		.listen = app->config.listen,
		.threads = app->config.threads,
		.max_connections = (size_t)app->config.max_connections,
		.drain_ms = app->config.drain_seconds * 1000,
		.world = &app->world,
	};
	const struct http_callbacks callbacks = dispatcher_callbacks(app->dispatcher);

	return http_server_create(&options, &callbacks, &app->server) == RC_OK;
}

bool app_start(struct app *app)
{
	if (!open_stores(app) || !start_dispatcher(app) || !start_server(app))
		return false;
	if (gateway_init(&app->gateway, app_services, ROOM_COUNT, app->dbs) != RC_OK)
		return false;
	app->gateway.dispatcher = app->dispatcher;
	app->gateway.server = app->server;
	return true;
}

void app_finish(struct app *app)
{
	http_server_destroy(app->server);
	dispatcher_destroy(app->dispatcher);
	gateway_finish(&app->gateway);
	for (size_t room = 0; room < ROOM_COUNT; room++)
		db_close(app->dbs[room]);
}
