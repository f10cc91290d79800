/* The audit trail: its shapes and its routes. */
#include "audit/audit.h"

#include "base/ctx.h"

/* clang-format off */
SHAPE_DEFINE(audit_event, AUDIT_EVENT, .doc = "An event, as the audit trail keeps it.");
SHAPE_DEFINE(audit_filter, AUDIT_FILTER);

static const struct route routes[] = {
	{
		.method = HTTP_GET_, .path = "/audit", .id = "listAudit",
		.summary = "List what happened at a tenant.",
		.doc = "All events of the tenant in the order in which they were recorded, the newest last. The trail is only "
		       "ever added to, and each event's `hash` covers all before it: `marca audit verify` finds what was changed "
		       "or taken out since.",
		.access = ACCESS_ADMIN,
		.query = &audit_filter_shape, .handler = audit_list,
		.replies = {{200, &audit_event_shape, .list = true, .doc = "A page of events."}},
		.errors = {RC_TENANT_UNKNOWN},
	},
};
/* clang-format on */

const struct service audit_service = {
	.name = "audit",
	.collection = "audit",
	.title = "Audit",
	.doc = "What happened, and when.",
	.room = ROOM_audit,
	.routes = routes,
	.route_count = ARRAY_LEN(routes),
};
