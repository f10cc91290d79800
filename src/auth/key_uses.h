/*
 * When API keys were last used: noted by whoever answers their calls, and written down by a task of its own,
 * so that no call waits for it. To the minute. What is not written when the process ends is not known; nor
 * when more than KEY_USES_MAX keys were used at once.
 */
#ifndef AUTH_KEY_USES_H
#define AUTH_KEY_USES_H

#include "base/uuid.h"

#define KEY_USE_STEP UTIME_MINUTE
#define KEY_USES_MAX 1024

struct task;
struct key_uses; /* one a process; safe from any thread */

struct key_uses *key_uses_create(void) MUST_USE;
void key_uses_destroy(struct key_uses *uses);

void key_uses_note(struct key_uses *uses, const struct uuid *tenant_id, const struct uuid *id, utime at);

/* The task: writes what was noted, until it shall stop. */
void key_uses_run(struct task *task, struct key_uses *uses);

#endif
