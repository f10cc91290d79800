/*
 * marca audit verify: goes through every chain of the audit trail, and says which are not as they were
 * recorded. Beside a running marca, or without one.
 */
#include "app/audit_notes.h"
#include "app/commands.h"
#include "app/guest.h"
#include "audit/verify.h"
#include "events/tasks.h"
#include "json/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define PROGRESS_MS 200

/* clang-format off */
#define CHAIN_LINE(F, T)                                                                   \
	F(T, UUID, tenant_id, REQUIRED, "Whose chain.")                                    \
	F(T, INT,  events,    REQUIRED, "Rows that are as they were recorded.")            \
	F(T, TEXT, head,      OPTIONAL, "The last one's hash; none where it is broken.")   \
	F(T, TEXT, fault,     OPTIONAL, "The first fault, in words.")                      \
	F(T, INT,  fault_at,  OPTIONAL, "The number of its row.")
SHAPE_DECLARE(chain_line, CHAIN_LINE);
SHAPE_DEFINE(chain_line, CHAIN_LINE);

#define SUMMARY_LINE(F, T)                                                                 \
	F(T, INT, tenants, REQUIRED, "Chains.")                                            \
	F(T, INT, events,  REQUIRED, "Rows of all of them that are as they were recorded.") \
	F(T, INT, broken,  REQUIRED, "Chains with a fault.")
SHAPE_DECLARE(summary_line, SUMMARY_LINE);
SHAPE_DEFINE(summary_line, SUMMARY_LINE);
/* clang-format on */

struct options {
	bool json, heads, one;
	struct uuid tenant; /* that one alone */
	const char *expect;
};

struct verification {
	struct options options;
	struct app app;
	struct audit_notes notes;
	const struct tasks *tasks;
	bool shows;	       /* somebody watches */
	bool line;	       /* the progress stands on the terminal */
	uint64_t began, shown; /* tasks_clock() */
	int64_t tenants, events, broken;
	int64_t read; /* rows so far, those of the chain at hand too */
};

/* --- What it says ------------------------------------------------------------------ */

struct grouped {
	char text[32];
};

/* 1234567 as 1,234,567. */
static struct grouped grouped(int64_t number)
{
	struct grouped grouped;
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, number), at = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			grouped.text[at++] = ',';
		grouped.text[at++] = digits[i];
	}
	grouped.text[at] = '\0';
	return grouped;
}

static void on_progress(void *arg, size_t rows)
{
	struct verification *verification = arg;
	uint64_t now = tasks_clock(verification->tasks);
	uint64_t elapsed = now - verification->began;

	verification->read += (int64_t)rows;
	if (!verification->shows || now - verification->shown < PROGRESS_MS)
		return;
	verification->shown = now;
	verification->line = true;
	fprintf(stderr, "\r\033[K%s events, %s/s", grouped(verification->read).text,
		grouped(verification->read * 1000 / (int64_t)(elapsed > 0 ? elapsed : 1)).text);
}

static void clear_progress(struct verification *verification)
{
	if (verification->line)
		fprintf(stderr, "\r\033[K");
	verification->line = false;
}

/* Of an intact chain, its head; with --heads what is no head is a comment, so that all of it can be noted. */
static void tell_in_words(const struct verification *verification, const struct chain *chain)
{
	bool heads = verification->options.heads;
	char id[UUID_TEXT_LEN + 1];

	uuid_text(id, &chain->tenant);
	if (chain_broken(chain))
		printf("%s%s: %s\n", heads ? "# " : "", id, chain->fault);
	else if (heads && chain->number > 0)
		printf("%s %" PRId64 " %s\n", id, chain->number, chain->hash.text);
}

static enum rc tell_in_json(struct ctx *cx, const struct chain *chain)
{
	bool broken = chain_broken(chain);
	const struct chain_line line = {
		.tenant_id = chain->tenant,
		.events = chain->number,
		.head = broken || chain->number == 0 ? NULL : chain->hash.text,
		.fault = broken ? chain->fault : NULL,
		.fault_at = broken ? chain->fault_at : INT_NONE,
	};

	return command_print_json(cx, &chain_line_shape, &line);
}

static enum rc tell_chain(struct verification *verification, struct ctx *cx, const struct chain *chain)
{
	verification->tenants++;
	verification->events += chain->number;
	verification->broken += chain_broken(chain);
	clear_progress(verification);
	if (verification->options.json)
		return tell_in_json(cx, chain);
	tell_in_words(verification, chain);
	return RC_OK;
}

static enum rc tell_summary(struct verification *verification, struct ctx *cx)
{
	const struct summary_line line = {.tenants = verification->tenants,
					  .events = verification->events,
					  .broken = verification->broken};

	clear_progress(verification);
	if (verification->options.json)
		return command_print_json(cx, &summary_line_shape, &line);
	printf("%s%s tenant%s, %s event%s: ", verification->options.heads ? "# " : "",
	       grouped(line.tenants).text, line.tenants == 1 ? "" : "s", grouped(line.events).text,
	       line.events == 1 ? "" : "s");
	if (line.broken == 0)
		printf("all intact\n");
	else
		printf("%s broken\n", grouped(line.broken).text);
	return RC_OK;
}

/* --- The walk ---------------------------------------------------------------------- */

static enum rc verify_one(struct verification *verification, struct ctx *cx, const struct uuid *tenant)
{
	const struct chain_note *notes;
	struct chain chain;
	size_t count = 0;
	enum rc rc;

	notes = audit_notes_from(&verification->notes, tenant, &count);
	if (notes == NULL || !uuid_equal(&notes->tenant_id, tenant))
		count = 0;
	chain_begin(&chain, tenant, notes, count);
	rc = verify_chain(cx, &chain, on_progress, verification);
	return rc == RC_OK ? tell_chain(verification, cx, &chain) : rc;
}

/* The next one that the store knows or that was noted: it may be gone as a whole. */
static enum rc next_tenant(struct verification *verification, struct ctx *cx, const struct uuid *from,
			   struct uuid *ret, bool *ret_found)
{
	const struct chain_note *note;
	size_t count;
	enum rc rc = verify_next_tenant(cx, from, ret, ret_found);

	if (rc != RC_OK)
		return rc;
	note = audit_notes_from(&verification->notes, from, &count);
	if (note != NULL && (!*ret_found || memcmp(note->tenant_id.b, ret->b, sizeof(ret->b)) < 0)) {
		*ret = note->tenant_id;
		*ret_found = true;
	}
	return RC_OK;
}

/* The id after that one; false after the last. */
static bool id_after(struct uuid *id)
{
	size_t i = sizeof(id->b);

	while (i > 0 && ++id->b[i - 1] == 0)
		i--;
	return i > 0;
}

static enum rc verify_each(const struct guest *guest, struct verification *verification)
{
	struct uuid from = UUID_NONE, tenant = UUID_NONE;
	bool found = true;
	enum rc rc = RC_OK;

	while (rc == RC_OK && found) {
		struct arena arena;
		struct ctx cx;

		task_arena(guest->task, &arena);
		task_begin(guest->task, &arena, &cx);
		cx.principal.role = ROLE_OPERATOR;
		rc = next_tenant(verification, &cx, &from, &tenant, &found);
		if (rc == RC_OK && found)
			rc = verify_one(verification, &cx, &tenant);
		arena_finish(&arena);
		from = tenant;
		if (!id_after(&from))
			break;
	}
	return rc;
}

static enum rc verify(const struct guest *guest, struct ctx *cx, void *arg)
{
	struct verification *verification = arg;
	enum rc rc;

	verification->tasks = task_tasks(guest->task);
	verification->began = verification->shown = tasks_clock(verification->tasks);
	rc = verification->options.one ? verify_one(verification, cx, &verification->options.tenant)
				       : verify_each(guest, verification);
	if (rc == RC_OK)
		rc = tell_summary(verification, cx);
	clear_progress(verification);
	if (rc != RC_OK)
		fprintf(stderr, "marca: the audit trail could not be read to its end\n");
	return rc;
}

/* --- The words ----------------------------------------------------------------------- */

static bool read_options(struct config *config, struct options *options, int argc, char **argv)
{
	const char *tenant = NULL;
	const struct command_option table[] = {
		{.name = "--json", .flag = &options->json},	{.name = "--heads", .flag = &options->heads},
		{.name = "--expect", .text = &options->expect}, {.name = "--tenant", .text = &tenant},
		{.name = "--data", .text = &config->data},
	};

	if (argc == 0 || strcmp(argv[0], "verify") != 0 || !COMMAND_OPTIONS(table, argc - 1, argv + 1))
		return false;
	options->one = tenant != NULL;
	return tenant == NULL || uuid_parse(str_from(tenant), &options->tenant);
}

int command_audit(const struct command *command, int argc, char **argv)
{
	struct verification verification = {.shows = isatty(STDERR_FILENO) == 1};
	struct config config;
	int status;

	if (!config_read(&config))
		return 1;
	if (!read_options(&config, &verification.options, argc, argv))
		return command_usage(command);
	if (!app_init(&verification.app, &config))
		return 1;
	if (verification.options.expect != NULL &&
	    !audit_notes_read(verification.options.expect, &verification.notes))
		return 2;
	status = guest_run(&verification.app, GUEST_ROOM(ROOM_audit), false, verify, &verification);
	if (status == 0 && verification.broken > 0)
		status = 1;
	audit_notes_finish(&verification.notes);
	return status;
}
