/* See app.h. */
#include "app/app.h"

#include "app/confine.h"
#include "app/events.h"
#include "app/metrics.h"
#include "app/neighbours.h"
#include "app/posture.h"
#include "app/traces.h"
#include "audit/audit.h"
#include "audit/queries.h"
#include "auth/auth.h"
#include "base/log.h"
#include "booking/booking.h"
#include "booking/queries.h"
#include "events/queries.h"
#include "resource/queries.h"
#include "resource/resource.h"
#include "tenant/queries.h"
#include "tenant/tenant.h"
#include "user/queries.h"
#include "user/user.h"
#include "json/arena_json.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

const struct service *const app_services[APP_SERVICES] = {
	[ROOM_tenant] = &tenant_service,   [ROOM_user] = &user_service,	  [ROOM_resource] = &resource_service,
	[ROOM_booking] = &booking_service, [ROOM_audit] = &audit_service, [SERVICE_COUNT] = &auth_service,
};

const struct query_set *const app_queries[ROOM_COUNT] = {
#define ROOM(name) &name##_queries,
#include "base/rooms.def"
#undef ROOM
};

const struct service *const *app_service(const char *name)
{
	for (size_t i = 0; i < APP_SERVICES; i++)
		if (strcmp(app_services[i]->name, name) == 0)
			return &app_services[i];
	return NULL;
}

enum room app_room(const char *name)
{
	size_t room = 0;

	while (room < SERVICE_COUNT && strcmp(app_services[room]->name, name) != 0)
		room++;
	return room < SERVICE_COUNT ? (enum room)room : ROOM_COUNT;
}

/* --- Configuration ---------------------------------------------------------- */

static bool choose(const char *variable, const char *value, const char *const *words, int *ret)
{
	char all[64] = "";
	size_t len = 0;

	for (int i = 0; words[i] != NULL; i++) {
		if (strcmp(words[i], value) == 0) {
			*ret = i;
			return true;
		}
		len += (size_t)snprintf(all + len, sizeof(all) - len, " %s", words[i]);
	}
	complain("%s=%s: must be one of:%s", variable, value, all);
	return false;
}

bool app_log_words(const struct config *config, struct log_words *ret)
{
	static const char *const levels[] = {"error", "warn", "info", "debug", NULL};
	static const char *const formats[] = {"text", "json", "auto", NULL};
	static const char *const requests[] = {"none", "errors", "all", NULL};
	int level, format, logged;

	if (!choose("MARCA_LOG_LEVEL", config->log_level, levels, &level) ||
	    !choose("MARCA_LOG_FORMAT", config->log_format, formats, &format) ||
	    !choose("MARCA_LOG_REQUESTS", config->log_requests, requests, &logged))
		return false;
	*ret = (struct log_words){
		.level = (enum log_level)level,
		.format = format == 2 ? -1 : format,
		.requests = (enum log_requests)logged,
	};
	return true;
}

static bool clock_start(const struct config *config, utime *ret)
{
	struct wire_time when;

	*ret = UTIME_NONE;
	if (config->clock == NULL)
		return true;
	if (!utime_parse(str_from(config->clock), &when) || when.local) {
		fprintf(stderr, "marca: MARCA_CLOCK=%s: must be a time such as 2025-12-01T12:00:00Z\n",
			config->clock);
		return false;
	}
	*ret = when.at;
	return true;
}

static bool init(struct app *app, const struct config *config, bool serves)
{
	static const char *const confines[] = {"required", "on", "off", NULL};
	struct log_words words;
	int confine;
	utime start;

	*app = (struct app){.config = *config};
	for (size_t room = 0; room < ROOM_COUNT; room++)
		app->here[room] = true;
	if (sodium_init() < 0) {
		fprintf(stderr, "marca: the machine gives no random numbers\n");
		return false;
	}
	arena_json_init();
	if (!posture_check(config, serves) || !app_log_words(config, &words) ||
	    !choose("MARCA_CONFINE", config->confine, confines, &confine) || !clock_start(config, &start))
		return false;
	app->log_requests = words.requests;
	log_init(words.level, words.format);
	world_init(&app->world, start);
	return true;
}

bool app_init(struct app *app, const struct config *config)
{
	return init(app, config, false);
}

bool app_init_to_serve(struct app *app, const struct config *config)
{
	return init(app, config, true) && app_place(app);
}

/* --- What the services keep for the process ------------------------------------ */

bool app_open_shared(struct app *app)
{
	for (size_t room = 0; room < SERVICE_COUNT; room++) {
		const struct service *service = app_services[room];

		if (service->shared_create == NULL)
			continue;
		app->shared[room] = service->shared_create(&app->config, &app->world, app->here[room]);
		if (app->shared[room] == NULL)
			return false;
	}
	return true;
}

void app_close_shared(struct app *app)
{
	for (size_t room = 0; room < SERVICE_COUNT; room++) {
		if (app->shared[room] != NULL)
			app_services[room]->shared_destroy(app->shared[room]);
		app->shared[room] = NULL;
	}
}

/* --- Threads ---------------------------------------------------------------- */

void app_thread_close(struct room_locals *rooms)
{
	for (size_t room = 0; room < SERVICE_COUNT; room++) {
		if (rooms->locals[room] != NULL)
			app_services[room]->local_destroy(rooms->locals[room]);
	}
	for (size_t room = 0; room < ROOM_COUNT; room++)
		db_port_close(rooms->ports[room]);
}

void app_thread_rest(const struct room_locals *rooms)
{
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (rooms->ports[room] != NULL)
			db_port_rest(rooms->ports[room]);
	}
}

static bool open_ports(const struct app *app, struct room_locals *ret)
{
	for (size_t room = 0; room < ROOM_COUNT; room++) {
		if (app->dbs[room] == NULL)
			continue;
		ret->ports[room] = db_port_open(app->dbs[room]);
		if (ret->ports[room] == NULL)
			return false;
	}
	return true;
}

bool app_thread_open(struct app *app, struct room_locals *ret)
{
	if (!open_ports(app, ret))
		return false;
	for (size_t room = 0; room < SERVICE_COUNT && !app->guest; room++) {
		const struct service *service = app_services[room];

		if (service->local_create == NULL)
			continue;
		ret->locals[room] = service->local_create(&app->config, app->shared[room]);
		if (ret->locals[room] == NULL)
			return false;
	}
	return true;
}

/* A loop of the server begins and ends. */

static bool loop_open(void *gateway, struct room_locals *ret)
{
	return app_thread_open(CONTAINER_OF((struct gateway *)gateway, struct app, gateway), ret);
}

static void loop_close(void *gateway, struct room_locals *rooms)
{
	(void)gateway;
	app_thread_close(rooms);
}

/* --- Start and end ------------------------------------------------------------ */

static bool read_cors(struct app *app)
{
	struct cors *cors;

	if (!cors_create(&app->config, &cors))
		return false;
	cors_apply(&app->cors, cors);
	return true;
}

/* Those that are here, what stands around them, and what neighbours ask. */
static size_t app_served(const struct app *app, const struct service **ret)
{
	size_t count = 0;

	for (size_t i = 0; i < APP_SERVICES; i++)
		if (app->here[app_services[i]->room])
			ret[count++] = app_services[i];
	ret[count++] = &gateway_service;
	ret[count++] = &neighbour_service;
	return count;
}

static bool start_dispatcher(struct app *app)
{
	static const struct service *served[APP_SERVICES + 2];
	const struct dispatcher_options options = {
		.services = served,
		.service_count = app_served(app, served),
		.world = &app->world,
		.app = &app->gateway,
		.log_requests = app->log_requests,
		.tracer = app->tracer,
		.strict = app->config.strict != 0,
		.authenticate = auth_authenticate,
		.neighbour = app_neighbour_verify,
		.rates = app->rates,
		.cors = &app->cors,
		.https = strncmp(app->config.public_url, "https:", 6) == 0,
		.open = loop_open,
		.close = loop_close,
		.rest = app_thread_rest,
	};

	return dispatcher_create(&options, &app->dispatcher) == RC_OK;
}

static bool start_server(struct app *app)
{
	const struct http_options options = {
		.listen = app->config.listen,
		.threads = app->config.threads,
		.max_connections = (size_t)app->config.max_connections,
		.has_socket = app->has_socket,
		.socket = app->socket,
		.world = &app->world,
	};
	const struct http_callbacks callbacks = dispatcher_callbacks(app->dispatcher);

	if (http_server_create(&options, &callbacks, &app->server) != RC_OK)
		return false;
	http_server_set_drain(app->server, app->config.drain_delay * 1000, app->config.drain_seconds * 1000);
	return true;
}

bool app_start(struct app *app)
{
	metrics_begin();
	if (!confine_begin(app) || !log_start() || !app_traces_open(app) || !read_cors(app) ||
	    !rates_create(&app->config, &app->world, &app->rates) || !app_open_stores(app) ||
	    !app_neighbours_open(app) || !app_open_shared(app) || !start_dispatcher(app) ||
	    !start_server(app))
		return false;
	if (gateway_init(&app->gateway, app_services, APP_SERVICES, app->dbs) != RC_OK)
		return false;
	app->gateway.here = app->here;
	app->gateway.server = app->server;
	app->gateway.exposed = config_exposed(&app->config);
	app->gateway.metrics_token = app->config.metrics_token;
	app->gateway.metrics = app_metrics;
	app->gateway.bus_works = app_events_bus_works;
	app->gateway.arg = app;
	return app_events_start(app) && confine_finish(app);
}

void app_finish(struct app *app)
{
	http_server_destroy(app->server);
	app_events_stop(app);
	dispatcher_destroy(app->dispatcher);
	rates_destroy(app->rates);
	cors_destroy(app->cors.cors);
	gateway_finish(&app->gateway);
	app_close_shared(app);
	for (size_t room = 0; room < ROOM_COUNT; room++)
		db_close(app->dbs[room]);
	app_neighbours_close(app);
	app_traces_close(app);
	log_stop();
}
