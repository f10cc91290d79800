/* See handed_socket.h. */
#include "app/handed_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST 3 /* SD_LISTEN_FDS_START */

static int number_of(const char *variable)
{
	const char *value = getenv(variable);
	char *end;
	long number = value != NULL ? strtol(value, &end, 10) : 0;

	return value != NULL && value[0] != '\0' && *end == '\0' && number > 0 && number < 10000000
		       ? (int)number
		       : 0;
}

static bool option_is(int fd, int option, int wanted)
{
	int value = -1;
	socklen_t len = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == wanted;
}

static bool write_address(int fd, char *ret, size_t size)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);
	const struct sockaddr_in *v4 = (const void *)&address;
	const struct sockaddr_in6 *v6 = (const void *)&address;
	char host[INET6_ADDRSTRLEN];

	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return false;
	if (address.ss_family == AF_INET && inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host)) != NULL)
		return snprintf(ret, size, "%s:%d", host, ntohs(v4->sin_port)) > 0;
	if (address.ss_family == AF_INET6 && inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host)) != NULL)
		return snprintf(ret, size, "[%s]:%d", host, ntohs(v6->sin6_port)) > 0;
	return false;
}

bool handed_socket_take(struct handed_socket *ret)
{
	int count = number_of("LISTEN_PID") == (int)getpid() ? number_of("LISTEN_FDS") : 0;

	*ret = (struct handed_socket){.there = count > 0, .fd = FIRST};
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!ret->there)
		return true;
	if (count > 1) {
		fprintf(stderr,
			"marca: %d sockets were handed over (LISTEN_FDS); it takes one: ListenStream= once\n",
			count);
		return false;
	}
	if (!option_is(FIRST, SO_TYPE, SOCK_STREAM) || !option_is(FIRST, SO_ACCEPTCONN, 1) ||
	    !write_address(FIRST, ret->address, sizeof(ret->address))) {
		fprintf(stderr,
			"marca: the socket that was handed over (LISTEN_FDS) is not one of TCP that listens; "
			"ListenStream= an address and a port\n");
		return false;
	}
	return fcntl(FIRST, F_SETFD, FD_CLOEXEC) == 0;
}
