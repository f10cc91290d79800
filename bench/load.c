/*
 * A load generator for requests that differ: sends those of a file over keep-alive connections, each
 * connection its next one as soon as its reply is in, and prints one line of JSON.
 *
 *   load [-c CONNECTIONS] [-t SECONDS] [-s SKIP] [-l] [-r | -R RATE] PORT FILE
 *
 * FILE holds whole requests, each ended by a NUL. -s leaves out the first ones; -l begins again at its end.
 * With -r every request goes over all connections at once, and the next when all have answered: "one_winner"
 * counts those of which exactly one got a 2xx. With -R so many requests a second are due, spread evenly, however
 * fast replies come. When all connections wait, the next is sent late, and its latency counts from when it was due
 * all the same; those that are due when the time is over are still sent. A connection that the server closes is opened
 * again; a request that gets no answer so has the status 0.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REPLY_MAX	65536
#define CONNECTIONS_MAX 1024
#define STATUSES	600
#define SECOND		INT64_C(1000000000)
#define PATIENCE_NS	(10 * SECOND)

struct connection {
	int fd;
	bool waits; /* for a reply */
	int64_t due_ns; /* when its request was to be sent */
	struct connection *idle; /* the next of those that do not wait */
	size_t have;
	char reply[REPLY_MAX + 1];
};

struct load {
	int connections, seconds;
	int rate; /* requests a second; 0: as fast as replies come */
	bool race, loops;
	uint16_t port;
	const char *first, *next, *end; /* of the file */
	size_t used;
	int epoll;
	size_t waiting;
	struct connection *idle;
	int winners; /* of the request that all connections have sent */
	uint64_t one_winner, rounds;
	uint64_t statuses[STATUSES];
	uint64_t in_time;	    /* replies before the end */
	uint32_t *latencies; /* in microseconds; where each connection waits for its own, of replies in time */
	size_t latency_count, latency_room;
	int64_t began_ns, ends_ns;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec;
}

/* --- The file ------------------------------------------------------------------ */

static void map_file(struct load *load, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat stat;
	void *map;

	if (fd < 0 || fstat(fd, &stat) != 0)
		die(path);
	map = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED)
		die(path);
	close(fd);
	load->first = load->next = map;
	load->end = load->next + stat.st_size;
}

/* The next request; NULL at the end. */
static const char *take_request(struct load *load, size_t *ret_len)
{
	const char *request;

	if (load->next == load->end && load->loops)
		load->next = load->first;
	request = load->next;
	if (request == load->end)
		return NULL;
	*ret_len = strlen(request);
	load->next = request + *ret_len + 1;
	load->used++;
	return request;
}

/* --- Connections ----------------------------------------------------------------- */

static void open_connection(struct load *load, struct connection *c)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(load->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
	int on = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		die("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, c->fd, &event) != 0)
		die("epoll_ctl");
}

static void open_again(struct load *load, struct connection *c)
{
	close(c->fd);
	open_connection(load, c);
}

static void send_request(struct load *load, struct connection *c, const char *request, size_t len, int64_t due_ns)
{
	c->due_ns = due_ns;
	c->have = 0;
	c->waits = true;
	load->waiting++;
	/* Far below what a socket takes at once; but it may have been closed just now. */
	if (send(c->fd, request, len, MSG_NOSIGNAL) == (ssize_t)len)
		return;
	open_again(load, c);
	if (send(c->fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		die("send");
}

/* The status once the whole reply is there; 0 before. */
static int whole_reply(struct connection *c)
{
	static const char length[] = "\r\nContent-Length: ";
	const char *head_end, *at;
	size_t body = 0;

	c->reply[c->have] = '\0';
	head_end = strstr(c->reply, "\r\n\r\n");
	if (head_end == NULL)
		return 0;
	at = strcasestr(c->reply, length);
	if (at != NULL && at < head_end)
		body = strtoul(at + sizeof(length) - 1, NULL, 10);
	if (c->have < (size_t)(head_end - c->reply) + 4 + body)
		return 0;
	return (int)strtol(c->reply + sizeof("HTTP/1.1 ") - 1, NULL, 10);
}

static void note_latency(struct load *load, int64_t ns)
{
	if (load->latency_count == load->latency_room) {
		load->latency_room = load->latency_room * 2 + 65536;
		load->latencies = realloc(load->latencies, load->latency_room * sizeof(load->latencies[0]));
		if (load->latencies == NULL)
			die("memory");
	}
	load->latencies[load->latency_count++] = (uint32_t)(ns / 1000);
}

static void put_idle(struct load *load, struct connection *c)
{
	c->idle = load->idle;
	load->idle = c;
}

static void take_reply(struct load *load, struct connection *c, int status)
{
	int64_t now = now_ns();

	c->waits = false;
	load->waiting--;
	if (load->rate > 0)
		put_idle(load, c);
	load->statuses[status < STATUSES ? status : 0]++;
	load->winners += status / 100 == 2;
	load->in_time += now < load->ends_ns;
	if (load->race || load->rate > 0 || now < load->ends_ns)
		note_latency(load, now - c->due_ns);
}

/* The server says, or has shown, that it takes no more on this one: refusals end so where a body was not read. */
static bool closes(const struct connection *c, int status)
{
	return status == 0 || strcasestr(c->reply, "\r\nConnection: close\r\n") != NULL;
}

static void on_readable(struct load *load, struct connection *c)
{
	ssize_t got = recv(c->fd, c->reply + c->have, REPLY_MAX - c->have, 0);
	bool gone = got == 0 || (got < 0 && errno == ECONNRESET);
	const char *request;
	size_t len;
	int status;

	if (got < 0 && !gone)
		die("recv");
	c->have += gone ? 0 : (size_t)got;
	status = gone ? 0 : whole_reply(c);
	if (status == 0 && !gone)
		return;
	if (closes(c, status))
		open_again(load, c);
	if (!c->waits)
		return;
	take_reply(load, c, status);
	if (load->race || load->rate > 0 || now_ns() >= load->ends_ns)
		return;
	request = take_request(load, &len);
	if (request != NULL)
		send_request(load, c, request, len, now_ns());
}

/* Up to so long. False when no reply came in all of it. */
static bool take_replies(struct load *load, int64_t ns)
{
	struct timespec most = {.tv_sec = ns / SECOND, .tv_nsec = ns % SECOND};
	struct epoll_event events[CONNECTIONS_MAX];
	int count = epoll_pwait2(load->epoll, events, load->connections, &most, NULL);

	if (count < 0 && errno == EINTR) /* stopped for a moment: who calls asks again */
		return true;
	if (count < 0)
		die("epoll_wait");
	for (int i = 0; i < count; i++)
		on_readable(load, events[i].data.ptr);
	return count > 0;
}

static void wait_for_replies(struct load *load)
{
	if (!take_replies(load, PATIENCE_NS)) {
		errno = ETIMEDOUT;
		die("no reply");
	}
}

/* --- The three ways to run ----------------------------------------------------------- */

static void run_steadily(struct load *load, struct connection *connections)
{
	const char *request;
	size_t len;

	for (int i = 0; i < load->connections && (request = take_request(load, &len)) != NULL; i++)
		send_request(load, &connections[i], request, len, now_ns());
	while (load->waiting > 0)
		wait_for_replies(load);
}

static int64_t next_due(const struct load *load)
{
	return load->began_ns + (int64_t)((double)load->used * 1e9 / load->rate);
}

/* False when none is due, or the file has ended, or all connections wait. */
static bool send_if_due(struct load *load, int64_t now)
{
	int64_t due = next_due(load);
	struct connection *c = load->idle;
	const char *request;
	size_t len;

	if (c == NULL || due > now || due >= load->ends_ns)
		return false;
	request = take_request(load, &len);
	if (request == NULL)
		return false;
	load->idle = c->idle;
	send_request(load, c, request, len, due);
	return true;
}

static bool file_ended(const struct load *load)
{
	return load->next == load->end && !load->loops;
}

static void run_at_rate(struct load *load, struct connection *connections)
{
	int64_t due;

	/* Else a wait of 20 us takes 70. */
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	for (int i = 0; i < load->connections; i++)
		put_idle(load, &connections[i]);
	while ((due = next_due(load)) < load->ends_ns && !file_ended(load)) {
		int64_t now = now_ns();

		while (send_if_due(load, now))
			;
		due = next_due(load);
		if (load->idle == NULL)
			wait_for_replies(load);
		else
			take_replies(load, due > now ? due - now : 0);
	}
	while (load->waiting > 0)
		wait_for_replies(load);
}

static void run_races(struct load *load, struct connection *connections)
{
	const char *request;
	size_t len;

	while ((request = take_request(load, &len)) != NULL) {
		load->winners = 0;
		for (int i = 0; i < load->connections; i++)
			send_request(load, &connections[i], request, len, now_ns());
		while (load->waiting > 0)
			wait_for_replies(load);
		load->rounds++;
		load->one_winner += load->winners == 1;
	}
}

/* --- The report ---------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double milliseconds(const struct load *load, double share)
{
	return load->latency_count == 0
		       ? 0
		       : load->latencies[(size_t)(share * (double)(load->latency_count - 1))] / 1000.0;
}

static void report(struct load *load)
{
	int64_t ended = now_ns() < load->ends_ns || load->race ? now_ns() : load->ends_ns;
	double seconds = (double)(ended - load->began_ns) / 1e9;
	const char *comma = "";

	if (load->latency_count > 0)
		qsort(load->latencies, load->latency_count, sizeof(load->latencies[0]), compare);
	printf("{\"rate\": %.1f, \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"p999\": %.3f, \"max\": %.3f, "
	       "\"used\": %zu, \"rounds\": %" PRIu64 ", \"one_winner\": %" PRIu64 ", \"seconds\": %.3f, "
	       "\"statuses\": {",
	       (double)(load->race ? load->latency_count : load->in_time) / seconds, milliseconds(load, 0.5),
	       milliseconds(load, 0.9), milliseconds(load, 0.99), milliseconds(load, 0.999), milliseconds(load, 1),
	       load->used, load->rounds, load->one_winner, seconds);
	for (int i = 0; i < STATUSES; i++) {
		if (load->statuses[i] == 0)
			continue;
		printf("%s\"%d\": %" PRIu64, comma, i, load->statuses[i]);
		comma = ", ";
	}
	printf("}}\n");
}

static void usage(void)
{
	fprintf(stderr, "Usage: load [-c CONNECTIONS] [-t SECONDS] [-s SKIP] [-l] [-r | -R RATE] PORT FILE\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static struct connection connections[CONNECTIONS_MAX];
	static struct load load = {.connections = 64, .seconds = 3};
	size_t skip = 0, len;
	int option;

	while ((option = getopt(argc, argv, "c:t:s:lrR:")) != -1) {
		switch (option) {
		case 'c':
			load.connections = (int)strtol(optarg, NULL, 10);
			break;
		case 't':
			load.seconds = (int)strtol(optarg, NULL, 10);
			break;
		case 's':
			skip = strtoul(optarg, NULL, 10);
			break;
		case 'l':
			load.loops = true;
			break;
		case 'r':
			load.race = true;
			break;
		case 'R':
			load.rate = (int)strtol(optarg, NULL, 10);
			break;
		default:
			usage();
		}
	}
	if (argc - optind != 2 || load.connections < 1 || load.connections > CONNECTIONS_MAX)
		usage();
	load.port = (uint16_t)strtoul(argv[optind], NULL, 10);
	map_file(&load, argv[optind + 1]);
	while (skip-- > 0 && take_request(&load, &len) != NULL)
		load.used = 0;
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < load.connections; i++)
		open_connection(&load, &connections[i]);
	load.began_ns = now_ns();
	load.ends_ns = load.began_ns + (int64_t)load.seconds * SECOND;
	if (load.race)
		run_races(&load, connections);
	else if (load.rate > 0)
		run_at_rate(&load, connections);
	else
		run_steadily(&load, connections);
	report(&load);
	return 0;
}
