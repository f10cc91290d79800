/*
 * The process: what is opened, in which order, and closed in the other. main() and the
 * commands know it; the rooms do not.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include "base/config.h"
#include "db/db.h"
#include "gateway/gateway.h"

struct app {
	struct config config;
	struct world world;
	struct db *dbs[ROOM_COUNT];
	struct gateway gateway; /* first reached through req_app() */
	struct dispatcher *dispatcher;
	struct http_server *server;
};

/* The four services, in the order of rooms.def. */
extern const struct service *const app_services[ROOM_COUNT];
extern const struct query_set *const app_queries[ROOM_COUNT];

/* The room of that name, or ROOM_COUNT. */
enum room app_room(const char *name);

/* Checks the configuration, sets the log and the clock. False: said why on standard error. */
bool app_init(struct app *app, const struct config *config) MUST_USE;

/* Opens one store, as configured. */
bool app_open_store(struct app *app, enum room room) MUST_USE;

/* Stores open and migrated, documents made, address bound. On failure says why, and app_finish() cleans up.
 */
bool app_start(struct app *app) MUST_USE;
void app_finish(struct app *app);

#endif
