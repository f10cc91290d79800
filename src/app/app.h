/*
 * The process: what is opened, in which order, and closed in the other. main() and the
 * commands know it; the rooms do not.
 */
#ifndef APP_APP_H
#define APP_APP_H

#include "base/config.h"
#include "base/log.h"
#include "db/db.h"
#include "gateway/gateway.h"

struct app_neighbours;

struct app {
	struct config config;
	struct world world;
	bool guest;			   /* by app_open_guest() */
	bool here[ROOM_COUNT];		   /* this process runs it: all, but where --service says otherwise */
	struct app_neighbours *neighbours; /* of the rooms that are not here; NULL: all are */
	struct db *dbs[ROOM_COUNT];	   /* NULL: not opened; that of events where there is Redis */
	void *shared[ROOM_COUNT];	   /* by room: what it keeps for the process */
	struct app_events *events;
	enum log_requests log_requests;
	struct tracer *tracer; /* NULL: no spans are wanted */
	struct rates *rates;
	struct cors_now cors;
	struct config as_read;	/* from environment and file, before the command line; the reload's alone */
	struct task *reload;	/* reload.h */
	struct gateway gateway; /* first reached through req_app() */
	struct dispatcher *dispatcher;
	bool has_socket; /* that was handed over: handed_socket.h */
	int socket;
	struct http_server *server;
};

/* The services, in the order of rooms.def: all rooms but the last, the embedded bus, are one. */
#define SERVICE_COUNT ROOM_events
/* And identity, which is a second service of the user room: the last of the row. */
#define APP_SERVICES (SERVICE_COUNT + 1)
extern const struct service *const app_services[APP_SERVICES];
extern const struct query_set *const app_queries[ROOM_COUNT];

/* Its place in that row, or NULL. */
const struct service *const *app_service(const char *name);
/* The room of that service, or ROOM_COUNT. */
enum room app_room(const char *name);

/* Checks the configuration (posture.h), sets the log and the clock. False: said why on standard error. */
bool app_init(struct app *app, const struct config *config) MUST_USE;
/* The same where strangers will talk to it, which asks for more. */
bool app_init_to_serve(struct app *app, const struct config *config) MUST_USE;

/* Which rooms are here, by config.services. False: says on standard error what else must be set. */
bool app_place(struct app *app) MUST_USE;
/* What MARCA_LOG_LEVEL, MARCA_LOG_FORMAT and MARCA_LOG_REQUESTS say. False, told by complain(). */
struct log_words {
	enum log_level level;
	int format; /* for log_init() */
	enum log_requests requests;
};
bool app_log_words(const struct config *config, struct log_words *ret) MUST_USE;

/* Is that store one of this process's? */
bool app_has_store(const struct app *app, enum room room);
/* Does a setting say where it is? Else it lies under MARCA_DATA. */
bool app_store_is_named(const struct config *config, enum room room);
/* Where it is. False: that is too long. */
#define APP_STORE_URL_MAX 4096
bool app_store_url(const struct config *config, enum room room, char *ret, size_t size) MUST_USE;
/* Its standby, by the settings' own text; NULL: none. */
const char *app_replica_url(const struct config *config, enum room room);
/* Where one lies in it. */
bool app_make_data_folder(const struct config *config) MUST_USE;
/* Opens one store, as configured. */
bool app_open_store(struct app *app, enum room room) MUST_USE;
/* The same for an operator's command, beside the process that owns an embedded store: it does not wait for
 * it, nor make it, and its schema must be this marca's. True, too, where app_has_store() says that there is
 * none. */
bool app_open_guest(struct app *app, enum room room) MUST_USE;
/* All of them, with their schemas brought up to date. */
bool app_open_stores(struct app *app) MUST_USE;

/* What the services keep for the process. app_close_shared() takes what a failure left. */
bool app_open_shared(struct app *app) MUST_USE;
void app_close_shared(struct app *app);

/* A thread's ways into the stores, and, but for a guest, the services' caches; app_thread_close() takes what
 * a failure left. */
bool app_thread_open(struct app *app, struct room_locals *ret) MUST_USE;
void app_thread_close(struct room_locals *rooms);
void app_thread_rest(const struct room_locals *rooms);

/* Stores open and migrated, address bound, events under way. On failure says why, and
 * app_finish() cleans up.
 */
bool app_start(struct app *app) MUST_USE;
void app_finish(struct app *app);

#endif
