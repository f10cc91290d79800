/*
 * marca health -- asks the marca that listens where this one would, whether it is well: for containers, whose
 * images hold no curl. Opens no store and starts no thread.
 */
#include "app/commands.h"

#include "base/config.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define WAIT_SECONDS 5
#define ANSWER_MAX   8192

struct place {
	char host[64], port[8];
};

/* Where one reaches who listens there: "0.0.0.0:8000" is every address of this machine. */
static bool place_of(const char *listen, struct place *ret)
{
	const char *colon = strrchr(listen, ':');
	struct str host = {listen, colon != NULL ? (size_t)(colon - listen) : 0};

	if (host.len > 1 && host.p[0] == '[' && host.p[host.len - 1] == ']')
		host = (struct str){host.p + 1, host.len - 2};
	if (host.len == 0 || host.len >= sizeof(ret->host) || strlen(colon + 1) >= sizeof(ret->port))
		return false;
	if (str_equal(host, STR("0.0.0.0")))
		host = STR("127.0.0.1");
	else if (str_equal(host, STR("::")))
		host = STR("::1");
	snprintf(ret->host, sizeof(ret->host), "%.*s", (int)host.len, host.p);
	snprintf(ret->port, sizeof(ret->port), "%s", colon + 1);
	return true;
}

/* A connected socket, or -1 with errno. */
static int reach(const struct addrinfo *address)
{
	static const struct timeval patience = {.tv_sec = WAIT_SECONDS};
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* The whole answer, as text. False with errno. */
static bool ask(int fd, const char *path, char ret[ANSWER_MAX])
{
	char request[128];
	int len = snprintf(request, sizeof(request),
			   "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
	size_t have = 0;
	ssize_t got;

	if (send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
		return false;
	while ((got = recv(fd, ret + have, ANSWER_MAX - 1 - have, 0)) > 0)
		have += (size_t)got;
	ret[have] = '\0';
	return got == 0;
}

static bool is_well(const struct place *place, const char *path)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *address;
	char answer[ANSWER_MAX];
	const char *body;
	int fd;
	bool answered;

	if (getaddrinfo(place->host, place->port, &hints, &address) != 0) {
		fprintf(stderr, "marca: %s port %s is no address\n", place->host, place->port);
		return false;
	}
	fd = reach(address);
	freeaddrinfo(address);
	answered = fd >= 0 && ask(fd, path, answer);
	if (!answered)
		fprintf(stderr, "marca: nobody answers at %s port %s: %s\n", place->host, place->port,
			strerror(errno));
	if (fd >= 0)
		close(fd);
	if (!answered)
		return false;
	body = strstr(answer, "\r\n\r\n");
	printf("%s\n", body != NULL ? body + 4 : "");
	return strncmp(answer, "HTTP/1.1 200 ", strlen("HTTP/1.1 200 ")) == 0;
}

int command_health(const struct command *command, int argc, char **argv)
{
	struct config config;
	struct place place;
	bool ready = argc > 0 && strcmp(argv[0], "--ready") == 0;

	if (argc > (ready ? 1 : 0))
		return command_usage(command);
	if (!config_read(&config))
		return 1;
	if (!place_of(config.listen, &place)) {
		fprintf(stderr,
			"marca: MARCA_LISTEN=%s: must be an address and a port, such as 127.0.0.1:8000\n",
			config.listen);
		return 1;
	}
	return is_well(&place, ready ? "/ready" : "/health") ? 0 : 1;
}
