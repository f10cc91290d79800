/* See consumers.h. */
#include "app/consumers.h"

#include "audit/queries.h"
#include "booking/queries.h"
#include "resource/queries.h"
#include "user/queries.h"

const struct consumer_group app_groups[] = {
	{.name = "user-service", .effects = EFFECT_QUERIES(user), .steps = 1},
};
const size_t app_group_count = ARRAY_LEN(app_groups);

static enum rc nothing(struct delivery *d, const struct event *e)
{
	(void)d;
	(void)e;
	return RC_OK;
}

const struct consumer app_consumers[] = {
	{"user-service", STREAM_BOOKINGS, "booking.created", nothing},
};
const size_t app_consumer_count = ARRAY_LEN(app_consumers);
