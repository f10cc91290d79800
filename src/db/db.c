/* See db.h: the front of a store, whichever driver stands behind it. */
#include "db/driver.h"

#include "base/log.h"
#include "trace/span.h"

#include <stdlib.h>

#define GROUP_DEFAULT	    64
#define CONNECTIONS_DEFAULT 2
#define ROLE_DEFAULT	    "marca_app"

struct db_port {
	struct db *db;
	void *port; /* the driver's */
};

/* --- The process's side -------------------------------------------------- */

static const struct driver *driver_for(const char *url)
{
	if (strncmp(url, "sqlite:", 7) == 0)
		return &sqlite_driver;
	if (strncmp(url, "postgresql://", 13) == 0 || strncmp(url, "postgres://", 11) == 0)
		return &postgres_driver;
	return NULL;
}

bool db_url_check(const char *url, enum db_transport *ret, const char **ret_why)
{
	const struct driver *driver = driver_for(url);

	*ret_why = "it begins neither with sqlite: nor with postgresql://";
	if (driver == NULL)
		return false;
	if (driver->url_check != NULL)
		return driver->url_check(url, ret, ret_why);
	*ret = DB_LOCAL;
	return true;
}

void db_url_files(const char *url, void (*fn)(void *arg, const char *path), void *arg)
{
	const struct driver *driver = driver_for(url);

	if (driver != NULL && driver->url_files != NULL)
		driver->url_files(url, fn, arg);
}

static int within(int value, int fallback, int max)
{
	return value <= 0 ? fallback : value > max ? max : value;
}

static bool set_options(struct db *db, const struct db_options *options)
{
	struct db_options *own = &db->options;

	*own = *options;
	own->url = strdup(options->url);
	own->replica_url = options->replica_url != NULL ? strdup(options->replica_url) : NULL;
	own->role = strdup(options->role != NULL ? options->role : ROLE_DEFAULT);
	own->write_connections = within(own->write_connections, CONNECTIONS_DEFAULT, WRITERS_MAX);
	own->read_connections = within(own->read_connections, CONNECTIONS_DEFAULT, WRITERS_MAX);
	if (own->group_max == 0 || own->group_max > GROUP_MAX)
		own->group_max = own->group_max == 0 ? GROUP_DEFAULT : GROUP_MAX;
	return own->url != NULL && own->role != NULL &&
	       (own->replica_url != NULL) == (options->replica_url != NULL);
}

static void db_free(struct db *db)
{
	pthread_mutex_destroy(&db->watch.lock);
	free((void *)(uintptr_t)db->options.url);
	free((void *)(uintptr_t)db->options.replica_url);
	free((void *)(uintptr_t)db->options.role);
	free(db);
}

static enum rc start(struct db *db)
{
	enum rc rc = db->driver->open(db);

	if (rc != RC_OK)
		return rc;
	db->committer = committer_create(db);
	if (db->committer == NULL) {
		db->driver->close(db);
		return RC_NO_MEMORY;
	}
	return RC_OK;
}

void db_init(struct db *db, const struct query_set *set, const struct driver *driver)
{
	db->set = set;
	db->driver = driver;
	db->schema = schema_query(set);
	pthread_mutex_init(&db->watch.lock, NULL);
}

enum rc db_open(const struct query_set *set, const struct db_options *options, struct db **ret)
{
	const struct driver *driver = driver_for(options->url);
	enum db_transport transport;
	const char *why;
	struct db *db;
	enum rc rc;

	if (!db_url_check(options->url, &transport, &why)) {
		LOG(ERROR, "a store's URL is no good", LOG_TEXT("room", set->name), LOG_TEXT("why", why));
		return RC_INTERNAL;
	}
	db = calloc(1, sizeof(*db));
	if (db == NULL)
		return RC_NO_MEMORY;
	db_init(db, set, driver);
	rc = set_options(db, options) ? start(db) : RC_NO_MEMORY;
	if (rc != RC_OK) {
		db_free(db);
		return rc;
	}
	*ret = db;
	return RC_OK;
}

void db_close(struct db *db)
{
	if (db == NULL)
		return;
	crew_destroy(db->committer);
	db->driver->close(db);
	db_free(db);
}

void db_add_writer(struct db *db, void *writer)
{
	db->hands[db->hand_count++] = (struct hand){.db = db, .writer = writer};
}

enum dialect db_dialect(const struct db *db)
{
	return db->driver->dialect;
}

bool db_is_shared(const struct db *db)
{
	return db->driver->shared;
}

void db_stats(struct db *db, struct db_stats *ret)
{
	*ret = (struct db_stats){.writes = counter_read(&db->writes), .commits = counter_read(&db->commits)};
	histogram_read(&db->group_sizes, &ret->group_sizes);
	histogram_read(&db->commit_durations, &ret->commit_durations);
	crew_stats(db->committer, &ret->writers);
	if (db->driver->readers != NULL)
		crew_stats(db->driver->readers(db), &ret->readers);
}

bool db_replica(const struct db *db, struct db_replica *ret)
{
	return db->driver->replica != NULL && db->driver->replica(db, ret);
}

enum rc db_ping(struct db *db)
{
	return db->driver->ping(db);
}

enum rc db_watch(struct db *db, void (*fn)(void *arg), void *arg)
{
	enum rc rc = RC_OK;

	pthread_mutex_lock(&db->watch.lock);
	db->watch.arg = arg;
	db->watch.fn = fn;
	pthread_mutex_unlock(&db->watch.lock);
	if (db->driver->watch != NULL)
		rc = db->driver->watch(db);
	if (rc != RC_OK)
		db_unwatch(db);
	return rc;
}

void db_watch_here(struct db *db, bool here)
{
	atomic_store(&db->watched_here, here);
}

void db_unwatch(struct db *db)
{
	db_watch_here(db, false);
	if (db->driver->unwatch != NULL)
		db->driver->unwatch(db);
	pthread_mutex_lock(&db->watch.lock);
	db->watch.fn = NULL;
	pthread_mutex_unlock(&db->watch.lock);
}

void db_tell(struct db *db)
{
	pthread_mutex_lock(&db->watch.lock);
	if (db->watch.fn != NULL)
		db->watch.fn(db->watch.arg);
	pthread_mutex_unlock(&db->watch.lock);
}

static void check_query(const struct db *db, struct session *session, const struct query *query, enum rc *rc)
{
	enum rc one = db->driver->session_prepare(session, query);

	if (one != RC_OK)
		*rc = one;
}

enum rc db_check(struct db *db)
{
	struct session *session;
	enum rc rc = db->driver->session_open(db, &session);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < db->set->count; i++)
		check_query(db, session, db->set->queries[i], &rc);
	for (const struct table *table = db->set->whole; table->name != NULL; table++) {
		check_query(db, session, table->all, &rc);
		check_query(db, session, table->put, &rc);
		check_query(db, session, table->wipe, &rc);
	}
	db->driver->session_close(session);
	return rc;
}

enum rc db_distribute(struct db *db, db_distributed_fn *tell)
{
	struct session *session;
	enum rc rc;

	if (db->driver->session_distribute == NULL) {
		LOG(ERROR, "only PostgreSQL with Citus spreads its tables", LOG_TEXT("room", db->set->name));
		return RC_INTERNAL;
	}
	rc = db->driver->session_open(db, &session);
	if (rc != RC_OK)
		return rc;
	rc = db->driver->session_distribute(session, tell);
	db->driver->session_close(session);
	return rc;
}

/* --- A thread's side ----------------------------------------------------- */

struct db_port *db_port_open(struct db *db)
{
	struct db_port *port = malloc(sizeof(*port));

	if (port == NULL)
		return NULL;
	*port = (struct db_port){.db = db, .port = db->driver->port_open(db)};
	if (port->port == NULL) {
		free(port);
		return NULL;
	}
	return port;
}

void db_port_close(struct db_port *port)
{
	if (port == NULL)
		return;
	port->db->driver->port_close(port->port);
	free(port);
}

void db_port_rest(struct db_port *port)
{
	if (port->db->driver->port_rest != NULL)
		port->db->driver->port_rest(port->port);
}

/* The second half of a UUID is the random one in every version. */
static size_t stripe_index(const struct uuid *key)
{
	uint64_t half;

	memcpy(&half, key->b + 8, sizeof(half));
	return half * UINT64_C(0x9e3779b97f4a7c15) >> (64 - VERSION_BITS);
}

static _Atomic uint64_t *stripe(struct db *db, const struct uuid *key)
{
	return &db->versions[stripe_index(key)];
}

uint64_t db_version(const struct db_port *port, const struct uuid *key)
{
	/* Both only rise, and so does their sum. */
	return atomic_load_explicit(stripe(port->db, key), memory_order_acquire) +
	       atomic_load_explicit(&port->db->epoch, memory_order_acquire);
}

uint64_t db_touches(const struct db_port *port)
{
	return atomic_load_explicit(&port->db->touches, memory_order_acquire);
}

void db_touch(struct db *db, const struct uuid *key)
{
	atomic_fetch_add_explicit(&db->touches, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(stripe(db, key), 1, memory_order_release);
}

void db_port_touch(const struct db_port *port, const struct uuid *key)
{
	db_touch(port->db, key);
}

void db_touch_all(struct db *db)
{
	atomic_fetch_add_explicit(&db->touches, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&db->epoch, 1, memory_order_release);
}

static void raise_to(_Atomic uint64_t *value, uint64_t number)
{
	uint64_t old = atomic_load(value);

	while (old < number && !atomic_compare_exchange_weak(value, &old, number))
		;
}

void db_note_kept(struct db *db, struct script *const *scripts, size_t count)
{
	uint64_t number = 0;

	if (db->options.replica_url == NULL) /* nobody asks who has written what */
		return;
	for (size_t i = 0; i < count; i++) {
		if (uuid_is_none(&scripts[i]->tenant))
			continue;
		if (number == 0)
			number = atomic_fetch_add(&db->kept, 1) + 1;
		raise_to(&db->kept_of[stripe_index(&scripts[i]->tenant)], number);
	}
}

uint64_t db_last_kept(struct db *db, const struct uuid *tenant)
{
	return atomic_load(uuid_is_none(tenant) ? &db->kept : &db->kept_of[stripe_index(tenant)]);
}

bool db_shared(const struct db_port *port)
{
	return port->db->driver->shared;
}

void *db_elsewhere(const struct db_port *port)
{
	return elsewhere_arg(port->db);
}

/* --- A request's side ---------------------------------------------------- */

/* Behind whatever a handler should have seen to: nobody is taken across the wall between tenants. */
static enum rc check_scope(const struct ctx *cx, const struct query *query, const void *in)
{
	const struct principal *who = &cx->principal;
	bool good = !query->operators || who->role == ROLE_OPERATOR;

	if (query->tenant && !uuid_is_none(&who->tenant_id))
		good = memcmp((const char *)in + query->in[0].offset, &who->tenant_id,
			      sizeof(who->tenant_id)) == 0;
	if (good)
		return RC_OK;
	LOG(ERROR, "a query that is not for this principal", LOG_TEXT("query", query->name));
	return RC_INTERNAL;
}

/* What the asking fiber waits for; NULL: not wanted. */
static struct span *begin_span(struct ctx *cx, const struct db *db, const char *name)
{
	static const char *const systems[DIALECT_COUNT] =
		{[DIALECT_SQLITE] = "sqlite", [DIALECT_POSTGRES] = "postgresql"};
	struct span *span = span_begin(cx, SPAN_CLIENT, name);

	if (span == NULL)
		return NULL;
	if (elsewhere_arg(db) != NULL) {
		span_text(span, "peer.service", db->set->name);
		return span;
	}
	span_text(span, "db.system.name", systems[db->driver->dialect]);
	span_text(span, "db.namespace", db->set->name);
	return span;
}

static void end_span(struct span *span, enum rc rc)
{
	span_end(span, rc == RC_OK ? NULL : error_table[rc].code);
}

enum rc db_read(struct ctx *cx, const struct query *query, const void *in, struct rows *ret)
{
	const struct db_port *port = cx->ports[query->room];
	struct rows rows = {NULL, 0};
	enum rc rc = check_scope(cx, query, in);
	struct span *span = begin_span(cx, port->db, query->name);

	if (rc == RC_OK)
		rc = port->db->driver->read(port->port, cx, query, in, &rows);
	end_span(span, rc);
	if (rc == RC_OK)
		*ret = rows;
	return rc;
}

static enum rc read_one_by_one(struct ctx *cx, const struct query *query, const void *const *ins,
			       size_t count, struct rows *ret)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = db_read(cx, query, ins[i], &ret[i]);
	return rc;
}

enum rc db_read_each(struct ctx *cx, const struct query *query, const void *const *ins, size_t count,
		     struct rows *ret)
{
	const struct db_port *port = cx->ports[query->room];
	const struct db *db = port->db;
	struct span *span;
	enum rc rc = RC_OK;

	if (count > DB_READ_EACH_MAX)
		return RC_INTERNAL;
	if (count < 2 || query->together == NULL || db->one_tenant || db->driver->read_each == NULL)
		return read_one_by_one(cx, query, ins, count, ret);
	for (size_t i = 0; rc == RC_OK && i < count; i++) {
		ret[i] = (struct rows){NULL, 0};
		rc = check_scope(cx, query, ins[i]);
	}
	span = begin_span(cx, db, query->name);
	if (rc == RC_OK)
		rc = db->driver->read_each(port->port, cx, query, ins, count, ret);
	end_span(span, rc);
	return rc;
}

void script_init(struct script *script, struct ctx *cx, enum room room, const struct uuid *tenant,
		 const struct uuid *key)
{
	*script = (struct script){.cx = cx,
				  .room = room,
				  .tenant = *tenant,
				  .key = *key,
				  .steps = script->own,
				  .max = SCRIPT_STEPS};
}

void script_reserve(struct script *script, size_t steps)
{
	if (steps <= script->max)
		return;
	if (steps > SCRIPT_STEPS_MAX)
		steps = SCRIPT_STEPS_MAX;
	script->steps = arena_array(script->cx->arena, steps, sizeof(script->steps[0]));
	script->max = script->steps != NULL ? steps : 0;
	if (script->steps == NULL)
		script->job.rc = RC_NO_MEMORY;
}

struct step *script_add(struct script *script, const struct query *query, const void *in)
{
	struct step *step;

	if (script->job.rc == RC_OK)
		script->job.rc = check_scope(script->cx, query, in);
	if (script->job.rc != RC_OK)
		return NULL;
	if (script->count == script->max) {
		LOG(ERROR, "a script has too many steps", LOG_TEXT("query", query->name));
		script->job.rc = RC_INTERNAL;
		return NULL;
	}
	step = &script->steps[script->count];
	*step = (struct step){.query = query, .in = arena_copy(script->cx->arena, in, query->in_size)};
	if (step->in == NULL) {
		script->job.rc = RC_NO_MEMORY;
		return NULL;
	}
	script->count++;
	return step;
}

enum rc db_write(struct script *script)
{
	struct ctx *cx = script->cx;
	struct db *db = cx->ports[script->room]->db;
	struct span *span;
	enum rc rc;

	if (script->job.rc != RC_OK)
		return script->job.rc;
	if (db->committer == NULL) {
		LOG(ERROR, "a script for a room that is not here", LOG_TEXT("room", db->set->name));
		return RC_INTERNAL;
	}
	span = begin_span(cx, db, "commit");
	span_number(span, "db.operation.batch.size", (int64_t)script->count);
	rc = crew_do(db->committer, &script->job, &script->tenant, cx->arena);
	end_span(span, rc);
	return rc;
}
