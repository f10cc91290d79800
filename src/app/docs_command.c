/* `marca docs`: tables of the documentation and of the gateway, made from marca's own, so that none can
 * drift. */
#include "app/app.h"
#include "app/commands.h"
#include "app/metrics.h"
#include "events/payloads.h"
#include "http/problem.h"

#include <stdio.h>

static void docs_configuration(void)
{
	printf("# Configuration\n\n"
	       "From the environment, and under it from the file that `MARCA_CONFIG_FILE` names: lines "
	       "`KEY=VALUE`, taken as they stand, and\n`#` comments. A process that runs reads file and "
	       "secrets again at SIGHUP, and takes over the settings marked "
	       "*live*\n([upgrading.md](upgrading.md#new-settings)). `make openapi` writes this page "
	       "from `src/base/config.def`.\n\n"
	       "A secret `X` may also come from a file, which `X_FILE` names and others may not read, or "
	       "from the\nsystemd credential `X`: see [security/secrets.md](security/secrets.md).\n\n"
	       "| variable | default | live | meaning |\n|---|---|:-:|---|\n");
	for (const struct config_info *row = config_table; row->variable != NULL; row++) {
		const char *live = config_is_live(row) ? "yes" : "";

		if (row->kind == CONFIG_IS_INT)
			printf("| `%s` | %d (%d to %d) | %s | %s |\n", row->variable, row->dflt_int, row->min,
			       row->max, live, row->doc);
		else if (row->kind == CONFIG_IS_SECRET)
			printf("| `%s`, `%s_FILE` | unset | %s | **Secret.** %s |\n", row->variable,
			       row->variable, live, row->doc);
		else
			printf("| `%s` | %s%s%s | %s | %s |\n", row->variable, row->dflt != NULL ? "`" : "",
			       row->dflt != NULL ? row->dflt : "unset", row->dflt != NULL ? "`" : "", live,
			       row->doc);
	}
}

/* .env.example: every setting, none of them set, and nowhere a value that somebody could keep for a secret.
 */
static void docs_environment(void)
{
	printf("# Settings of marca; `make openapi` writes this file from src/base/config.def.\n"
	       "# Copy it to .env (which git ignores), and take away the # where a default does not suit.\n"
	       "# A secret X is better off in a file: X_FILE=/path, readable by nobody else.\n");
	for (const struct config_info *row = config_table; row->variable != NULL; row++) {
		printf("\n# %s\n", row->doc);
		if (row->kind == CONFIG_IS_SECRET)
			printf("#%s=\n#%s_FILE=\n", row->variable, row->variable);
		else if (row->kind == CONFIG_IS_INT)
			printf("#%s=%d\n", row->variable, row->dflt_int);
		else
			printf("#%s=%s\n", row->variable, row->dflt != NULL ? row->dflt : "");
	}
}

static void docs_errors(void)
{
	printf("# Errors\n\n"
	       "`make openapi` writes this page from `src/base/errors.def`.\n\n"
	       "| status | `error` | pt-BR | en |\n|---|---|---|---|\n");
	for (int rc = RC_OK + 1; rc < RC_COUNT; rc++)
		printf("| %d | `%s` | %s | %s |\n", error_table[rc].status, error_table[rc].code,
		       error_table[rc].text[LANG_PT], error_table[rc].text[LANG_EN]);
}

static void docs_events(void)
{
	printf("# Types of events\n\n"
	       "`make openapi` writes this page from `src/events/payloads.h`; [events.md](events.md) tells "
	       "how to read them.\n\n"
	       "| event | stream | when | payload |\n|---|---|---|---|\n");
	for (const struct event_type *row = event_types; row->type != NULL; row++) {
		printf("| `%s` | `%s` | %s |", row->type, row->stream, row->when);
		for (size_t i = 0; i < row->payload->count; i++)
			printf("%s `%s`%s", i > 0 ? "," : "", row->payload->fields[i].name,
			       row->payload->fields[i].need == OPTIONAL ? " (or null)" : "");
		printf(" |\n");
	}
}

static void docs_metrics(void)
{
	printf("# Metrics\n\n"
	       "What `/metrics` shows, in Prometheus's text format. `make openapi` writes this page "
	       "from `src/app/metrics.def`;\n[insight.md](insight.md) tells how to read it. Counters "
	       "begin with the process. What does not apply to a process (stores that it\ndoes not "
	       "have, routes that nobody has asked for) is left out.\n\n"
	       "| metric | type | labels | meaning |\n|---|---|---|---|\n");
	for (int metric = 0; metric < METRIC_COUNT; metric++) {
		const struct metric_info *info = &metric_table[metric];

		printf("| `%s` | %s |", info->name, metric_type_names[info->type]);
		for (size_t i = 0; info->labels[i] != NULL; i++)
			printf("%s `%s`", i > 0 ? "," : "", info->labels[i]);
		printf(" | %s |\n", info->help);
	}
}

/* --- Who may call what ---------------------------------------------------------- */

/* The columns: a principal that has nothing but what its name says. */
static const struct {
	const char *name;
	struct principal who;
} callers[] = {
	{"anyone", {.role = ROLE_ANYONE}},
	{"user", {.role = ROLE_USER}},
	{"`can_book`", {.role = ROLE_USER, .rights = RIGHT_BOOK}},
	{"`can_manage_resources`", {.role = ROLE_USER, .rights = RIGHT_RESOURCES}},
	{"`can_manage_users`", {.role = ROLE_USER, .rights = RIGHT_USERS}},
	{"`can_view_all_bookings`", {.role = ROLE_USER, .rights = RIGHT_VIEW}},
	{"admin", {.role = ROLE_ADMIN, .rights = RIGHTS_ALL}},
	{"operator", {.role = ROLE_OPERATOR, .rights = RIGHTS_ALL}},
};

static const char *const method_names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

static void access_row(const struct route *route)
{
	printf("| `%s %s` |", method_names[route->method], route->path);
	for (size_t i = 0; i < ARRAY_LEN(callers); i++)
		printf(" %s |", access_check(route->access, &callers[i].who) == RC_OK ? "yes" : "");
	printf(" %s |\n", route->doc != NULL ? route->doc : "");
}

static void docs_access(void)
{
	printf("# Who may call what\n\n"
	       "`make openapi` writes this page from the routes tables. Which rows somebody reaches "
	       "(his own, his tenant's) is told\nin [permissions.md](permissions.md) and "
	       "[tenancy.md](tenancy.md). An admin and the operator hold every permission; an\nAPI key "
	       "holds its scopes, which are the permissions' words.\n\n"
	       "| route |");
	for (size_t i = 0; i < ARRAY_LEN(callers); i++)
		printf(" %s |", callers[i].name);
	printf(" notes |\n|---|");
	for (size_t i = 0; i < ARRAY_LEN(callers); i++)
		printf(":-:|");
	printf("---|\n");
	for (size_t i = 0; i < APP_SERVICES; i++)
		for (size_t j = 0; j < app_services[i]->route_count; j++)
			if (!app_services[i]->routes[j].hidden)
				access_row(&app_services[i]->routes[j]);
}

/* --- Queries that see several tenants ----------------------------------------------- */

static void docs_queries(void)
{
	printf("# Queries that see several tenants\n\n"
	       "Every other query on a tenant's table holds `tenant_id = $1` for each table that it "
	       "mentions (`tools/sqlgen_tenant.c`),\nand is refused where that is not the tenant of "
	       "whoever asks (`src/db/db.c`). `make openapi` writes this page from\nwhat the queries say of "
	       "themselves: one that is new in it is one to look at.\n\n"
	       "| room | query | only for the operator | why |\n|---|---|:-:|---|\n");
	for (size_t i = 0; i < ROOM_COUNT; i++) {
		for (size_t j = 0; j < app_queries[i]->count; j++) {
			const struct query *query = app_queries[i]->queries[j];

			if (query->why != NULL)
				printf("| %s | `%s` | %s | %s |\n", app_queries[i]->name, query->name,
				       query->operators ? "yes" : "", query->why);
		}
	}
}

/* --- The gateway ------------------------------------------------------------------------ */

/* What nginx refuses by itself, or must say when nobody else can. */
static const enum rc of_nginx[] = {
	RC_MALFORMED,	   RC_NO_ROUTE,	       RC_BAD_METHOD,	RC_SLOW_REQUEST,
	RC_BODY_TOO_LARGE, RC_URI_TOO_LONG,    RC_RATE_LIMITED, RC_HEAD_TOO_LARGE,
	RC_INTERNAL,	   RC_NOT_IMPLEMENTED, RC_SERVICE_DOWN, RC_BAD_VERSION,
};

/* Not what services ask one another: that goes past the gateway. */
static bool is_for_strangers(const struct route *route)
{
	return route->access != ACCESS_SERVICE;
}

static size_t largest_body(void)
{
	size_t largest = BODY_MAX_DEFAULT;

	for (size_t i = 0; i < APP_SERVICES; i++)
		for (size_t j = 0; j < app_services[i]->route_count; j++)
			if (is_for_strangers(&app_services[i]->routes[j]) &&
			    app_services[i]->routes[j].body_max > largest)
				largest = app_services[i]->routes[j].body_max;
	return largest;
}

/* "/users" of "/users/{id}". */
static struct str beginning(const struct route *route)
{
	return (struct str){route->path, 1 + strcspn(route->path + 1, "/")};
}

/* Of those before it, none begins so. */
static bool begins_anew(const struct service *service, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (str_equal(beginning(&service->routes[i]), beginning(&service->routes[index])))
			return false;
	return true;
}

/* As a regular expression of nothing but itself. */
static void print_literally(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		printf("%s%c", text.p[i] == '.' ? "\\" : "", text.p[i]);
}

static void map_services(void)
{
	printf("\n# Whose a path is, by its beginning. What is nobody's, any of them answers.\n"
	       "map $uri $service {\n    default any;\n");
	for (size_t i = 0; i < APP_SERVICES; i++) {
		const struct service *service = app_services[i];

		for (size_t j = 0; j < service->route_count; j++) {
			if (!is_for_strangers(&service->routes[j]) || !begins_anew(service, j))
				continue;
			printf("    \"~^");
			print_literally(beginning(&service->routes[j]));
			printf("(/|$)\" %s;\n", app_queries[service->room]->name);
		}
	}
	printf("}\n");
}

static void map_problems(void)
{
	static const char *const names[LANG_COUNT] = {[LANG_PT] = "pt-BR", [LANG_EN] = "en"};

	printf("\n# What nginx itself has to say: code, title and text of a status.\n"
	       "map $status $problem {\n");
	for (size_t i = 0; i < ARRAY_LEN(of_nginx); i++)
		printf("    %d %s;\n", error_table[of_nginx[i]].status, error_table[of_nginx[i]].code);
	for (int texts = 0; texts < 2; texts++) {
		printf("}\n\nmap \"$language $status\" $problem_%s {\n", texts ? "text" : "title");
		for (size_t i = 0; i < ARRAY_LEN(of_nginx) * LANG_COUNT; i++) {
			const struct error_info *error = &error_table[of_nginx[i / LANG_COUNT]];
			enum lang lang = (enum lang)(i % LANG_COUNT);

			printf("    \"%s %d\" \"%s\";\n", names[lang], error->status,
			       texts ? error->text[lang] : problem_title(error->status, lang));
		}
	}
	printf("}\n");
}

static void docs_gateway(void)
{
	/* Room for what was read with the body's last bytes, too: else the largest would go to a file. */
	printf("# What nginx must know of marca's tables; `make openapi` writes this file. It belongs into "
	       "http {}.\n\n"
	       "# The most that any route takes of a body, which is kept in memory.\n"
	       "client_max_body_size %zu;\nclient_body_buffer_size %zu;\n",
	       largest_body(), largest_body() + 16384);
	map_services();
	map_problems();
}

/* --- The command ------------------------------------------------------------------------ */

static const struct {
	const char *word;
	void (*print)(void);
} pages[] = {
	{"access", docs_access},	   {"configuration", docs_configuration},
	{"environment", docs_environment}, {"errors", docs_errors},
	{"events", docs_events},	   {"gateway", docs_gateway},
	{"metrics", docs_metrics},	   {"queries", docs_queries},
};

int command_docs(const struct command *command, int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_LEN(pages) && argc == 1; i++) {
		if (strcmp(argv[0], pages[i].word) == 0) {
			pages[i].print();
			return 0;
		}
	}
	return command_usage(command);
}
