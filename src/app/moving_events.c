/* See moving_events.h. */
#include "app/moving_events.h"

#include "events/bus.h"

#include <stdio.h>

static int64_t tell_groups(const struct bus_group *groups, size_t count)
{
	int64_t waiting = 0;

	for (size_t i = 0; i < count; i++) {
		int64_t one = groups[i].pending + (groups[i].lag > 0 ? groups[i].lag : 0);

		if (one > 0)
			fprintf(stderr, "  %s has %lld events of %s still to handle\n", groups[i].name,
				(long long)one, groups[i].stream);
		waiting += one;
	}
	return waiting;
}

void moving_tell_waiting(struct bus *bus, struct ctx *cx)
{
	struct bus_group *groups;
	struct bus_dead *dead;
	size_t count, dead_count = 0;
	int64_t waiting;
	enum rc rc = bus_groups(bus, cx, &groups, &count);

	if (rc == RC_OK)
		rc = bus_dead(bus, cx, 0, 1, &dead, &dead_count);
	if (rc != RC_OK) {
		fprintf(stderr, "marca: the bus does not answer, so that it is not known whether events wait "
				"in it\n");
		return;
	}
	waiting = tell_groups(groups, count);
	if (dead_count > 0)
		fprintf(stderr, "  there are dead letters: `marca events dead`\n");
	if (waiting > 0 || dead_count > 0)
		fprintf(stderr, "Another bus is sent what the outboxes still have (EVENT_RETENTION_HOURS), "
				"and of that\n"
				"nothing twice. To be sure of all of it, let marca handle these first, "
				"then stop it and\n"
				"export.\n");
}
