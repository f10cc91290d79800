/*
 * `marca tenant export|erase`: all that is kept of one tenant, out or away. Which tables those are comes from
 * the migrations by sqlgen, so that none can be forgotten. Works beside a running marca.
 */
#include "app/app.h"
#include "app/commands.h"
#include "app/guest.h"
#include "app/tenant_rows.h"
#include "booking/queries.h"
#include "events/bus.h"
#include "resource/queries.h"
#include "tenant/queries.h"
#include "user/queries.h"

#include <stdio.h>
#include <unistd.h>

struct run;

struct verb {
	const char *name;
	enum rc (*fn)(struct run *run, struct ctx *cx);
};

struct run {
	struct app app;
	const struct verb *verb;
	struct bus *bus;
	struct uuid tenant;
	bool yes, shows;
	int status;
};

/* Bookings first, the tenant's own row late, and last what tells what was done. */
static const enum room order[] = {ROOM_booking, ROOM_resource, ROOM_user, ROOM_tenant, ROOM_audit};

static void show(const struct run *run, const char *what, int64_t rows)
{
	if (run->shows)
		fprintf(stderr, "  %-24s %lld rows\n", what, (long long)rows);
}

/* --- export ----------------------------------------------------------------------- */

static enum rc do_export(struct run *run, struct ctx *cx)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < ARRAY_LEN(order); i++) {
		const struct query_set *set = app_queries[order[i]];

		for (const struct tenant_table *t = set->tables; rc == RC_OK && t->name != NULL; t++) {
			int64_t rows = 0;

			rc = tenant_rows_write(cx, set->name, t, &run->tenant, stdout, &rows);
			show(run, t->name, rows);
		}
	}
	if (rc == RC_OK && fflush(stdout) != 0)
		rc = RC_INTERNAL;
	return rc;
}

/* --- erase ------------------------------------------------------------------------ */

static enum rc refuse(struct run *run, const char *why)
{
	fprintf(stderr, "marca: nothing was erased: %s\n", why);
	run->status = 1;
	return RC_OK;
}

/* Has all that follows from its deletion been done? By then nobody writes for it any more. */
static enum rc is_over(struct run *run, struct ctx *cx, const char **ret_why)
{
	const struct q_tenant_deletion_in of_tenant = {.tenant_id = run->tenant};
	const struct q_users_page_in of_users = {.tenant_id = run->tenant, .is_active = INT_NONE, .limit = 1};
	const struct q_resources_page_in of_resources = {.tenant_id = run->tenant, .limit = 1};
	const struct q_bookings_page_in of_bookings = {.tenant_id = run->tenant, .limit = 1};
	struct q_tenant_deletion_out *tenant;
	struct q_bookings_page_out *bookings;
	struct resource *resources;
	struct user *users;
	size_t left[3] = {0};
	enum rc rc = q_tenant_deletion(cx, &of_tenant, &tenant);

	if (rc == RC_OK)
		rc = q_users_page(cx, &of_users, &users, &left[0]);
	if (rc == RC_OK)
		rc = q_resources_page(cx, &of_resources, &resources, &left[1]);
	if (rc == RC_OK)
		rc = q_bookings_page(cx, &of_bookings, &bookings, &left[2]);
	if (rc != RC_OK)
		return rc;
	if (tenant != NULL && tenant->deleted_at == UTIME_NONE)
		*ret_why = "the tenant is in use; delete it first: DELETE /tenants/{id}";
	else if (left[0] + left[1] + left[2] > 0)
		*ret_why = "its deletion is still being carried out; try again in a moment";
	else
		*ret_why = NULL;
	return RC_OK;
}

static enum rc forget_events(struct run *run, struct ctx *cx, bool *ret_left)
{
	enum rc rc = RC_OK;

	*ret_left = false;
	for (size_t i = 0; rc == RC_OK && i < STREAM_COUNT; i++) {
		struct bus_subject all = {.tenant_id = run->tenant};
		bool left;

		rc = bus_forget(run->bus, cx, stream_names[i], &all, 1, &left);
		*ret_left |= left;
	}
	return rc;
}

static enum rc erase_tables(struct run *run, struct ctx *cx)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < ARRAY_LEN(order); i++) {
		const struct query_set *set = app_queries[order[i]];
		const struct tenant_table *t = set->tables;

		while (t->name != NULL)
			t++;
		/* A table refers to those before it: so it goes before them. */
		while (rc == RC_OK && t-- > set->tables) {
			int64_t rows = 0;

			rc = tenant_rows_erase(cx, set->room, t, &run->tenant, &rows);
			show(run, t->name, rows);
		}
	}
	return rc;
}

static enum rc do_erase(struct run *run, struct ctx *cx)
{
	const char *why;
	bool left;
	enum rc rc = is_over(run, cx, &why);

	if (rc == RC_OK && why == NULL)
		rc = forget_events(run, cx, &left);
	if (rc != RC_OK)
		return rc;
	if (why == NULL && left)
		why = "some group has still to read its events; see `marca events groups`";
	if (why != NULL)
		return refuse(run, why);
	rc = erase_tables(run, cx);
	if (rc == RC_OK)
		printf("erased\n");
	return rc;
}

/* --- The run ------------------------------------------------------------------------ */

static const struct verb verbs[] = {{"export", do_export}, {"erase", do_erase}};

static enum rc run_verb(const struct guest *guest, struct ctx *cx, void *arg)
{
	struct run *run = arg;

	run->bus = guest->bus;
	return run->verb->fn(run, cx);
}

static bool read_options(struct run *run, struct config *config, int argc, char **argv)
{
	const struct command_option table[] = {
		{.name = "--yes", .flag = &run->yes},
		{.name = "--data", .text = &config->data},
	};

	for (size_t i = 0; argc > 0 && i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, argv[0]) == 0)
			run->verb = &verbs[i];
	if (run->verb == NULL || argc < 2 || !uuid_parse(str_from(argv[1]), &run->tenant))
		return false;
	if (!COMMAND_OPTIONS(table, argc - 2, argv + 2))
		return false;
	return run->verb->fn != do_erase || run->yes;
}

int command_tenant(const struct command *command, int argc, char **argv)
{
	struct run run = {.shows = isatty(STDERR_FILENO) == 1};
	struct config config;
	int status;

	if (!config_read(&config))
		return 1;
	if (!read_options(&run, &config, argc, argv))
		return command_usage(command);
	if (!app_init(&run.app, &config))
		return 1;
	status = guest_run(&run.app, GUEST_ALL_ROOMS, true, run_verb, &run);
	return status != 0 ? status : run.status;
}
