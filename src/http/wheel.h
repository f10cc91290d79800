/*
 * Timer wheel (Varghese and Lauck, 1987): one coarse clock for the deadlines of all connections of
 * a loop. Setting one later than before, which is what every request does, costs a store: the entry
 * stays where it is and moves on when its slot comes round.
 */
#ifndef HTTP_WHEEL_H
#define HTTP_WHEEL_H

#include "base/base.h"

#define WHEEL_TICK_MS 100
#define WHEEL_SLOTS   128
#define WHEEL_NEVER   UINT64_MAX

/* Zeroed is out of the wheel. */
struct wheel_entry {
	struct wheel_entry *next, **from; /* whoever points here; NULL outside */
	uint64_t due;			  /* ms */
	uint64_t tick;			  /* whose slot it waits in */
};

struct wheel {
	struct wheel_entry *slots[WHEEL_SLOTS];
	uint64_t tick; /* the last one turned */
};

void wheel_init(struct wheel *wheel, uint64_t now_ms);

/* Puts in or moves; WHEEL_NEVER keeps it in the wheel without a deadline. */
void wheel_set(struct wheel *wheel, struct wheel_entry *entry, uint64_t due_ms);

/* Takes out; one that is outside stays so. */
void wheel_remove(struct wheel_entry *entry);

/* Calls `expired` once for each entry that is due, up to a tick late; it is then out of the wheel. */
void wheel_turn(struct wheel *wheel, uint64_t now_ms, void (*expired)(struct wheel_entry *));

/* Visits all; a visit may remove or set its own entry only. */
void wheel_each(struct wheel *wheel, void (*visit)(struct wheel_entry *));

#endif
