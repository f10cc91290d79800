/*
 * May this marca start as it is configured? What is convenient for one developer on his own machine is not
 * good enough where strangers reach it. The rules are a table: which setting, what is wrong with it, what to
 * set.
 */
#ifndef APP_POSTURE_H
#define APP_POSTURE_H

#include "base/config.h"

struct posture_fault {
	const char *variable, *wrong, *mend; /* static texts; nothing of the values */
	bool warns;			     /* it may start all the same */
};

#define POSTURE_FAULTS_MAX 128

/* All that is wrong. `serves`: strangers will talk to it, not only an operator's command to the stores. */
size_t posture_faults(const struct config *config, bool serves, struct posture_fault *ret);

/* The same, told on standard error. False: it must not start. */
bool posture_check(const struct config *config, bool serves) MUST_USE;

#endif
