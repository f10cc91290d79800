/* See traffic.h. */
#include "http/traffic.h"

const char *const traffic_status_text[TRAFFIC_STATUS_COUNT] = {[TRAFFIC_other] = "other",
#define S(status) [TRAFFIC_##status] = #status,
							       TRAFFIC_STATUSES(S)
#undef S
};

#define STATUS_END 600

static const unsigned char places[STATUS_END] = {
#define S(status) [status] = TRAFFIC_##status,
	TRAFFIC_STATUSES(S)
#undef S
};

void traffic_answered(struct traffic *traffic, int status, uint64_t ns)
{
	size_t place = status >= 0 && status < STATUS_END ? places[status] : TRAFFIC_other;

	counter_add(&traffic->answered[place], 1);
	if (ns > 0)
		histogram_add_alone(&traffic->durations, &histogram_durations, ns);
}

void traffic_read(const struct traffic *traffic, struct traffic_sum *sum)
{
	/* First: what is answered meanwhile has begun before it. */
	for (size_t i = 0; i < TRAFFIC_STATUS_COUNT; i++)
		sum->answered[i] += counter_read(&traffic->answered[i]);
	sum->began += counter_read(&traffic->began);
	histogram_read(&traffic->durations, &sum->durations);
}
