/* The audit trail: its routes. */
#include "audit/audit.h"

#include "base/ctx.h"

const struct service audit_service = {
	.name = "audit",
	.collection = "audit",
	.title = "Audit",
	.doc = "What happened, and when.",
	.room = ROOM_audit,
};
