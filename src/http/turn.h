/*
 * How many events a thread's libuv loop takes from the kernel at once.
 *
 * libuv asks for 1,024. The kernel puts what it hands over back at the end of its list (epoll is
 * level-triggered), before what comes meanwhile: who is a moment late waits for all the others, and then once
 * more, twice as long as they do. Of a few at a time, all wait alike. docs/decisions/0018-a-turn-takes-few.md
 *
 * libuv has no setting for it. So epoll_wait() and epoll_pwait() of libc are defined here once more, with the
 * same meaning (but they are no cancellation points) save for a thread that has set a limit; the linker gives
 * ours to libuv. turn_test.c fails where it does not.
 */
#ifndef HTTP_TURN_H
#define HTTP_TURN_H

#include <limits.h>

#define TURN_FEW 32 /* of 64 connections: fewer, and a turn's own work shows; 64 would be no limit */
#define TURN_ALL INT_MAX

/* Of the calling thread, from now on; at least 1. A thread that never asked takes all. */
void turn_limit(int events);

#endif
