/* See neighbours.h. docs/fleet.md is its documentation. */
#include "app/neighbours.h"

#include "neighbour/answer.h"
#include "neighbour/neighbour.h"
#include "neighbour/wire.h"

#include <stdio.h>
#include <stdlib.h>

struct app_neighbours {
	struct signature_key key;
	struct http_client *http;
	struct neighbour *rooms[ROOM_COUNT]; /* NULL: here, or not configured */
};

/* --- Where the rooms are ---------------------------------------------------- */

static const char *url_of(const struct config *config, enum room room)
{
	const char *const urls[ROOM_COUNT] = {
		[ROOM_tenant] = config->tenant_service,
		[ROOM_user] = config->user_service,
		[ROOM_resource] = config->resource_service,
		[ROOM_booking] = config->booking_service,
	};

	return urls[room];
}

/* Who cannot do without whom. A tenant service may be missing: then all tenants book by the defaults. */
static const struct {
	enum room asks, asked;
	const char *variable, *why;
} needs[] = {
	{ROOM_tenant, ROOM_user, "USER_SERVICE_URL", "who asks is known there"},
	{ROOM_resource, ROOM_user, "USER_SERVICE_URL", "who asks is known there"},
	{ROOM_booking, ROOM_user, "USER_SERVICE_URL", "who asks is known there"},
	{ROOM_audit, ROOM_user, "USER_SERVICE_URL", "who asks is known there"},
	{ROOM_booking, ROOM_resource, "RESOURCE_SERVICE_URL", "what may be booked is known there"},
	{ROOM_resource, ROOM_booking, "BOOKING_SERVICE_URL", "what is taken is known there"},
	{ROOM_user, ROOM_booking, "BOOKING_SERVICE_URL", "a person's bookings belong to his export"},
};

static bool read_services(struct app *app)
{
	struct str rest = str_from(app->config.services);

	for (size_t room = 0; room < SERVICE_COUNT; room++)
		app->here[room] = false;
	do {
		struct str name = str_trim(str_cut(&rest, ','));
		size_t room = 0;

		while (room < SERVICE_COUNT && !str_equal(name, str_from(room_names[room])))
			room++;
		if (room == SERVICE_COUNT) {
			fprintf(stderr,
				"marca: --service %s: there is no service '%.*s'; tenant, user, resource, "
				"booking, audit, or several with commas between\n",
				app->config.services, (int)name.len, name.p);
			return false;
		}
		app->here[room] = true;
	} while (rest.len > 0);
	return true;
}

static bool all_here(const struct app *app)
{
	for (size_t room = 0; room < SERVICE_COUNT; room++)
		if (!app->here[room])
			return false;
	return true;
}

static bool need(const char *variable, const char *value, const char *why)
{
	if (value != NULL)
		return true;
	fprintf(stderr, "marca: %s is not set, and services in processes of their own need it: %s\n",
		variable, why);
	return false;
}

bool app_place(struct app *app)
{
	const struct config *config = &app->config;
	bool good = true;

	if (config->services == NULL)
		return true;
	if (!read_services(app))
		return false;
	if (all_here(app))
		return true;
	good &= need("REDIS_URL", config->redis_url, "events go from one to the other through it");
	good &= need("SERVICE_KEY", config->service_key,
		     "they sign what they ask one another; `openssl rand -hex 32`");
	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (app->here[needs[i].asks] && !app->here[needs[i].asked])
			good &= need(needs[i].variable, url_of(config, needs[i].asked), needs[i].why);
	return good;
}

/* --- Asking ------------------------------------------------------------------ */

static bool open_room(struct app *app, enum room room)
{
	struct app_neighbours *neighbours = app->neighbours;
	const struct neighbour_options options = {
		.name = room_names[room],
		.url = url_of(&app->config, room),
		.collection = app_services[room]->collection,
		.key = app->config.service_key,
		.http = neighbours->http,
		.world = &app->world,
	};
	struct db_elsewhere how;

	neighbours->rooms[room] = neighbour_create(&options);
	if (neighbours->rooms[room] == NULL)
		return false;
	how = neighbour_elsewhere(neighbours->rooms[room]);
	app->dbs[room] = db_open_elsewhere(app_queries[room], &how);
	return app->dbs[room] != NULL;
}

bool app_neighbours_open(struct app *app)
{
	const struct http_client_options http = {.trusted = true, .ca_file = app->config.outgoing_ca};
	struct app_neighbours *neighbours;

	if (all_here(app))
		return true;
	neighbours = app->neighbours = calloc(1, sizeof(*neighbours));
	if (neighbours == NULL)
		return false;
	neighbours->key = signature_key(app->config.service_key);
	neighbours->http = http_client_create(&http);
	if (neighbours->http == NULL)
		return false;
	for (size_t room = 0; room < SERVICE_COUNT; room++)
		if (!app->here[room] && url_of(&app->config, (enum room)room) != NULL &&
		    !open_room(app, (enum room)room))
			return false;
	return true;
}

void app_neighbours_close(struct app *app)
{
	struct app_neighbours *neighbours = app->neighbours;

	if (neighbours == NULL)
		return;
	for (size_t room = 0; room < SERVICE_COUNT; room++)
		neighbour_destroy(neighbours->rooms[room]);
	http_client_destroy(neighbours->http);
	explicit_bzero(&neighbours->key, sizeof(neighbours->key));
	free(neighbours);
	app->neighbours = NULL;
}

struct neighbour *app_neighbour(const struct app *app, enum room room)
{
	return app->neighbours != NULL ? app->neighbours->rooms[room] : NULL;
}

/* --- Answering --------------------------------------------------------------- */

static const struct app *app_of(const struct req *rq)
{
	return CONTAINER_OF((struct gateway *)req_app(rq), struct app, gateway);
}

enum rc app_neighbour_verify(const struct req *rq)
{
	const struct app_neighbours *neighbours = app_of(rq)->neighbours;

	return neighbour_verify(rq, neighbours != NULL ? &neighbours->key : NULL);
}

static enum rc answer_reads(struct req *rq)
{
	return neighbour_answer(rq, app_queries);
}

static const struct route routes[] = {{
	.method = HTTP_POST_,
	.path = READS_PATH,
	.id = "internalReads",
	.summary = "Questions of other services.",
	.access = ACCESS_SERVICE,
	.hidden = true,
	.class = RATE_EXEMPT,
	.body = &reads_shape,
	.body_max = BODY_MAX_BULK,
	.handler = answer_reads,
	.replies = {{200, .type = "application/json"}},
}};

const struct service neighbour_service = {
	.name = "neighbour",
	.collection = "internal",
	.title = "Neighbours",
	.doc = "What the services of one marca ask one another.",
	.room = -1,
	.routes = routes,
	.route_count = ARRAY_LEN(routes),
};
