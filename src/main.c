/* marca: argv to a row of the table of commands. */
#include "app/commands.h"

#include <stdio.h>
#include <string.h>

/* One line here is one line of what --help tells. */
/* clang-format off */
static const struct command commands[] = {
	{
		.name = "serve",
		.usage = "[--service NAME,...] [--listen ADDR] [--data DIR]",
		.summary = "Answer requests until told to stop.",
		.details =
			"  --listen ADDR   address and port, 127.0.0.1:8000 by default; port 0 takes a free one\n"
			"  --data DIR      where the embedded store keeps its files, ./data by default\n"
			"  --service NAME  only that service, or those: tenant, user, resource, booking, audit.\n"
			"                  The others run in processes of their own, found by USER_SERVICE_URL ...;\n"
			"                  it needs REDIS_URL and SERVICE_KEY: docs/fleet.md\n"
			"\n"
			"Brings the stores' schemas up to date, then prints where it listens. SIGTERM and Ctrl-C\n"
			"finish the requests in hand and stop it; a second one ends it at once. SIGHUP reads the\n"
			"settings of MARCA_CONFIG_FILE again. Takes a listening socket from systemd (LISTEN_FDS):\n"
			"docs/upgrading.md.\n"
			"\n"
			"Examples:\n"
			"  marca serve\n"
			"  MARCA_CLOCK=2025-12-01T12:00:00Z marca serve --listen 127.0.0.1:0\n"
			"  DATABASE_URL=postgresql://marca@localhost/marca marca serve\n"
			"  marca serve --service tenant,audit --listen 127.0.0.1:8001\n",
		.run = command_serve,
	},
	{
		.name = "migrate",
		.usage = "all|NAME [--status | --to N | --citus]",
		.summary = "Bring the stores' schemas up to date.",
		.details =
			"  all         the stores of every service that this process runs (MARCA_SERVICE), and of the embedded bus\n"
			"  NAME        only that of tenant, user, resource, booking or audit\n"
			"  --status    only tell how far each schema is\n"
			"  --to N      no further than migration N\n"
			"  --citus     then spread the tables of tenants over the nodes of a Citus cluster\n"
			"\n"
			"Each migration is done whole or not at all, by one process, beside a running marca. A schema\n"
			"newer than this marca is fine unless it holds what no marca so old may run beside:\n"
			"docs/upgrading.md.\n",
		.run = command_migrate,
	},
	{
		.name = "check",
		.usage = "[--only NAME] [--json] [--data DIR]",
		.summary = "See whether all that is stored is as it must be.",
		.details =
			"  --only NAME  one of the checks: pages, schema, waiting, bookings, events, overlaps,\n"
			"               resources, users, sessions, sealed or audit\n"
			"  --json       one JSON object a line: each fault, each check, then the sum\n"
			"  --data DIR   where embedded stores keep their files, ./data by default\n"
			"\n"
			"Looks at the pages and indexes of each store, at its schema (is it what the migrations\n"
			"make?), and tenant by tenant at what must be so of the rows: docs/upgrading.md lists\n"
			"it. What needs the stores of several services is checked where all of these are\n"
			"configured: give it every *_DATABASE_URL.\n"
			"\n"
			"Reads only, page by page, and works beside a running marca.\n"
			"Exit status: 0 all is well, 1 not so, 2 wrong usage.\n"
			"\n"
			"Examples:\n"
			"  marca check\n"
			"  marca check --json | jq 'select(.fault)'\n",
		.run = command_check,
	},
	{
		.name = "events",
		.usage = "COMMAND [OPTIONS]",
		.summary = "Look at the streams of events, and mend them.",
		.details =
			"  tail [--stream NAME] [--last N | --from N] [--follow] [--json]\n"
			"      show events as they lie in their streams: the last 10 of each, or the last N, or\n"
			"      those from place N on; with --follow also those to come, until Ctrl-C\n"
			"  groups [--json]\n"
			"      show how far each group of consumers is\n"
			"  pending [--group NAME] [--json]\n"
			"      show what was given to a consumer and not acknowledged\n"
			"  dead [--json]\n"
			"      show the events that a group could not handle, and why\n"
			"  replay NUMBER|all\n"
			"      give a dead letter, or all, back to its group\n"
			"  replay --group NAME --stream NAME --from N\n"
			"      give a group everything from place N on again; effects that it had stay single\n"
			"  drop NUMBER|all\n"
			"      forget a dead letter, or all\n"
			"\n"
			"  --stream    booking-events, deletion-events or tenant-events\n"
			"  --json      one JSON object a line\n"
			"\n"
			"Works beside a running marca. With REDIS_URL it looks there, else under MARCA_DATA.\n"
			"\n"
			"Examples:\n"
			"  marca events tail --follow\n"
			"  marca events dead --json | head\n"
			"  marca events replay all\n",
		.run = command_events,
	},
	{
		.name = "audit",
		.usage = "verify [OPTIONS]",
		.summary = "Check that nobody has changed the audit trail.",
		.details =
			"  --tenant ID    only that tenant's trail\n"
			"  --heads        print each trail's last number and hash, to be kept elsewhere\n"
			"  --expect FILE  what --heads printed once must still be so\n"
			"  --json         one JSON object a line: each trail, then the sum\n"
			"  --data DIR     where the embedded store keeps its files, ./data by default\n"
			"\n"
			"Any event that was changed, taken out, put in or moved is found, and told by\n"
			"the first row that is not right. But whoever can write the store can cut off\n"
			"a trail's end together with its head, or make all hashes anew. That is seen\n"
			"only by comparing with heads that were noted before, where he cannot write.\n"
			"\n"
			"Works beside a running marca. Exit status: 0 intact, 1 not so, 2 wrong usage.\n"
			"\n"
			"Examples:\n"
			"  marca audit verify\n"
			"  marca audit verify --heads > heads.txt\n"
			"  marca audit verify --expect heads.txt\n",
		.run = command_audit,
	},
	{
		.name = "admin",
		.usage = "create [OPTIONS]",
		.summary = "Make an admin of a tenant: the first, or one more.",
		.details =
			"  --tenant ID|DOMAIN   of which tenant\n"
			"  --email ADDRESS      what he logs in by\n"
			"  --name NAME          his full name\n"
			"  --data DIR           where the embedded store keeps its files, ./data by default\n"
			"\n"
			"Asks for the password, twice and without showing it; or takes it as one line of standard\n"
			"input. It is never a word of the command, since others on the machine see those.\n"
			"\n"
			"Works beside a running marca. A tenant's first admin can also come with it: `admin` in\n"
			"POST /tenants/.\n"
			"\n"
			"Examples:\n"
			"  marca admin create --tenant academia-fit.com --email ana@academia-fit.com --name 'Ana Souza'\n"
			"  pass show ana | marca admin create --tenant academia-fit.com --email ana@academia-fit.com --name 'Ana Souza'\n",
		.run = command_admin,
	},
	{
		.name = "keys",
		.usage = "list|rotate|remove KID",
		.summary = "The keys that sign tokens and seal secrets.",
		.details =
			"  list [--json]\n"
			"      show the keys, newest first: the newest of each kind signs or seals, the others\n"
			"      still verify or open\n"
			"  rotate [--seal]\n"
			"      make a new key that signs tokens; with --seal, one that seals secrets\n"
			"  remove KID [--force]\n"
			"      forget a key: every token that it signed is refused from then on. The last one of\n"
			"      a kind stays. One that seals goes with --force only: what it has sealed can never\n"
			"      be opened again\n"
			"\n"
			"  --data DIR   the keys are in keys/ there, ./data by default; MARCA_KEYS names another\n"
			"               folder\n"
			"\n"
			"Running servers notice at their next token: a new key is published at\n"
			"/.well-known/jwks.json and signs from then on, without a restart. To change keys without\n"
			"anybody noticing: rotate, wait until the tokens of the old key have expired\n"
			"(ACCESS_TOKEN_MINUTES, or a day for what `marca token` printed), then remove it. When a\n"
			"key was stolen: rotate, and remove it at once; people renew their tokens by themselves.\n"
			"\n"
			"Examples:\n"
			"  marca keys list\n"
			"  marca keys rotate\n"
			"  MARCA_KEYS=/etc/marca/keys marca keys rotate\n",
		.run = command_keys,
	},
	{
		.name = "token",
		.usage = "[--minutes N] [--data DIR]",
		.summary = "Print a token of the operator, for scripts.",
		.details =
			"  --minutes N   how long it is good: 60 by default, a day (1440) at most\n"
			"  --data DIR    the keys are in keys/ there, ./data by default; MARCA_KEYS names another\n"
			"                folder\n"
			"\n"
			"Whoever holds it may do everything, in every tenant. It stands for no session, so nothing\n"
			"revokes it but its end or `marca keys remove`: therefore a day at most. Make a new one\n"
			"for each run of a script. It needs the server's keys and the same PUBLIC_URL: run it as\n"
			"the server's user, with the server's environment.\n"
			"\n"
			"Examples:\n"
			"  curl -H \"Authorization: Bearer $(marca token)\" http://127.0.0.1:8000/tenants/\n"
			"  marca token --minutes 5\n",
		.run = command_token,
	},
	{
		.name = "tenant",
		.usage = "export|erase ID [OPTIONS]",
		.summary = "All that is kept of one tenant: out, or away for good.",
		.details =
			"  export       prints it, one JSON object a line: {service, table, row}; without\n"
			"               what proves who someone is, such as hashes of passwords\n"
			"  erase --yes  takes it out of every store, stream and the audit trail, of a\n"
			"               tenant that was deleted (DELETE /tenants/{id}) before\n"
			"  --data DIR   where embedded stores keep their files, ./data by default\n"
			"\n"
			"Works beside a running marca. Backups, and the files' free pages until they\n"
			"are used again, are the operator's: docs/security/privacy.md.\n"
			"Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n"
			"\n"
			"Examples:\n"
			"  marca tenant export 0193a3f2-7c00-7000-8000-000000000001 > tenant.jsonl\n"
			"  marca tenant erase 0193a3f2-7c00-7000-8000-000000000001 --yes\n",
		.run = command_tenant,
	},
	{
		.name = "backup",
		.usage = "DEST|--verify SRC [OPTIONS]",
		.summary = "Save all stores and the keys to a folder, while marca serves.",
		.details =
			"  DEST             a folder that is new or empty; there only once it is whole\n"
			"  --without-keys   leave the keys out, to keep them elsewhere\n"
			"  --verify SRC     restore the backup SRC to a temporary folder (in TMPDIR, or\n"
			"                   /var/tmp), check all of it there, and take that away\n"
			"  --data DIR       where embedded stores keep their files, ./data by default\n"
			"\n"
			"Each store is saved as it was at one instant, all within the same moment: an\n"
			"embedded one page by page, one in PostgreSQL as a stream of its rows.\n"
			"manifest.json says what there is, with checksums. Not in it: the settings, and\n"
			"what waits in a Redis (docs/backup.md).\n"
			"\n"
			"The folder holds hashes of passwords, and the keys. It is for its owner alone\n"
			"(mode 0700); encrypt it before it goes elsewhere.\n"
			"\n"
			"Works beside a running marca.\n"
			"Exit status: 0 done, 1 it failed and left nothing, 2 wrong usage.\n"
			"\n"
			"Examples:\n"
			"  marca backup /var/backups/marca-$(date +%F)\n"
			"  marca backup --verify /var/backups/marca-2025-12-01\n",
		.run = command_backup,
	},
	{
		.name = "restore",
		.usage = "SRC [--force] [--data DIR]",
		.summary = "Put back what `marca backup` saved.",
		.details =
			"  SRC          the folder\n"
			"  --force      also over stores that are not empty: what they hold is lost\n"
			"  --data DIR   where embedded stores keep their files, ./data by default\n"
			"\n"
			"To wherever the configuration has its stores: SQLite or PostgreSQL, one\n"
			"database or four, whatever they were when the backup was made. All checksums\n"
			"are looked at, and every store is made whole beside its place, before any is\n"
			"put there. A store that is not empty is refused. Keys that are there stay.\n"
			"\n"
			"No marca may serve the stores meanwhile. Events go on where they were: what a\n"
			"group had not handled it is given again, and what it had has no second effect.\n"
			"For a Redis that has seen what came after the backup: docs/backup.md.\n"
			"Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n"
			"\n"
			"Examples:\n"
			"  marca restore /var/backups/marca-2025-12-01\n"
			"  DATABASE_URL=postgresql://marca@db/marca marca restore marca-2025-12-01\n",
		.run = command_restore,
	},
	{
		.name = "export",
		.usage = "[--out FILE|-] [--data DIR]",
		.summary = "All rows of all stores, as one stream for `marca import`.",
		.details =
			"  --out FILE   to a file, which is there only once it is whole; - is standard\n"
			"               output, the default\n"
			"  --data DIR   where embedded stores keep their files, ./data by default\n"
			"\n"
			"JSON Lines: what it is, a line a row, and at the end counts and a checksum, so\n"
			"that a stream that was cut or changed is not taken. Each store is as it was at\n"
			"one instant; the same rows give the same bytes, from SQLite and PostgreSQL.\n"
			"It holds everything, also hashes of passwords and sealed secrets (`marca tenant\n"
			"export` leaves them out). The keys and the settings are to be moved besides.\n"
			"\n"
			"Works beside a running marca. What happens after it began is not in the\n"
			"stream: to move for good, stop marca first.\n"
			"\n"
			"Examples:\n"
			"  marca export --out marca.jsonl\n"
			"  marca export | gzip > marca.jsonl.gz\n",
		.run = command_export,
	},
	{
		.name = "import",
		.usage = "FILE|- [OPTIONS]",
		.summary = "Fill empty stores with what `marca export` wrote.",
		.details =
			"  FILE         a stream; - is standard input, kept in TMPDIR (or /var/tmp) first\n"
			"  --dry-run    check the stream and look at the stores, and change nothing\n"
			"  --data DIR   where embedded stores keep their files, ./data by default\n"
			"\n"
			"From SQLite to PostgreSQL and back, from one database to four: DATABASE_URL\n"
			"and its like say where to. All of the stream is checked before anything is\n"
			"touched; schemas are brought up to date; then each store is filled in one\n"
			"transaction, and these are committed one after another at the end. A store\n"
			"that is not empty is refused, unless it holds just these rows: so an import\n"
			"that was broken off between two commits can be run again.\n"
			"\n"
			"No marca may serve the stores meanwhile. The keys (MARCA_KEYS) and the settings\n"
			"are to be moved besides. Events go on where they were: docs/backup.md.\n"
			"Exit status: 0 done, 1 refused or failed, 2 wrong usage.\n"
			"\n"
			"Examples:\n"
			"  marca import marca.jsonl --dry-run\n"
			"  DATABASE_URL=postgresql://marca@db/marca marca import marca.jsonl\n"
			"  gunzip -c marca.jsonl.gz | marca import -\n",
		.run = command_import,
	},
	{
		.name = "health",
		.usage = "[--ready]",
		.summary = "Ask the marca that runs here whether it is well.",
		.details =
			"  --ready   whether it can do its work, too: /ready instead of /health\n"
			"\n"
			"Asks at MARCA_LISTEN and prints the answer: for the health checks of containers.\n"
			"Exit status: 0 it is well; 1 it is not, or nobody answers; 2 wrong usage.\n",
		.run = command_health,
	},
	{
		.name = "openapi",
		.usage = "[NAME]",
		.summary = "Print the OpenAPI document of all services, or of one.",
		.details = "",
		.run = command_openapi,
	},
	{
		.name = "docs",
		.usage = "access|configuration|environment|errors|events|gateway|metrics|queries",
		.summary = "Print a table of the documentation, in Markdown; or what nginx must know.",
		.details = "",
		.run = command_docs,
	},
	{
		.name = "version",
		.usage = "",
		.summary = "Print the version.",
		.details = "",
		.run = command_version,
	},
};
/* clang-format on */

static int help(FILE *out)
{
	fprintf(out,
		"marca %s - scheduling for any business, behind one API\n\n"
		"Usage: marca COMMAND [OPTIONS]\n\n"
		"Commands:\n",
		MARCA_VERSION);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-8s %-30s %s\n", commands[i].name, commands[i].usage, commands[i].summary);
	fprintf(out, "\n"
		     "Settings come from the environment: `marca docs configuration` lists them.\n"
		     "Exit status: 0 done; 1 it failed, and standard error says why; 2 wrong usage.\n\n"
		     "First steps:\n"
		     "  marca serve            then open http://127.0.0.1:8000/\n");
	return out == stdout ? 0 : 2;
}

static bool asks_for_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* `marca migrate --help`, and `marca audit verify --help`. */
static bool wants_help(int argc, char **argv)
{
	return (argc == 3 || (argc == 4 && argv[2][0] != '-')) && asks_for_help(argv[argc - 1]);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	if (name == NULL)
		return help(stderr);
	if (asks_for_help(name))
		return help(stdout);
	if (strcmp(name, "--version") == 0)
		name = "version";
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct command *command = &commands[i];

		if (strcmp(command->name, name) != 0)
			continue;
		if (wants_help(argc, argv)) {
			printf("Usage: marca %s %s\n\n%s\n", command->name, command->usage, command->summary);
			printf("%s%s", command->details[0] != '\0' ? "\n" : "", command->details);
			return 0;
		}
		return command->run(command, argc - 2, argv + 2);
	}
	fprintf(stderr, "marca: there is no command '%s'; `marca help` lists them\n", name);
	return 2;
}
