/*
 * Hearing what other processes commit: they NOTIFY a channel of the room's name, one connection LISTENs. It
 * is a hint only. What is told while the connection is lost is told again by db_tell() once it is back.
 */
#include "db/postgres.h"

#include "base/log.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define AGAIN_MS 1000 /* between tries to connect */

struct pg_watch {
	struct db *db;
	struct pg_conn conn;
	pthread_t thread;
	int bell; /* readable once it shall end */
};

/* A channel is a name within the statement; the rooms' names are words of ours (rooms.def). */
#define CHANNEL(name) [ROOM_##name] = {"NOTIFY marca_" #name, "LISTEN marca_" #name},

static const struct {
	const char *notify, *listen;
} channels[ROOM_COUNT] = {
#define ROOM(name) CHANNEL(name)
#include "base/rooms.def"
#undef ROOM
};

const char *pg_notify_sql(const struct db *db)
{
	return channels[db->set->room].notify;
}

/* Waits for the socket (-1: for none). False: it shall end. */
static bool rest(const struct pg_watch *watch, int socket, int ms)
{
	struct pollfd fds[] = {{.fd = watch->bell, .events = POLLIN}, {.fd = socket, .events = POLLIN}};

	(void)!poll(fds, 2, ms);
	return (fds[0].revents & POLLIN) == 0;
}

static bool begin(struct pg_watch *watch)
{
	PGresult *result;
	bool listens;

	if (!pg_conn_ready(&watch->conn))
		return false;
	result = PQexec(watch->conn.pg, channels[watch->db->set->room].listen);
	listens = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	return listens;
}

/* False: the connection is lost. */
static bool hear(struct pg_watch *watch)
{
	PGnotify *notify;
	bool any = false;

	if (PQconsumeInput(watch->conn.pg) != 1)
		return false;
	while ((notify = PQnotifies(watch->conn.pg)) != NULL) {
		PQfreemem(notify);
		any = true;
	}
	if (any)
		db_tell(watch->db);
	return true;
}

static void *listen_on(void *arg)
{
	struct pg_watch *watch = arg;
	bool wanted = true;

	while (wanted) {
		if (!begin(watch)) {
			pg_conn_lose(&watch->conn);
			wanted = rest(watch, -1, AGAIN_MS);
			continue;
		}
		db_tell(watch->db); /* of whatever came before it listened */
		while ((wanted = rest(watch, PQsocket(watch->conn.pg), -1)) && hear(watch))
			;
		pg_conn_lose(&watch->conn);
	}
	return NULL;
}

enum rc pg_watch_create(struct db *db, struct pg_watch **ret)
{
	struct pg_watch *watch;

	if (db->options.pooled)
		return RC_OK;
	watch = calloc(1, sizeof(*watch));
	if (watch == NULL)
		return RC_NO_MEMORY;
	watch->db = db;
	watch->bell = eventfd(0, EFD_CLOEXEC);
	if (watch->bell < 0 || !pg_conn_init(&watch->conn, db, PG_WATCH) ||
	    pthread_create(&watch->thread, NULL, listen_on, watch) != 0) {
		pg_conn_finish(&watch->conn);
		if (watch->bell >= 0)
			close(watch->bell);
		free(watch);
		return RC_NO_MEMORY;
	}
	*ret = watch;
	return RC_OK;
}

void pg_watch_destroy(struct pg_watch *watch)
{
	if (watch == NULL)
		return;
	(void)!eventfd_write(watch->bell, 1);
	pthread_join(watch->thread, NULL);
	pg_conn_finish(&watch->conn);
	close(watch->bell);
	free(watch);
}
