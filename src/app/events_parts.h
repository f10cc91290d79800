/* What events.c starts, for metrics_events.c, which tells how it goes. */
#ifndef APP_EVENTS_PARTS_H
#define APP_EVENTS_PARTS_H

#include "app/consumers.h"
#include "app/events.h"
#include "events/consumer.h"
#include "events/janitor.h"
#include "events/relay.h"

#define RELAYS 4
#define PURGES 6

struct app_events {
	struct tasks *tasks;
	struct bus *bus;
	struct relay *relays[RELAYS]; /* of the rooms that are here */
	size_t relay_count;
	struct consumers *consumers;
	struct consumer_group groups[APP_GROUPS_MAX]; /* of the rooms that are here */
	size_t group_count;
	struct effect_queries effects[APP_GROUPS_MAX]; /* theirs */
	struct janitor *janitor;
	struct purge_query purges[PURGES];
	struct follower *follower;
	struct post *post;	  /* NULL: no mail is sent */
	struct rate_share *rates; /* NULL: nobody to share with */
};

#endif
