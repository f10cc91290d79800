/* What follows for resources from other services' events: rows of app/consumers.c. */
#ifndef RESOURCE_EFFECTS_H
#define RESOURCE_EFFECTS_H

#include "events/consumer.h"

#define RESOURCE_EFFECT_STEPS 1

/* booking.created, booking.cancelled, booking.updated: counted, of the resource that they name. The counts of
 * a script are summed up first, and added resource by resource. */
enum rc resource_counts_begin(struct delivery *delivery, const struct event *const *events, size_t count);
enum rc resource_count(struct delivery *delivery, const struct event *event);
enum rc resource_counts_finish(struct delivery *delivery);
/* tenant.deleted: its resources are removed, as DELETE /resources/{id} does, and then its categories. */
enum rc resource_on_tenant_deleted(struct delivery *delivery, const struct event *event);

#endif
