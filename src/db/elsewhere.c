/*
 * A room whose store another process has: the third driver. It keeps nothing but versions; what is asked goes
 * to whoever was named by db_open_elsewhere(). So nothing above db.h knows, or cares, where a room is.
 */
#include "db/driver.h"

#include "base/log.h"

#include <stdlib.h>

static const struct db_elsewhere *how_of(const struct db *db)
{
	return db->store;
}

static void close_store(struct db *db)
{
	free(db->store);
}

static enum rc ping(struct db *db)
{
	return how_of(db)->ping(how_of(db)->arg);
}

/* A port is the store itself: there is nothing to be had by thread. */
static void *port_open(struct db *db)
{
	return db->store;
}

static void port_close(void *port)
{
	(void)port;
}

static enum rc read_there(void *port, struct ctx *cx, const struct query *query, const void *in,
			  struct rows *ret)
{
	const struct db_elsewhere *how = port;

	if (query->neighbours)
		return how->read(how->arg, cx, query, in, ret);
	LOG(ERROR, "a query that only the room's own process may ask", LOG_TEXT("query", query->name));
	return RC_INTERNAL;
}

static const struct driver elsewhere_driver = {
	.shared = true,
	.close = close_store,
	.ping = ping,
	.port_open = port_open,
	.port_close = port_close,
	.read = read_there,
};

struct db *db_open_elsewhere(const struct query_set *set, const struct db_elsewhere *how)
{
	struct db *db = calloc(1, sizeof(*db));
	struct db_elsewhere *own = malloc(sizeof(*own));

	if (db == NULL || own == NULL) {
		free(db);
		free(own);
		return NULL;
	}
	*own = *how;
	db_init(db, set, &elsewhere_driver);
	db->store = own;
	return db;
}

void *elsewhere_arg(const struct db *db)
{
	return db->driver == &elsewhere_driver ? how_of(db)->arg : NULL;
}
