/*
 * The post: a task that looks for messages that are due (message.h), makes their mail and sends it. What
 * could not be sent is tried again after some seconds, then minutes, for an hour.
 */
#ifndef AUTH_POST_H
#define AUTH_POST_H

#include "base/config.h"
#include "base/errors.h"

struct post;
struct tasks;

/* Before the tasks start. `config` must outlive it. *ret is NULL where SMTP_URL is not set. RC_NO_MEMORY. */
enum rc post_create(const struct config *config, struct tasks *tasks, struct post **ret) MUST_USE;
/* Gives up what is being sent, so that the tasks may end. NULL is fine. */
void post_stop(struct post *post);
/* After the tasks have ended. NULL is fine. */
void post_destroy(struct post *post);

#endif
