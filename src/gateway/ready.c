/* See ready.h. */
#include "gateway/ready.h"

const char *const check_state_text[] =
	{[CHECK_OK] = "ok", [CHECK_DEGRADED] = "degraded", [CHECK_UNAVAILABLE] = "unavailable"};

static void add(struct ready *ready, const char *name, enum check_state state, bool vital)
{
	ready->checks[ready->count++] = (struct check){name, state, vital};
}

/* A schema that is newer than this binary was made by the next one, which lets the one before go on beside
 * it. */
static enum check_state schema_state(struct ctx *cx, const struct db *db)
{
	int version, known = db_schema_known(db);

	if (db_schema_read(cx, db, &version) != RC_OK || version < known)
		return CHECK_UNAVAILABLE;
	return version > known ? CHECK_DEGRADED : CHECK_OK;
}

static enum check_state worse(enum check_state a, enum check_state b)
{
	return a > b ? a : b;
}

/* The rooms whose requests are served, by their services' names; the bus's own store is told as the bus. */
static void check_stores(struct ctx *cx, const struct gateway *gateway, struct ready *ready)
{
	enum check_state schemas = CHECK_OK;
	bool seen[ROOM_COUNT] = {false};

	for (size_t i = 0; i < gateway->service_count; i++) {
		int room = gateway->services[i]->room;
		struct db *db = room >= 0 ? gateway->dbs[room] : NULL;
		bool good;

		if (db == NULL || seen[room])
			continue;
		seen[room] = true;
		good = db_ping(db) == RC_OK;
		add(ready, gateway->services[i]->name, good ? CHECK_OK : CHECK_UNAVAILABLE, true);
		if (good)
			schemas = worse(schemas, schema_state(cx, db));
	}
	add(ready, "migrations", schemas, true);
}

static void check_bus(const struct gateway *gateway, struct ready *ready)
{
	struct db *db = gateway->dbs[ROOM_events];
	bool good = gateway->bus_works(gateway->arg) && (db == NULL || db_ping(db) == RC_OK);

	add(ready, "bus", good ? CHECK_OK : CHECK_UNAVAILABLE, false);
}

void ready_check(struct ctx *cx, const struct gateway *gateway, struct ready *ret)
{
	enum check_state all = CHECK_OK;

	*ret = (struct ready){.good = true};
	check_stores(cx, gateway, ret);
	check_bus(gateway, ret);
	for (size_t i = 0; i < ret->count; i++) {
		enum check_state state = ret->checks[i].state;

		if (state == CHECK_UNAVAILABLE && !ret->checks[i].vital)
			state = CHECK_DEGRADED;
		all = worse(all, state);
	}
	ret->status = check_state_text[all];
	ret->good = all != CHECK_UNAVAILABLE;
	if (http_server_stopping(gateway->server)) {
		ret->status = "draining";
		ret->good = false;
	}
}
