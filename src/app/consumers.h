/* What follows from events: the groups, and one row for each effect. events/consumer.h tells how to write
 * one. */
#ifndef APP_CONSUMERS_H
#define APP_CONSUMERS_H

#include "events/consumer.h"

#define APP_GROUPS_MAX 8
extern const struct consumer_group app_groups[];
extern const size_t app_group_count;

extern const struct consumer app_consumers[];
extern const size_t app_consumer_count;

#endif
