/*
 * Forgetting a subject before its time: the events of a person who was erased. Both drivers give the same
 * three things (read on, what is still wanted, remove), so the search is here, once. It reads whole streams,
 * in pages: for as many subjects at once as there are.
 */
#include "events/bus_driver.h"

#include <stdlib.h>

#define PAGE 500

static int compare(const void *a, const void *b)
{
	const struct bus_subject *x = a, *y = b;
	int order = memcmp(x->tenant_id.b, y->tenant_id.b, sizeof(x->tenant_id.b));

	return order != 0 ? order : memcmp(x->id.b, y->id.b, sizeof(x->id.b));
}

static bool is_among(const struct event *event, const struct bus_subject *subjects, size_t count)
{
	const struct bus_subject key = {.tenant_id = event->tenant_id, .id = event->subject_id};
	const struct bus_subject all = {.tenant_id = event->tenant_id};

	return bsearch(&key, subjects, count, sizeof(key), compare) != NULL ||
	       bsearch(&all, subjects, count, sizeof(all), compare) != NULL;
}

/* One page, in an arena of its own. *after moves on; it stays where the stream ends. */
static enum rc forget_page(struct bus *bus, const struct ctx *cx, const char *stream, int64_t floor,
			   const struct bus_subject *subjects, size_t count, int64_t *after, bool *ret_left)
{
	const struct bus_driver *driver = bus_driver(bus);
	int64_t places[PAGE];
	struct ctx page = *cx;
	struct events events;
	struct arena arena;
	size_t found = 0;
	enum rc rc;

	arena_init(&arena, cx->arena->pool);
	page.arena = &arena;
	rc = bus_range(bus, &page, stream, *after, PAGE, &events);
	for (size_t i = 0; rc == RC_OK && i < events.count; i++) {
		const struct event *event = &events.items[i];

		*after = event->sequence;
		if (!is_among(event, subjects, count))
			continue;
		if (event->sequence < floor)
			places[found++] = event->sequence;
		else
			*ret_left = true;
	}
	if (rc == RC_OK && found > 0)
		rc = driver->remove(bus_self(bus), &page, stream, places, found);
	arena_finish(&arena);
	return rc;
}

static enum rc forget_letters(struct bus *bus, struct ctx *cx, const struct bus_subject *subjects,
			      size_t count)
{
	struct bus_dead *letters;
	int64_t after = 0;
	size_t got = PAGE;
	bool found;
	enum rc rc = RC_OK;

	while (rc == RC_OK && got == PAGE) {
		rc = bus_dead(bus, cx, after, PAGE, &letters, &got);
		for (size_t i = 0; rc == RC_OK && i < got; i++) {
			after = letters[i].number;
			if (is_among(&letters[i].event, subjects, count))
				rc = bus_drop(bus, cx, after, &found);
		}
	}
	return rc;
}

enum rc bus_forget(struct bus *bus, struct ctx *cx, const char *stream, struct bus_subject *subjects,
		   size_t count, bool *ret_left)
{
	int64_t floor, end, after = 0, before = -1;
	enum rc rc = bus_end(bus, cx, stream, &end);

	*ret_left = false;
	if (count == 0)
		return RC_OK;
	qsort(subjects, count, sizeof(*subjects), compare);
	if (rc == RC_OK)
		rc = bus_driver(bus)->floor(bus_self(bus), cx, stream, &floor);
	while (rc == RC_OK && after < end && after > before) {
		before = after;
		rc = forget_page(bus, cx, stream, floor, subjects, count, &after, ret_left);
	}
	return rc == RC_OK ? forget_letters(bus, cx, subjects, count) : rc;
}
