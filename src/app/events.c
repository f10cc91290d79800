/* See events.h. One thread does all of it; its tasks are relays, consumers, the janitor, and the caches'
 * follower. */
#include "app/events.h"

#include "app/consumers.h"
#include "app/events_parts.h"
#include "app/rates.h"
#include "app/reload.h"
#include "auth/key_uses.h"
#include "auth/post.h"
#include "base/log.h"
#include "booking/queries.h"
#include "events/follower.h"
#include "events/janitor.h"
#include "events/relay.h"
#include "resource/queries.h"
#include "tenant/queries.h"
#include "user/effects.h"
#include "user/local.h"
#include "user/queries.h"

#include <stdlib.h>

static const char *const booking_streams[] = {STREAM_BOOKINGS};
static const char *const other_streams[] = {STREAM_DELETIONS, STREAM_TENANTS};

/* The rooms that write events, and the streams that each writes to. */
static const struct {
	const char *name;
	struct relay_queries queries;
	const char *const *streams;
	size_t stream_count;
} relayed[] = {
	{"tenant-relay", RELAY_QUERIES(tenant), other_streams, ARRAY_LEN(other_streams)},
	{"user-relay", RELAY_QUERIES(user), other_streams, ARRAY_LEN(other_streams)},
	{"resource-relay", RELAY_QUERIES(resource), other_streams, ARRAY_LEN(other_streams)},
	{"booking-relay", RELAY_QUERIES(booking), booking_streams, ARRAY_LEN(booking_streams)},
};

_Static_assert(ARRAY_LEN(relayed) == RELAYS, "events_parts.h counts them");

/* Rows that end by themselves, or are kept for so long. */
static const struct purge_query purges[] = {
	{ROOM_user, &q_sessions_purge_query, 0},      {ROOM_user, &q_refresh_purge_query, 0},
	{ROOM_user, &q_links_purge_query, 0},	      {ROOM_user, &q_messages_purge_query, 0},
	{ROOM_user, &q_notifications_purge_query, 0}, {ROOM_user, &q_login_codes_purge_query, 0},
};

_Static_assert(ARRAY_LEN(purges) == PURGES, "events_parts.h counts them");

/* --- The tasks' thread, and the bus --------------------------------------------- */

static bool tasks_open(void *app, struct room_locals *ret)
{
	return app_thread_open(app, ret);
}

static void tasks_close(void *app, struct room_locals *rooms)
{
	(void)app;
	app_thread_close(rooms);
}

enum rc app_tasks_create(struct app *app, struct tasks **ret)
{
	const struct tasks_options options = {
		.world = &app->world,
		.open = tasks_open,
		.close = tasks_close,
		.rest = app_thread_rest,
		.app = app,
		.tracer = app->tracer,
	};

	return tasks_create(&options, ret);
}

enum rc app_bus_create(const struct app *app, struct tasks *tasks, struct bus **ret)
{
	const struct bus_options options = {
		.redis_url = app->config.redis_url,
		.redis_ca = app->config.redis_ca,
		.booking_stream = app->config.event_stream,
		.tasks = tasks,
	};

	return bus_create(&options, ret);
}

/* --- What runs on it ------------------------------------------------------------ */

static enum rc create_relays(struct app *app)
{
	struct app_events *events = app->events;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < RELAYS; i++) {
		if (!app->here[relayed[i].queries.room])
			continue;
		const struct relay_options options = {
			.name = relayed[i].name,
			.bus = events->bus,
			.tasks = events->tasks,
			.db = app->dbs[relayed[i].queries.room],
			.queries = relayed[i].queries,
			.streams = relayed[i].streams,
			.stream_count = relayed[i].stream_count,
			.lease_ms = app->config.event_lease_ms,
		};

		rc = relay_create(&options, &events->relays[events->relay_count]);
		if (rc == RC_OK)
			events->relay_count++;
	}
	return rc;
}

static enum rc create_consumers(struct app *app)
{
	struct app_events *events = app->events;
	struct consumers_options options = {
		.bus = events->bus,
		.tasks = events->tasks,
		.groups = events->groups,
		.rows = app_consumers,
		.row_count = app_consumer_count,
		.workers = app->config.event_workers,
		.tries = app->config.event_tries,
		.claim_ms = app->config.event_claim_ms,
	};

	for (size_t i = 0; i < app_group_count; i++) {
		if (!app->here[app_groups[i].effects.room])
			continue;
		events->effects[events->group_count] = app_groups[i].effects;
		events->groups[events->group_count++] = app_groups[i];
	}
	options.group_count = events->group_count;
	return consumers_create(&options, &app->events->consumers);
}

static enum rc erase_long_deleted(struct ctx *cx, void *arg)
{
	const struct app *app = arg;
	int days = app->config.deleted_retention;

	return days > 0 ? user_erase_long_deleted(cx, cx->now - days * UTIME_DAY) : RC_OK;
}

static enum rc create_janitor(struct app *app)
{
	struct app_events *events = app->events;
	struct janitor_options options = {
		.bus = events->bus,
		.tasks = events->tasks,
		.relays = events->relays,
		.relay_count = events->relay_count,
		.effects = events->effects,
		.effect_count = events->group_count,
		.retention_hours = app->config.event_retention,
		.erased =
			{
				.room = ROOM_booking,
				.stream = STREAM_BOOKINGS,
				.next = &q_erased_next_query,
				.done = &q_erased_done_query,
			},
		.purges = events->purges,
		.errand_arg = app,
	};

	memcpy(events->purges, purges, sizeof(purges));
	for (size_t i = 0; i < PURGES; i++)
		if (purges[i].query == &q_notifications_purge_query)
			events->purges[i].days = app->config.notification_retention;

	if (!app->here[ROOM_booking])
		options.erased = (struct erased_queries){0};
	if (app->here[ROOM_user]) {
		options.purge_count = PURGES;
		options.errand = erase_long_deleted;
	}
	return janitor_create(&options, &events->janitor);
}

/* The rooms of which threads keep something. */
static const enum room followed[] = {ROOM_tenant, ROOM_user, ROOM_resource};

/* Of rooms that are here or elsewhere; of those that are not configured there is nothing to let go. */
static void touch(const struct app *app, enum room room, const struct uuid *key)
{
	if (app->dbs[room] != NULL)
		db_touch(app->dbs[room], key);
}

/* Another process has changed something: what is kept of it is let go. */
static void heard(void *arg, const struct event *event)
{
	const struct app *app = arg;

	if (strncmp(event->type, "tenant.", 7) == 0)
		touch(app, ROOM_tenant, &event->tenant_id);
	else if (strncmp(event->type, "user.", 5) == 0 || strncmp(event->type, "session.", 8) == 0 ||
		 strncmp(event->type, "api_key.", 8) == 0 || strncmp(event->type, "provider.", 9) == 0)
		touch(app, ROOM_user, &event->subject_id);
	else if (strncmp(event->type, "resource.", 9) == 0)
		touch(app, ROOM_resource, &event->tenant_id);
}

static void missed(void *arg)
{
	const struct app *app = arg;

	for (size_t i = 0; i < ARRAY_LEN(followed); i++)
		if (app->dbs[followed[i]] != NULL)
			db_touch_all(app->dbs[followed[i]]);
}

/* Where nobody else writes, the versions of this process's own commits tell all. */
static void write_key_uses(struct task *task, void *arg)
{
	key_uses_run(task, ((const struct user_shared *)arg)->key_uses);
}

/* When API keys were used. */
static enum rc create_key_uses(const struct app *app)
{
	void *shared = app->shared[ROOM_user];

	if (!app->here[ROOM_user])
		return RC_OK;
	return tasks_add(app->events->tasks, write_key_uses, shared) != NULL ? RC_OK : RC_NO_MEMORY;
}

static bool needs_follower(const struct app *app)
{
	for (size_t i = 0; i < ARRAY_LEN(followed); i++)
		if (app->dbs[followed[i]] != NULL && db_is_shared(app->dbs[followed[i]]))
			return true;
	return false;
}

static enum rc create_follower(struct app *app)
{
	const struct follower_options options = {
		.bus = app->events->bus,
		.tasks = app->events->tasks,
		.streams = other_streams,
		.stream_count = ARRAY_LEN(other_streams),
		.heard = heard,
		.missed = missed,
		.arg = app,
	};

	return needs_follower(app) ? follower_create(&options, &app->events->follower) : RC_OK;
}

/* --- Start and end ---------------------------------------------------------------- */

bool app_events_start(struct app *app)
{
	enum rc rc;

	app->events = calloc(1, sizeof(*app->events));
	rc = app->events != NULL ? app_tasks_create(app, &app->events->tasks) : RC_NO_MEMORY;
	if (rc == RC_OK)
		rc = app_bus_create(app, app->events->tasks, &app->events->bus);
	if (rc == RC_OK)
		rc = create_relays(app);
	if (rc == RC_OK)
		rc = create_consumers(app);
	if (rc == RC_OK)
		rc = create_janitor(app);
	if (rc == RC_OK)
		rc = create_follower(app);
	if (rc == RC_OK)
		rc = create_key_uses(app);
	if (rc == RC_OK)
		rc = app_rates_share(app, app->events->tasks, &app->events->rates);
	if (rc == RC_OK && app->here[ROOM_user])
		rc = post_create(&app->config, app->events->tasks, &app->events->post);
	if (rc == RC_OK)
		rc = app_reload_create(app, app->events->tasks);
	if (rc == RC_OK)
		rc = tasks_start(app->events->tasks);
	if (rc == RC_NO_MEMORY)
		LOG(ERROR, "no memory for the events' tasks");
	return rc == RC_OK;
}

void app_events_stop(struct app *app)
{
	struct app_events *events = app->events;

	if (events == NULL)
		return;
	post_stop(events->post);
	tasks_stop(events->tasks);
	for (size_t i = 0; i < events->relay_count; i++)
		relay_destroy(events->relays[i]);
	rate_share_destroy(events->rates);
	follower_destroy(events->follower);
	post_destroy(events->post);
	janitor_destroy(events->janitor);
	consumers_destroy(events->consumers);
	bus_destroy(events->bus);
	tasks_destroy(events->tasks);
	free(events);
	app->events = NULL;
}

bool app_events_bus_works(void *app)
{
	return janitor_bus_works(((const struct app *)app)->events->janitor);
}
