/*
 * What SQLite gives when nothing stands before it: the script of POST /bookings/ (src/booking/create.c) in a
 * loop, the very statements of src/booking/queries.sql, in groups, each durable before the next begins.
 *
 *   raw_loop -g GROUP | -R RATE [-t SECONDS] [-s SKIP] [-w WAL_PAGES] DATABASE FILE
 *   raw_loop -q QUERY
 *
 * Groups have one size; or, with -R, so many bookings a second are due, spread evenly: then a group is what is due
 * when the last one is durable, and a latency counts from when its booking was due.
 *
 * FILE holds requests as bench/load sends them; their bodies give the values. -w: after how many pages of the
 * WAL SQLite copies them into the database; 0: never. Prints how many were refused, and bookings a second and
 * microseconds of CPU each, or with -R latencies in milliseconds. -q only prints the text of a query as PostgreSQL is
 * given it, for pgbench.
 */
#include "booking/queries.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const struct query *const script[] = {
	&q_resource_lock_query,
	&q_booking_insert_query,
	&q_booking_event_query,
};

/* As marca's writer has them (src/db/sqlite.c). */
static const char setup[] = "PRAGMA journal_mode = WAL;"
			    "PRAGMA synchronous = FULL;"
			    "PRAGMA foreign_keys = ON;"
			    "PRAGMA temp_store = MEMORY;"
			    "PRAGMA cache_size = -16384;"
			    "PRAGMA journal_size_limit = 67108864;";

struct slot {
	struct uuid tenant, resource, user;
	utime start, end;
};

#define INPUTS_MAX 20

struct statement {
	sqlite3_stmt *stmt;
	int params[INPUTS_MAX +
		   1]; /* by number: $1, $2 ... are names to SQLite; 0 where the text does not use it */
};

struct loop {
	sqlite3 *db;
	struct statement statements[ARRAY_LEN(script)];
	struct slot *slots;
	size_t slot_count;
};

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "raw_loop: %s: %s\n", what, why);
	exit(1);
}

static utime now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (utime)ts.tv_sec * UTIME_SECOND + ts.tv_nsec / 1000;
}

/* --- The file ------------------------------------------------------------------ */

static struct str member(const char *request, const char *name)
{
	char quoted[40];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\":\"", name);
	at = strstr(request, quoted);
	if (at == NULL)
		die("a request lacks", name);
	at += strlen(quoted);
	return (struct str){at, strcspn(at, "\"")};
}

static struct uuid id_of(const char *request, const char *name)
{
	struct uuid id;

	if (!uuid_parse(member(request, name), &id))
		die("no UUID", name);
	return id;
}

static utime time_of(const char *request, const char *name)
{
	struct wire_time when;

	if (!utime_parse(member(request, name), &when) || when.local)
		die("no time", name);
	return when.at;
}

static void read_file(struct loop *loop, const char *path, size_t skip)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	const char *map, *end;
	size_t room = 0;

	if (fd < 0 || fstat(fd, &stat) != 0)
		die(path, "cannot be read");
	map = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		die(path, "cannot be mapped");
	end = map + stat.st_size;
	for (; map < end; map += strlen(map) + 1) {
		if (skip > 0) {
			skip--;
			continue;
		}
		if (loop->slot_count == room) {
			room = room * 2 + 4096;
			loop->slots = realloc(loop->slots, room * sizeof(loop->slots[0]));
			if (loop->slots == NULL)
				die(path, "no memory");
		}
		loop->slots[loop->slot_count++] = (struct slot){
			.tenant = id_of(map, "tenant_id"),
			.resource = id_of(map, "resource_id"),
			.user = id_of(map, "user_id"),
			.start = time_of(map, "start_time"),
			.end = time_of(map, "end_time"),
		};
	}
}

/* --- SQLite ----------------------------------------------------------------------- */

static void exec(struct loop *loop, const char *sql)
{
	if (sqlite3_exec(loop->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		die(sql, sqlite3_errmsg(loop->db));
}

static void prepare(struct loop *loop, size_t i)
{
	struct statement *statement = &loop->statements[i];
	char name[8];

	if (sqlite3_prepare_v3(loop->db, script[i]->sql[DIALECT_SQLITE], -1, SQLITE_PREPARE_PERSISTENT,
			       &statement->stmt, NULL) != SQLITE_OK)
		die(script[i]->name, sqlite3_errmsg(loop->db));
	for (int number = 1; number <= INPUTS_MAX; number++) {
		snprintf(name, sizeof(name), "$%d", number);
		statement->params[number] = sqlite3_bind_parameter_index(statement->stmt, name);
	}
}

static void open_database(struct loop *loop, const char *path, int wal_pages)
{
	if (sqlite3_open_v2(path, &loop->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		die(path, "cannot be opened");
	exec(loop, setup);
	sqlite3_wal_autocheckpoint(loop->db, wal_pages);
	for (size_t i = 0; i < ARRAY_LEN(script); i++)
		prepare(loop, i);
}

static void bind_id(struct statement *statement, int number, const struct uuid *id)
{
	sqlite3_bind_blob(statement->stmt, statement->params[number], id->b, sizeof(id->b), SQLITE_STATIC);
}

static void bind_int(struct statement *statement, int number, int64_t value)
{
	sqlite3_bind_int64(statement->stmt, statement->params[number], value);
}

static void bind_text(struct statement *statement, int number, const char *text)
{
	sqlite3_bind_text(statement->stmt, statement->params[number], text, -1, SQLITE_STATIC);
}

static bool run(struct loop *loop, size_t i)
{
	sqlite3_stmt *stmt = loop->statements[i].stmt;
	bool any = false;
	int code;

	while ((code = sqlite3_step(stmt)) == SQLITE_ROW)
		any = true;
	if (code != SQLITE_DONE)
		die(script[i]->name, sqlite3_errmsg(loop->db));
	sqlite3_reset(stmt);
	return any;
}

/* --- The script --------------------------------------------------------------------- */

static struct uuid new_id(utime at)
{
	struct uuid id;
	uint64_t millis = (uint64_t)(at / 1000);

	if (getrandom(id.b, sizeof(id.b), 0) != sizeof(id.b))
		die("getrandom", "failed");
	for (int i = 5; i >= 0; i--, millis >>= 8)
		id.b[i] = (uint8_t)millis;
	id.b[6] = (uint8_t)(0x70 | (id.b[6] & 0x0f));
	id.b[8] = (uint8_t)(0x80 | (id.b[8] & 0x3f));
	return id;
}

static bool book(struct loop *loop, const struct slot *slot)
{
	struct statement *lock = &loop->statements[0], *insert = &loop->statements[1],
			 *event = &loop->statements[2];
	utime at = now(CLOCK_REALTIME);
	struct uuid id = new_id(at), change = new_id(at);
	char code[9], payload[300], text[UUID_TEXT_LEN + 1];
	bool inserted;

	for (int i = 0; i < 8; i++)
		code[i] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"[change.b[8 + i] & 31];
	code[8] = '\0';
	snprintf(payload, sizeof(payload),
		 "{\"booking_id\":\"%s\",\"user_id\":\"%.36s\",\"resource_id\":\"%.36s\",\"status\":"
		 "\"pendente\","
		 "\"start_time\":\"2025-12-05T14:00:00Z\",\"end_time\":\"2025-12-05T15:00:00Z\"}",
		 uuid_text(text, &id), text, text);

	bind_id(lock, 1, &slot->tenant);
	bind_id(lock, 2, &slot->resource);
	run(loop, 0);

	bind_id(insert, 1, &slot->tenant);
	bind_id(insert, 2, &id);
	bind_id(insert, 3, &slot->resource);
	bind_id(insert, 4, &slot->user);
	bind_int(insert, 6, slot->start);
	bind_int(insert, 7, slot->end);
	bind_text(insert, 8, "pendente");
	bind_text(insert, 10, code);
	bind_int(insert, 11, 0);
	bind_id(insert, 13, &change);
	bind_int(insert, 14, at);
	inserted = run(loop, 1);

	bind_id(event, 1, &slot->tenant);
	bind_id(event, 2, &change);
	bind_id(event, 3, &change);
	bind_int(event, 4, 0);
	bind_text(event, 5, "booking-events");
	bind_text(event, 6, "booking.created");
	bind_id(event, 7, &id);
	bind_text(event, 8, payload);
	bind_text(event, 9, text);
	bind_int(event, 10, at);
	run(loop, 2);
	return inserted;
}

static void loop_for(struct loop *loop, int seconds, size_t group)
{
	utime began = now(CLOCK_MONOTONIC), ends = began + seconds * UTIME_SECOND;
	utime cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	size_t done = 0, refused = 0;

	while (now(CLOCK_MONOTONIC) < ends && done + group <= loop->slot_count) {
		exec(loop, "BEGIN IMMEDIATE");
		for (size_t i = 0; i < group; i++)
			refused += !book(loop, &loop->slots[done + i]);
		exec(loop, "COMMIT");
		done += group;
	}
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	printf("{\"rate\": %.1f, \"used\": %zu, \"refused\": %zu, \"cost\": %.2f}\n",
	       (double)done * UTIME_SECOND / (double)(now(CLOCK_MONOTONIC) - began), done, refused,
	       (double)cpu / (double)(done > 0 ? done : 1));
}

static void sleep_until(utime at)
{
	struct timespec until = {.tv_sec = at / UTIME_SECOND, .tv_nsec = at % UTIME_SECOND * 1000};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static int compare(const void *a, const void *b)
{
	utime x = *(const utime *)a, y = *(const utime *)b;

	return (x > y) - (x < y);
}

static void print_latencies(utime *latencies, size_t count, size_t refused)
{
	qsort(latencies, count, sizeof(latencies[0]), compare);
	printf("{\"used\": %zu, \"refused\": %zu, \"p50\": %.3f, \"p99\": %.3f}\n", count, refused,
	       (double)latencies[count / 2] / 1000, (double)latencies[count * 99 / 100] / 1000);
}

static void loop_at_rate(struct loop *loop, int seconds, int rate)
{
	size_t count = (size_t)seconds * (size_t)rate, done = 0, refused = 0;
	utime *due = calloc(count, sizeof(due[0])); /* and how long it took, once it is done */
	utime began = now(CLOCK_MONOTONIC);

	if (due == NULL)
		die("raw_loop", "no memory");
	if (count > loop->slot_count)
		die("raw_loop", "too few requests in the file");
	for (size_t i = 0; i < count; i++)
		due[i] = began + (utime)i * UTIME_SECOND / rate;
	while (done < count) {
		size_t first = done;
		utime end;

		sleep_until(due[done]);
		exec(loop, "BEGIN IMMEDIATE");
		for (end = now(CLOCK_MONOTONIC); done < count && due[done] <= end; done++)
			refused += !book(loop, &loop->slots[done]);
		exec(loop, "COMMIT");
		end = now(CLOCK_MONOTONIC);
		for (size_t i = first; i < done; i++)
			due[i] = end - due[i];
	}
	print_latencies(due, count, refused);
	free(due);
}

static void print_query(const char *name)
{
	for (size_t i = 0; i < booking_queries.count; i++)
		if (strcmp(booking_queries.queries[i]->name, name) == 0)
			printf("%s\n", booking_queries.queries[i]->sql[DIALECT_POSTGRES]);
}

static void usage(void)
{
	fprintf(stderr, "Usage: raw_loop -g GROUP | -R RATE [-t SECONDS] [-s SKIP] [-w WAL_PAGES] DATABASE FILE\n"
			"       raw_loop -q QUERY\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct loop loop = {0};
	size_t group = 0, skip = 0;
	int seconds = 3, wal_pages = 8000, rate = 0, option;

	while ((option = getopt(argc, argv, "g:R:t:s:w:q:")) != -1) {
		switch (option) {
		case 'g':
			group = strtoul(optarg, NULL, 10);
			break;
		case 'R':
			rate = (int)strtol(optarg, NULL, 10);
			break;
		case 't':
			seconds = (int)strtol(optarg, NULL, 10);
			break;
		case 's':
			skip = strtoul(optarg, NULL, 10);
			break;
		case 'w':
			wal_pages = (int)strtol(optarg, NULL, 10);
			break;
		case 'q':
			print_query(optarg);
			return 0;
		default:
			usage();
		}
	}
	if (argc - optind != 2 || (group == 0) == (rate <= 0) || seconds <= 0)
		usage();
	read_file(&loop, argv[optind + 1], skip);
	open_database(&loop, argv[optind], wal_pages);
	if (rate > 0)
		loop_at_rate(&loop, seconds, rate);
	else
		loop_for(&loop, seconds, group);
	for (size_t i = 0; i < ARRAY_LEN(script); i++)
		sqlite3_finalize(loop.statements[i].stmt);
	sqlite3_close(loop.db);
	free(loop.slots);
	return 0;
}
