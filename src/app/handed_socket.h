/*
 * A listening socket that whoever started this process opened, and keeps open when it ends: who connects
 * while marca is started anew waits in that socket's queue, and is not refused. The protocol is
 * sd_listen_fds(3), which systemd speaks for a unit with a .socket: LISTEN_PID (it is us that are meant),
 * LISTEN_FDS (how many, from 3 on). docs/decisions/0012.
 */
#ifndef APP_HANDED_SOCKET_H
#define APP_HANDED_SOCKET_H

#include "base/base.h"

struct handed_socket {
	bool there;
	int fd;
	char address[64]; /* where it listens: "127.0.0.1:8000", "[::]:8000" */
};

/* Takes it, and the variables that tell of it out of the environment. False, said why on standard error: what
 * was handed over is not one listening TCP socket. */
bool handed_socket_take(struct handed_socket *ret) MUST_USE;

#endif
