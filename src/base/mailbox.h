/*
 * Mailbox: how other threads give work back to the thread that owns a loop.
 * Many post, one opens; first in, first out. The loop is told once for many
 * letters, by `notify` (which must be callable from any thread).
 */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include "base/base.h"

#include <stdatomic.h>

struct letter {
	struct letter *next;
	void (*open)(struct letter *); /* runs on the mailbox's own thread */
};

struct mailbox {
	_Atomic(struct letter *) newest;
	void (*notify)(struct mailbox *);
};

void mailbox_init(struct mailbox *mailbox, void (*notify)(struct mailbox *));

/* The letter belongs to the mailbox until it is opened. */
void mailbox_post(struct mailbox *mailbox, struct letter *letter);

/* Opens all that has come, oldest first. */
void mailbox_open(struct mailbox *mailbox);

#endif
