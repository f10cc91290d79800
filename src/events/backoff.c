/* See backoff.h. */
#include "events/backoff.h"

#include "base/log.h"

int backoff_ms(unsigned tries, const struct world *world)
{
	int most = tries < 8 ? BACKOFF_FIRST_MS << tries : BACKOFF_MOST_MS;
	uint16_t random;

	world->random(world, &random, sizeof(random));
	return most / 2 + most * random / (2 * UINT16_MAX);
}

void backoff_wait(struct backoff *backoff, struct task *task, enum rc why)
{
	if (backoff->tries == 0 && !task_stopping(task))
		LOG(WARN, "cannot go on, and will try again", LOG_TEXT("who", backoff->who),
		    LOG_TEXT("why", error_table[why].code));
	task_sleep(task, backoff_ms(backoff->tries, task_world(task)));
	backoff->tries++;
}

void backoff_reset(struct backoff *backoff)
{
	if (backoff->tries > 0)
		LOG(INFO, "goes on", LOG_TEXT("who", backoff->who), LOG_NUMBER("tries", backoff->tries));
	backoff->tries = 0;
}
