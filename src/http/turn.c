/* See turn.h. */
#include "http/turn.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KERNEL_SIGSET_BYTES ((size_t)8) /* not libc's, which has room for more signals */

static _Thread_local int limit = TURN_ALL;

void turn_limit(int events)
{
	limit = events;
}

int epoll_pwait(int epoll, struct epoll_event *events, int room, int timeout, const sigset_t *mask)
{
	return (int)syscall(SYS_epoll_pwait, epoll, events, room < limit ? room : limit, timeout, mask,
			    KERNEL_SIGSET_BYTES);
}

int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout)
{
	return epoll_pwait(epoll, events, room, timeout, NULL);
}
