/*
 * Heads of audit chains that an operator noted elsewhere: the lines of `marca audit verify --heads`, read
 * back.
 */
#ifndef APP_AUDIT_NOTES_H
#define APP_AUDIT_NOTES_H

#include "audit/chain.h"

struct audit_notes {
	struct chain_note *items; /* by tenant, then by number */
	size_t count, room;
};

/* False: said why on standard error. */
bool audit_notes_read(const char *path, struct audit_notes *ret) MUST_USE;
void audit_notes_finish(struct audit_notes *notes);

/* Those of one tenant, or, when it has none, of the next one that has. NULL: there is none after it either.
 */
const struct chain_note *audit_notes_from(const struct audit_notes *notes, const struct uuid *tenant,
					  size_t *ret_count);

#endif
