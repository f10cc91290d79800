/*
 * marca admin create -- the first of a tenant's staff, where he did not come with the tenant; or another,
 * when all have gone. The password is never a word of the command: other users of the machine see those.
 * Works beside a running marca.
 */
#include "app/app.h"
#include "app/commands.h"
#include "app/guest.h"
#include "base/fold.h"
#include "tenant/queries.h"
#include "user/password.h"
#include "user/queries.h"
#include "user/user.h"

#include <sodium.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#define PASSWORD_BYTES 1024

struct run {
	struct app app;
	const char *tenant; /* its id, or its domain */
	struct new_admin admin;
	char password[PASSWORD_BYTES];
	struct password_pool *passwords;
};

/* --- The password ------------------------------------------------------------------ */

/* One line, without its end. False: there was none, or it is longer than any password. */
static bool read_line(char ret[PASSWORD_BYTES])
{
	size_t len;

	if (fgets(ret, PASSWORD_BYTES, stdin) == NULL)
		return false;
	len = strcspn(ret, "\r\n");
	if (ret[len] == '\0' && len == PASSWORD_BYTES - 1)
		return false;
	ret[len] = '\0';
	return true;
}

/* Without echo. */
static bool ask(const char *question, char ret[PASSWORD_BYTES])
{
	struct termios as_it_was, quiet;
	bool good;

	if (tcgetattr(STDIN_FILENO, &as_it_was) != 0)
		return false;
	quiet = as_it_was;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	fprintf(stderr, "%s: ", question);
	good = read_line(ret);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &as_it_was);
	fprintf(stderr, "\n");
	return good;
}

static bool ask_twice(char ret[PASSWORD_BYTES])
{
	char again[PASSWORD_BYTES] = "";
	bool good = ask("Password", ret) && ask("The same again", again);

	if (good && strcmp(ret, again) != 0) {
		fprintf(stderr, "marca: these were two different ones\n");
		good = false;
	}
	sodium_memzero(again, sizeof(again));
	return good;
}

/* clang-format off */
#define ADMIN(F, T)                                                                                        \
	F(T, TEXT, name,     REQUIRED, "", .min = 1, .max = 200)                                            \
	F(T, TEXT, email,    REQUIRED, "", .max = 254, .format = &format_email)                             \
	F(T, TEXT, password, REQUIRED, "", NEW_PASSWORD)
SHAPE_DECLARE(admin, ADMIN);
SHAPE_DEFINE(admin, ADMIN);
/* clang-format on */

/* What the API asks of a new user, in the API's words. */
static bool check(struct run *run)
{
	const char *const values[] = {run->admin.name, run->admin.email, run->admin.password};
	struct issues issues = {0};
	struct arena arena;
	const char *kept;

	arena_init(&arena, NULL);
	arena.wipe = true;
	issues.arena = &arena;
	for (size_t i = 0; i < admin_shape.count; i++) {
		struct loc here = {.name = admin_shape.fields[i].name};

		field_parse_text(&admin_shape.fields[i], str_from(values[i]), &here, &issues, &kept);
	}
	if (issues.count == 0 && password_is_personal(&arena, values[2], values[0], values[1]))
		issue_add(&issues, &(struct loc){.name = "password"}, ISSUE_PERSONAL_PASSWORD, NULL);
	for (const struct issue *issue = issues.first; issue != NULL; issue = issue->next) {
		const char *text = issue_table[issue->kind].text[LANG_EN], *hole = strstr(text, "{0}");

		fprintf(stderr, "marca: %s: %.*s%s%s\n", issue->loc->name,
			(int)(hole != NULL ? hole - text : (ptrdiff_t)strlen(text)), text,
			hole != NULL ? issue->arg : "", hole != NULL ? hole + 3 : "");
	}
	arena_finish(&arena);
	return issues_rc(&issues) == RC_OK;
}

/* --- create -------------------------------------------------------------------------- */

static enum rc find_tenant(const struct run *run, struct ctx *cx, struct uuid *ret_id, const char **ret_name)
{
	struct q_tenant_of_domain_in of_domain = {.domain = fold_ascii(cx->arena, run->tenant)};
	struct q_tenant_of_domain_out *found;
	struct q_tenant_name_by_id_in by_id;
	struct q_tenant_name_by_id_out *tenant;
	enum rc rc = of_domain.domain != NULL ? RC_OK : RC_NO_MEMORY;

	if (rc == RC_OK && !uuid_parse(str_from(run->tenant), &by_id.id)) {
		rc = q_tenant_of_domain(cx, &of_domain, &found);
		if (rc == RC_OK && found == NULL)
			rc = RC_TENANT_UNKNOWN;
		if (rc == RC_OK)
			by_id.id = found->id;
	}
	if (rc == RC_OK)
		rc = q_tenant_name_by_id(cx, &by_id, &tenant);
	if (rc != RC_OK)
		return rc;
	if (tenant == NULL)
		return RC_TENANT_UNKNOWN;
	*ret_id = by_id.id;
	*ret_name = tenant->name;
	return RC_OK;
}

static enum rc create(const struct guest *guest, struct ctx *cx, void *arg)
{
	const struct run *run = arg;
	char text[UUID_TEXT_LEN + 1];
	struct uuid tenant_id, id;
	const char *tenant, *hash;
	enum rc rc = find_tenant(run, cx, &tenant_id, &tenant);

	(void)guest;
	cx->arena->wipe = true;
	if (rc == RC_OK)
		rc = password_hash(run->passwords, cx->arena, run->admin.password, &hash);
	if (rc == RC_OK)
		rc = user_store_admin(cx, &tenant_id, &run->admin, hash, &id);
	if (rc == RC_OK)
		printf("%s is an admin of %s: user %s\n", run->admin.name, tenant, uuid_text(text, &id));
	return rc;
}

/* --- The command --------------------------------------------------------------------- */

static int execute(struct run *run)
{
	int status = 1;

	run->passwords = password_pool_create(1);
	if (run->passwords != NULL)
		status = guest_run(&run->app, GUEST_ROOM(ROOM_tenant) | GUEST_ROOM(ROOM_user), false, create,
				   run);
	password_pool_destroy(run->passwords);
	return status;
}

static bool read_options(struct run *run, struct config *config, int argc, char **argv)
{
	const struct command_option table[] = {
		{.name = "--tenant", .text = &run->tenant},
		{.name = "--email", .text = &run->admin.email},
		{.name = "--name", .text = &run->admin.name},
		{.name = "--data", .text = &config->data},
	};

	return argc > 0 && strcmp(argv[0], "create") == 0 && COMMAND_OPTIONS(table, argc - 1, argv + 1) &&
	       run->tenant != NULL && run->admin.email != NULL && run->admin.name != NULL;
}

int command_admin(const struct command *command, int argc, char **argv)
{
	struct run run = {0};
	struct config config;
	int status = 1;
	bool good;

	if (!config_read(&config))
		return 1;
	if (!read_options(&run, &config, argc, argv))
		return command_usage(command);
	if (!app_init(&run.app, &config))
		return 1;
	good = isatty(STDIN_FILENO) == 1 ? ask_twice(run.password) : read_line(run.password);
	run.admin.password = run.password;
	if (!good)
		fprintf(stderr,
			"marca: no password came; type it, or give it as one line on standard input\n");
	else if (check(&run))
		status = execute(&run);
	sodium_memzero(run.password, sizeof(run.password));
	return status;
}
