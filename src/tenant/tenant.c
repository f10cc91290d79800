/* What the tenant service's handlers share: its shapes, what is derived before a row is written, how it is
 * read. */
#include "tenant/tenant.h"

#include "base/fold.h"
#include "calendar/zone.h"
#include "events/outbox.h"
#include "events/payloads.h"
#include "http/req.h"
#include "tenant/queries.h"

/* Kept only for as long as the question takes; policies keep theirs open (client.c). */
static bool zone_valid(struct str text)
{
	char name[65];
	struct zone *zone;

	if (text.len >= sizeof(name))
		return false;
	memcpy(name, text.p, text.len);
	name[text.len] = '\0';
	if (zone_open(name, &zone) != RC_OK)
		return false;
	zone_close(zone);
	return true;
}

const struct format format_zone = {.valid = zone_valid, .issue = ISSUE_BAD_ZONE};

static void check_hours(int64_t start, int64_t end, const struct loc *loc, struct issues *issues)
{
	struct loc here = {.up = loc, .name = "working_hours_start"};

	if (start >= end)
		issue_add(issues, &here, ISSUE_BAD_HOURS, NULL);
}

static void settings_new_check(const void *object, const struct loc *loc, struct issues *issues)
{
	const struct settings_new *settings = object;

	check_hours(settings->working_hours_start, settings->working_hours_end, loc, issues);
}

static void settings_check(const void *object, const struct loc *loc, struct issues *issues)
{
	const struct settings *settings = object;

	check_hours(settings->working_hours_start, settings->working_hours_end, loc, issues);
}

static void tenant_admin_check(const void *object, const struct loc *loc, struct issues *issues)
{
	const struct tenant_admin *admin = object;
	struct loc here = {.up = loc, .name = "password"};

	if (password_is_personal(issues->arena, admin->password, admin->name, admin->email))
		issue_add(issues, &here, ISSUE_PERSONAL_PASSWORD, NULL);
}

/* clang-format off */
ENUM_DEFINE(plan, PLAN);
SHAPE_DEFINE(labels, LABELS, .doc = "The words a business uses for what is booked, a booking, and who books.");
SHAPE_DEFINE(settings_new, SETTINGS_NEW, .doc = "Rules of booking, as set.", .check = settings_new_check);
SHAPE_DEFINE(settings, SETTINGS, .doc = "Rules of booking.");
SHAPE_DEFINE(tenant_admin, TENANT_ADMIN, .doc = "Who is to run an organisation.", .check = tenant_admin_check);
SHAPE_DEFINE(tenant_new, TENANT_NEW, .doc = "An organisation, as it is registered.");
SHAPE_DEFINE(tenant, TENANT, .doc = "An organisation.");
SHAPE_DEFINE(brand, BRAND, .doc = "What a booking page shows of an organisation.");
SHAPE_DEFINE(tenant_filter, TENANT_FILTER);
/* clang-format on */

static const struct loc body_loc = {.name = "body"};
const struct loc settings_loc = {.up = &body_loc, .name = "settings"};

enum rc tenant_derive(struct req *rq, struct tenant *row)
{
	row->domain = fold_ascii(rq->cx.arena, row->domain);
	row->search_name = fold_text(rq->cx.arena, row->name);
	return row->domain != NULL && row->search_name != NULL ? RC_OK : RC_NO_MEMORY;
}

enum rc tenant_find(struct req *rq, struct tenant **ret)
{
	struct q_tenant_by_id_in in;
	struct tenant *row;
	enum rc rc = req_tenant(rq, &rq->id, &in.id);

	if (rc == RC_OK)
		rc = q_tenant_by_id(&rq->cx, &in, &row);
	if (rc != RC_OK)
		return rc;
	if (row == NULL)
		return RC_TENANT_UNKNOWN;
	row->settings.has = !uuid_is_none(&row->settings.id);
	*ret = row;
	return RC_OK;
}

enum rc settings_merge(struct req *rq, struct tenant *row, const struct settings_new *change,
		       const struct loc *loc)
{
	struct settings *settings = &row->settings;
	bool first = settings->has == 0;
	enum rc rc;

	if (first) {
		rc = shape_check_required(&settings_new_shape, change, loc, &rq->issues);
		if (rc != RC_OK)
			return rc;
		SHAPE_COPY(settings, settings, settings_new, change, COPY_ALL);
		settings->id = uuid_v7(rq->cx.world, rq->cx.now);
		settings->created_at = rq->cx.now;
		settings->updated_at = rq->cx.now;
	} else {
		SHAPE_COPY(settings, settings, settings_new, change, COPY_SENT);
		settings->updated_at = outbox_time(&rq->cx, settings->updated_at);
	}
	settings_check(settings, loc, &rq->issues);
	return issues_rc(&rq->issues);
}

enum rc tenant_store(struct req *rq, struct tenant *row)
{
	const struct tenant_ids payload = {.tenant_id = row->id};
	struct outbox_row event =
		outbox_row(&rq->cx, STREAM_TENANTS, "tenant.settings_changed", &row->id, &row->id);
	struct script script;
	struct step *update;
	enum rc rc;

	if (!outbox_payload(&event, rq->cx.arena, &tenant_ids_shape, &payload))
		return RC_NO_MEMORY;
	row->updated_at = event.created_at = outbox_time(&rq->cx, row->updated_at);
	row->change_id = event.change_id;
	script_init(&script, &rq->cx, ROOM_tenant, &row->id, &row->id);
	update = script_add(&script, &q_tenant_update_query, row);
	if (row->settings.has != 0)
		script_add(&script, &q_settings_put_query, row);
	outbox_add(&script, &q_tenant_event_query, &event);
	rc = db_write(&script);
	if (rc == RC_STORE_CONSTRAINT)
		return RC_DOMAIN_TAKEN;
	if (rc != RC_OK)
		return rc;
	if (update->rows.count == 0)
		return req_changed_meanwhile(rq);
	row->version++;
	return RC_OK;
}
