/*
 * Fills a store with bookings, as the API would have written them, ten million in a minute or two.
 *
 *   fill PARTIES COUNT HOP TARGET
 *
 * PARTIES has a line for each resource: its tenant's id, its own, those of the tenant's users; 32 hex digits each.
 * Every resource has 14 bookings of an hour on a day: first on the 30 days from 2025-12-02 on, then on one day after
 * another before 2025-12-01, so that a large store has a long past. HOP, prime to COUNT, is the step from one booking's
 * place to the next one's: they were made in no order that one sees.
 *
 * TARGET is the SQLite file of an empty booking store that nobody has open; or `-`: rows for PostgreSQL's COPY are
 * printed, of the columns that `fill` without arguments prints.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOURS_BOOKED 14
#define DAYS_AHEAD   30
#define USERS_MAX    16
#define HOUR	     INT64_C(3600000000)
#define DAY	     (24 * HOUR)
#define OPENING	     INT64_C(1764666000000000) /* 2025-12-02T09:00:00Z: 06:00 in São Paulo */
#define MADE_FROM    INT64_C(1761955200000000) /* 2025-11-01 */
#define MADE_WITHIN  (29 * DAY)

static const char columns[] = "tenant_id, id, resource_id, user_id, start_time, end_time, status, confirmation_code, "
			      "recurring_enabled, version, change_id, created_at, updated_at";

struct id {
	unsigned char b[16];
};

struct resource {
	struct id tenant, id, users[USERS_MAX];
	size_t user_count;
};

struct parties {
	struct resource *resources;
	size_t count;
};

struct booking {
	const struct resource *resource;
	const struct id *user;
	struct id id, change;
	int64_t start, made;
	const char *status;
	char code[9];
};

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "fill: %s: %s\n", what, why);
	exit(1);
}

/* --- Who books what ------------------------------------------------------------- */

/* The id that the line begins with; where the rest begins. */
static const char *take_id(const char *line, struct id *ret)
{
	int used;

	for (size_t i = 0; i < sizeof(ret->b); i++, line += 2)
		if (sscanf(line, "%2hhx", &ret->b[i]) != 1)
			die("no id in", line);
	used = (int)strspn(line, " \n");
	return line + used;
}

static struct parties read_parties(const char *path)
{
	struct parties parties = {0};
	char line[(USERS_MAX + 2) * 33 + 2];
	FILE *file = fopen(path, "r");

	if (file == NULL)
		die(path, "cannot be read");
	while (fgets(line, sizeof(line), file) != NULL) {
		struct resource *resource;
		const char *rest;

		parties.resources = realloc(parties.resources, (parties.count + 1) * sizeof(*resource));
		if (parties.resources == NULL)
			die(path, "no memory");
		resource = &parties.resources[parties.count++];
		*resource = (struct resource){0};
		rest = take_id(take_id(line, &resource->tenant), &resource->id);
		while (*rest != '\0' && resource->user_count < USERS_MAX)
			rest = take_id(rest, &resource->users[resource->user_count++]);
	}
	fclose(file);
	if (parties.count == 0)
		die(path, "is empty");
	return parties;
}

/* --- A booking -------------------------------------------------------------------- */

/* splitmix64: the same store each time. */
static uint64_t chance(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Version 7. */
static struct id new_id(int64_t made, uint64_t *state)
{
	uint64_t halves[2] = {(uint64_t)made / 1000 << 16 | UINT64_C(0x7000) | (chance(state) & 0xfff),
			      UINT64_C(2) << 62 | chance(state) >> 2};
	struct id id;

	for (size_t i = 0; i < sizeof(id.b); i++)
		id.b[i] = (unsigned char)(halves[i / 8] >> (56 - i % 8 * 8));
	return id;
}

static void write_code(char code[static 9], uint64_t n)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

	n = n * UINT64_C(0x9e3779b97f) & ((UINT64_C(1) << 40) - 1); /* odd: no two alike */
	for (int i = 0; i < 8; i++)
		code[i] = alphabet[n >> (35 - i * 5) & 31];
	code[8] = '\0';
}

static int64_t opening_of(uint64_t day)
{
	int64_t ahead = (int64_t)day;

	return OPENING + (day < DAYS_AHEAD ? ahead : DAYS_AHEAD - 2 - ahead) * DAY;
}

static struct booking booking_at(const struct parties *parties, uint64_t n, uint64_t count, uint64_t hop,
				 uint64_t *state)
{
	uint64_t place = n * hop % count, pair = place / HOURS_BOOKED;
	const struct resource *resource = &parties->resources[pair % parties->count];
	int64_t made = MADE_FROM + (int64_t)n * (MADE_WITHIN / (int64_t)count);
	struct booking booking = {
		.resource = resource,
		.user = &resource->users[n % resource->user_count],
		.start = opening_of(pair / parties->count) + (int64_t)(place % HOURS_BOOKED) * HOUR,
		.made = made,
		.status = n % 3 != 0 ? "confirmado" : "pendente",
	};

	booking.id = new_id(made, state);
	booking.change = new_id(made, state);
	write_code(booking.code, n);
	return booking;
}

/* --- Into SQLite ------------------------------------------------------------------ */

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sql, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;

	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		die(sql, sqlite3_errmsg(db));
	return stmt;
}

static void bind_id(sqlite3_stmt *stmt, int at, const struct id *id)
{
	sqlite3_bind_blob(stmt, at, id->b, sizeof(id->b), SQLITE_STATIC);
}

static void step(sqlite3 *db, sqlite3_stmt *stmt)
{
	if (sqlite3_step(stmt) != SQLITE_DONE)
		die("a row", sqlite3_errmsg(db));
	sqlite3_reset(stmt);
}

#define INDEXES_MAX 32

/* The statements that make the table's indexes again; they are dropped. */
static size_t drop_indexes(sqlite3 *db, char *sql[INDEXES_MAX])
{
	sqlite3_stmt *stmt = prepare(db, "SELECT sql, 'DROP INDEX ' || name FROM sqlite_master WHERE tbl_name = 'bookings' "
					 "AND type = 'index' AND sql IS NOT NULL");
	char *drops[INDEXES_MAX];
	size_t count = 0;

	while (sqlite3_step(stmt) == SQLITE_ROW && count < INDEXES_MAX) {
		sql[count] = strdup((const char *)sqlite3_column_text(stmt, 0));
		drops[count++] = strdup((const char *)sqlite3_column_text(stmt, 1));
	}
	sqlite3_finalize(stmt);
	for (size_t i = 0; i < count; i++) {
		run(db, drops[i]);
		free(drops[i]);
	}
	return count;
}

static void insert_booking(sqlite3 *db, sqlite3_stmt *stmt, const struct booking *booking)
{
	bind_id(stmt, 1, &booking->resource->tenant);
	bind_id(stmt, 2, &booking->id);
	bind_id(stmt, 3, &booking->resource->id);
	bind_id(stmt, 4, booking->user);
	sqlite3_bind_int64(stmt, 5, booking->start);
	sqlite3_bind_int64(stmt, 6, booking->start + HOUR);
	sqlite3_bind_text(stmt, 7, booking->status, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 8, booking->code, -1, SQLITE_STATIC);
	sqlite3_bind_int(stmt, 9, 0);
	sqlite3_bind_int(stmt, 10, 1);
	bind_id(stmt, 11, &booking->change);
	sqlite3_bind_int64(stmt, 12, booking->made);
	sqlite3_bind_int64(stmt, 13, booking->made);
	step(db, stmt);
}

static void insert_all(sqlite3 *db, const struct parties *parties, uint64_t count, uint64_t hop)
{
	char sql[512];
	sqlite3_stmt *stmt;
	uint64_t state = 1;

	snprintf(sql, sizeof(sql), "INSERT INTO bookings (%s) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", columns);
	stmt = prepare(db, sql);
	for (uint64_t n = 0; n < count; n++) {
		struct booking booking = booking_at(parties, n, count, hop, &state);

		insert_booking(db, stmt, &booking);
	}
	sqlite3_finalize(stmt);
	stmt = prepare(db, "INSERT INTO resource_locks (tenant_id, resource_id, version) VALUES (?, ?, 1)");
	for (size_t i = 0; i < parties->count; i++) {
		bind_id(stmt, 1, &parties->resources[i].tenant);
		bind_id(stmt, 2, &parties->resources[i].id);
		step(db, stmt);
	}
	sqlite3_finalize(stmt);
}

/* Without a journal, and without the indexes, which are made again at once: an order faster. */
static void fill_sqlite(const char *path, const struct parties *parties, uint64_t count, uint64_t hop)
{
	char *indexes[INDEXES_MAX];
	size_t index_count;
	sqlite3 *db;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		die(path, sqlite3_errmsg(db));
	run(db, "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; "
		"PRAGMA cache_size = -1048576; PRAGMA threads = 2; BEGIN");
	index_count = drop_indexes(db, indexes);
	insert_all(db, parties, count, hop);
	for (size_t i = 0; i < index_count; i++) {
		run(db, indexes[i]);
		free(indexes[i]);
	}
	run(db, "COMMIT; PRAGMA journal_mode = WAL");
	sqlite3_close(db);
}

/* --- For COPY --------------------------------------------------------------------- */

static void print_id(const struct id *id, char end)
{
	static const char digits[] = "0123456789abcdef";
	char text[33];

	for (size_t i = 0; i < sizeof(id->b); i++) {
		text[i * 2] = digits[id->b[i] >> 4];
		text[i * 2 + 1] = digits[id->b[i] & 15];
	}
	text[32] = end;
	fwrite(text, 1, sizeof(text), stdout);
}

static void print_all(const struct parties *parties, uint64_t count, uint64_t hop)
{
	uint64_t state = 1;

	for (uint64_t n = 0; n < count; n++) {
		struct booking booking = booking_at(parties, n, count, hop, &state);

		print_id(&booking.resource->tenant, '\t');
		print_id(&booking.id, '\t');
		print_id(&booking.resource->id, '\t');
		print_id(booking.user, '\t');
		printf("%" PRId64 "\t%" PRId64 "\t%s\t%s\t0\t1\t", booking.start, booking.start + HOUR, booking.status,
		       booking.code);
		print_id(&booking.change, '\t');
		printf("%" PRId64 "\t%" PRId64 "\n", booking.made, booking.made);
	}
}

int main(int argc, char **argv)
{
	struct parties parties;
	uint64_t count, hop;

	if (argc == 1) {
		puts(columns);
		return 0;
	}
	if (argc != 5)
		die("usage", "fill PARTIES COUNT HOP TARGET");
	parties = read_parties(argv[1]);
	count = strtoull(argv[2], NULL, 10);
	hop = strtoull(argv[3], NULL, 10);
	if (count == 0 || hop == 0)
		die("usage", "COUNT and HOP are numbers from 1 on");
	if (strcmp(argv[4], "-") == 0)
		print_all(&parties, count, hop);
	else
		fill_sqlite(argv[4], &parties, count, hop);
	return 0;
}
