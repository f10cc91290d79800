/* See wheel.h. */
#include "http/wheel.h"

void wheel_init(struct wheel *wheel, uint64_t now_ms)
{
	*wheel = (struct wheel){.tick = now_ms / WHEEL_TICK_MS};
}

static void push(struct wheel_entry **list, struct wheel_entry *entry)
{
	entry->next = *list;
	entry->from = list;
	if (entry->next != NULL)
		entry->next->from = &entry->next;
	*list = entry;
}

void wheel_remove(struct wheel_entry *entry)
{
	if (entry->from == NULL)
		return;
	*entry->from = entry->next;
	if (entry->next != NULL)
		entry->next->from = entry->from;
	entry->from = NULL;
}

/* The first tick at which the deadline has passed; a far one waits in the last slot and is moved on from
 * there. */
static uint64_t tick_for(const struct wheel *wheel, uint64_t due_ms)
{
	uint64_t last = wheel->tick + WHEEL_SLOTS - 1;
	uint64_t tick = due_ms / WHEEL_TICK_MS + 1;

	if (due_ms == WHEEL_NEVER || tick > last)
		return last;
	return tick <= wheel->tick ? wheel->tick + 1 : tick;
}

void wheel_set(struct wheel *wheel, struct wheel_entry *entry, uint64_t due_ms)
{
	uint64_t tick = tick_for(wheel, due_ms);

	entry->due = due_ms;
	if (entry->from != NULL && entry->tick <= tick)
		return;
	wheel_remove(entry);
	entry->tick = tick;
	push(&wheel->slots[tick % WHEEL_SLOTS], entry);
}

static void turn_slot(struct wheel *wheel, uint64_t now_ms, void (*expired)(struct wheel_entry *))
{
	struct wheel_entry *list = wheel->slots[wheel->tick % WHEEL_SLOTS], *entry;

	/* Taken away whole: what is set meanwhile goes into other slots, what is removed leaves this list. */
	wheel->slots[wheel->tick % WHEEL_SLOTS] = NULL;
	if (list != NULL)
		list->from = &list;
	while ((entry = list) != NULL) {
		wheel_remove(entry);
		if (entry->due <= now_ms)
			expired(entry);
		else
			wheel_set(wheel, entry, entry->due);
	}
}

void wheel_turn(struct wheel *wheel, uint64_t now_ms, void (*expired)(struct wheel_entry *))
{
	uint64_t now = now_ms / WHEEL_TICK_MS;

	/* After a long sleep one round reaches every slot. */
	if (now > wheel->tick + WHEEL_SLOTS)
		wheel->tick = now - WHEEL_SLOTS;
	while (wheel->tick < now) {
		wheel->tick++;
		turn_slot(wheel, now_ms, expired);
	}
}

void wheel_each(struct wheel *wheel, void (*visit)(struct wheel_entry *))
{
	struct wheel_entry *next;

	for (size_t i = 0; i < WHEEL_SLOTS; i++)
		for (struct wheel_entry *e = wheel->slots[i]; e != NULL; e = next) {
			next = e->next;
			visit(e);
		}
}
