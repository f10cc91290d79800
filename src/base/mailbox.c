/* See mailbox.h. A stack that grows by compare-and-swap and is taken whole, then turned round. */
#include "base/mailbox.h"

void mailbox_init(struct mailbox *mailbox, void (*notify)(struct mailbox *))
{
	atomic_init(&mailbox->newest, NULL);
	mailbox->notify = notify;
}

void mailbox_post(struct mailbox *mailbox, struct letter *letter)
{
	struct letter *newest = atomic_load_explicit(&mailbox->newest, memory_order_relaxed);

	do {
		letter->next = newest;
	} while (!atomic_compare_exchange_weak_explicit(&mailbox->newest, &newest, letter,
							memory_order_release, memory_order_relaxed));
	/* Whoever finds it empty rings; later letters ride along until it is opened. */
	if (newest == NULL)
		mailbox->notify(mailbox);
}

void mailbox_open(struct mailbox *mailbox)
{
	struct letter *letter = atomic_exchange_explicit(&mailbox->newest, NULL, memory_order_acquire);
	struct letter *oldest = NULL, *next;

	for (; letter != NULL; letter = next) {
		next = letter->next;
		letter->next = oldest;
		oldest = letter;
	}
	for (; oldest != NULL; oldest = next) {
		next = oldest->next;
		oldest->open(oldest);
	}
}
