/* See gcra.h. */
#include "base/gcra.h"

struct gcra_limit gcra_limit(int64_t quota, int64_t window)
{
	int64_t step;

	if (quota <= 0)
		return (struct gcra_limit){0, 0};
	step = window / quota > 0 ? window / quota : 1;
	return (struct gcra_limit){step, step * quota};
}

struct gcra_verdict gcra(const struct gcra_limit *limit, int64_t tat, int64_t now)
{
	int64_t from = tat > now ? tat : now, next = from + limit->step;
	struct gcra_verdict verdict = {.allowed = next - now <= limit->depth, .tat = tat};
	int64_t ahead;

	if (verdict.allowed)
		verdict.tat = next;
	ahead = verdict.allowed ? next - now : from - now;
	if (ahead + limit->step <= limit->depth)
		verdict.remaining = (limit->depth - ahead) / limit->step;
	else
		verdict.wait = ahead + limit->step - limit->depth;
	return verdict;
}
