/* What a room's SQL may not do. Each rule has its planted fault in sqlgen_test.c. */
#include "sqlgen.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static const char *skip_space(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

/* Past the next `word` of the text at or after p; NULL when there is none. */
static const char *find_word(const char *text, const char *p, const char *word)
{
	size_t len = strlen(word);

	for (; *p != '\0'; p++) {
		if (strncasecmp(p, word, len) == 0 && !in_word(p[len]) && (p == text || !in_word(p[-1])))
			return p + len;
	}
	return NULL;
}

static bool has_word(const char *text, const char *word)
{
	return find_word(text, text, word) != NULL;
}

static bool has_call(const char *text, const char *function)
{
	for (const char *p = text; (p = find_word(text, p, function)) != NULL;) {
		if (*skip_space(p) == '(')
			return true;
	}
	return false;
}

bool statement_writes(const struct statement *statement)
{
	static const char *const words[] = {"insert", "update", "delete", "for"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (has_word(statement->mask, words[i]))
			return true;
	}
	return false;
}

/* --- Every statement ----------------------------------------------------- */

/* Time and chance are inputs: a statement must give the same result wherever and whenever it runs. */
static void check_volatile(const struct statement *statement)
{
	static const char *const words[] = {
		"current_timestamp", "current_date", "current_time", "localtime", "localtimestamp",
	};
	static const char *const calls[] = {
		"now",
		"random",
		"randomblob",
		"gen_random_uuid",
		"clock_timestamp",
		"timeofday",
		"unixepoch",
		"statement_timestamp",
		"datetime",
		"julianday",
		"strftime",
		"transaction_timestamp",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (has_word(statement->mask, words[i]))
			fault(statement->at, "%s: times are inputs", words[i]);
	}
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (has_call(statement->mask, calls[i]))
			fault(statement->at, "%s(): times and chance are inputs", calls[i]);
	}
}

/* What behaves otherwise on another store, or fails a whole group instead of one script. */
static void check_unwelcome(const struct statement *statement)
{
	static const struct {
		const char *word, *why;
	} words[] = {
		{"deferrable", "it would fail the whole group's commit"},
		{"trigger", "not the same on every store"},
		{"merge", "not the same on every store"},
		{"pg_advisory_lock", "locks are rows"},
		{"pg_advisory_xact_lock", "locks are rows"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (has_word(statement->mask, words[i].word))
			fault(statement->at, "%s: %s", words[i].word, words[i].why);
	}
}

static bool ends_identifier(const char *text, const char *dot)
{
	return dot > text && (isalpha((unsigned char)dot[-1]) || dot[-1] == '_' || dot[-1] == '"');
}

static void check_star(const struct statement *statement)
{
	static const char *const words[] = {"select", "returning"};
	const char *text = statement->mask;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (const char *p = text; (p = find_word(text, p, words[i])) != NULL;) {
			if (*skip_space(p) == '*')
				fault(statement->at, "%s *: name the columns", words[i]);
		}
	}
	for (const char *p = text; (p = strstr(p, ".*")) != NULL; p += 2) {
		if (ends_identifier(text, p))
			fault(statement->at, ".*: name the columns");
	}
}

static void check_statement(const struct statement *statement)
{
	check_volatile(statement);
	check_unwelcome(statement);
	check_star(statement);
	for (int i = 0; i < DIALECT_COUNT; i++) {
		if ((statement->dialects & 1u << i) != 0 &&
		    statement_text(statement, (enum dialect)i) == NULL)
			return; /* told already; the other dialect's fault would be the same */
	}
}

/* --- Parameters ---------------------------------------------------------- */

/* Marks which inputs the statement uses. */
static void check_params(const struct query *query, const struct statement *statement, bool used[MEMBERS_MAX])
{
	for (const char *p = statement->mask; *p != '\0'; p++) {
		char *end;
		long n;

		if (*p == '?')
			fault(statement->at, "`%s`: parameters are $1, $2 ..., not `?`", query->name);
		if (*p != '$')
			continue;
		n = isdigit((unsigned char)p[1]) ? strtol(p + 1, &end, 10) : 0;
		if (n < 1 || n > (long)query->in.count)
			fault(statement->at, "`%s`: $%.*s has no input", query->name,
			      (int)strspn(p + 1, "0123456789"), p + 1);
		else
			used[n - 1] = true;
	}
}

static void check_inputs(const struct query *query)
{
	bool used[MEMBERS_MAX] = {false};

	for (int i = 0; i < DIALECT_COUNT; i++)
		check_params(query, &query->by_dialect[i], used);
	for (size_t i = 0; i < query->in.count; i++) {
		if (!used[i])
			fault(query->at, "`%s`: the input `%s` ($%zu) is never used", query->name,
			      query->in.items[i].path, i + 1);
	}
}

/* --- The tenant's wall --------------------------------------------------- */

static bool is_first_param(const char *p)
{
	p = skip_space(p);
	return strncmp(p, "$1", 2) == 0 && !isdigit((unsigned char)p[2]);
}

/* `tenant_id = $1` stands anywhere in it. */
static bool equates_tenant(const char *text)
{
	for (const char *p = text; (p = find_word(text, p, "tenant_id")) != NULL;) {
		const char *next = skip_space(p);

		if (*next == '=' && is_first_param(next + 1))
			return true;
	}
	return false;
}

/* The start of item `index` in a list that follows p, up to `)` or a word of the level; NULL when shorter. */
static const char *list_item(const char *p, size_t index)
{
	int depth = 0;

	for (; index > 0; p++) {
		if (*p == '\0' || (depth == 0 && *p == ')'))
			return NULL;
		depth += (*p == '(') - (*p == ')');
		index -= depth == 0 && *p == ',';
	}
	return p;
}

/* The place of the column tenant_id in the list after `INSERT INTO table (`; -1 when it is not there. */
static int tenant_column(const char *list)
{
	for (int i = 0;; i++) {
		const char *item = list_item(list, (size_t)i);

		if (item == NULL)
			return -1;
		item = skip_space(item);
		if (strncasecmp(item, "tenant_id", 9) == 0 && !in_word(item[9]))
			return i;
	}
}

/* Every row of `VALUES (...), (...)` gives $1 to that column. */
static bool values_give_tenant(const char *p, size_t column)
{
	const char *end;

	do {
		p = skip_space(p);
		if (*p != '(' || (end = list_item(p + 1, column)) == NULL || !is_first_param(end))
			return false;
		for (int depth = 0; *p != '\0'; p++) {
			depth += (*p == '(') - (*p == ')');
			if (depth == 0)
				break;
		}
		p = skip_space(*p != '\0' ? p + 1 : p);
	} while (*p++ == ',');
	return true;
}

/* $1, or the tenant of a row that is read: those are $1's, as sqlgen_tenant.c sees to. */
static bool gives_tenant(const char *p)
{
	const char *dot;

	p = skip_space(p);
	for (dot = p; in_word(*dot);)
		dot++;
	return is_first_param(p) || (dot > p && strncmp(dot, ".tenant_id", 10) == 0 && !in_word(dot[10]));
}

bool inserts_tenant(const char *text)
{
	const char *into = find_word(text, text, "into"), *list, *after;
	int column;

	if (into == NULL || (list = strchr(into, '(')) == NULL || (column = tenant_column(list + 1)) < 0)
		return false;
	after = strchr(list, ')');
	if (after == NULL)
		return false;
	after = skip_space(after + 1);
	if (strncasecmp(after, "values", 6) == 0)
		return values_give_tenant(after + 6, (size_t)column);
	if (strncasecmp(after, "select", 6) != 0)
		return false;
	after = list_item(after + 6, (size_t)column);
	return after != NULL && gives_tenant(after);
}

/* Of a tenant itself it is called id. */
static bool first_is_tenant(const struct query *query)
{
	const struct member *first = &query->in.items[0];

	if (query->in.count == 0 || first->kind != KIND_UUID || first->nullable)
		return false;
	for (size_t i = 1; i < query->in.count; i++)
		if (strcmp(query->in.items[i].path, "tenant_id") == 0)
			return false;
	return strcmp(first->path, "tenant_id") == 0 || strcmp(first->path, "id") == 0;
}

static void check_tenant(const struct query *query)
{
	if (!first_is_tenant(query)) {
		fault(query->at, "`%s`: the first input of a tenant's query is tenant_id:uuid", query->name);
		return;
	}
	for (int i = 0; i < DIALECT_COUNT; i++) {
		const struct statement *statement = &query->by_dialect[i];

		if (equates_tenant(statement->mask) || inserts_tenant(statement->mask))
			continue;
		fault(statement->at,
		      "`%s`: a tenant's query holds `tenant_id = $1` or inserts $1 as tenant_id",
		      query->name);
		return;
	}
}

/* --- The whole ----------------------------------------------------------- */

static void check_query(const struct room *room, const struct query *query)
{
	const struct statement *statements = query->by_dialect;

	if (query->scope == SCOPE_UNSET)
		fault(query->at, "`%s` has no -- :scope", query->name);
	if (query->rows == COUNT_NONE && query->out.count > 0)
		fault(query->at, "`%s` is :none and yet has :out", query->name);
	if (query->rows > COUNT_NONE && query->out.count == 0)
		fault(query->at, "`%s` gives rows and has no :out", query->name);
	for (int i = 0; i < DIALECT_COUNT; i++) {
		if (i == 0 || statements[i].sql != statements[0].sql)
			check_statement(&statements[i]);
		if (query->neighbours && statement_writes(&statements[i]))
			fault(query->at, "`%s` writes: neighbours may only read", query->name);
		if (query->replica && statement_writes(&statements[i]))
			fault(query->at, "`%s` writes: a replica can only be read", query->name);
	}
	check_inputs(query);
	if (query->scope == SCOPE_TENANT)
		check_tenant(query);
	check_wall(room, query);
	if (query->together)
		(void)together_text(query);
}

static void check_names(const struct room *room)
{
	for (size_t i = 0; i < room->query_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(room->queries[i]->name, room->queries[j]->name) == 0)
				fault(room->queries[i]->at, "`%s` is named twice; first on line %d",
				      room->queries[i]->name, room->queries[j]->at.line);
		}
	}
}

static void check_migrations(const struct room *room)
{
	for (size_t i = 0; i < room->migration_count; i++) {
		const struct migration *migration = room->migrations[i];

		if (migration->number != (int)i + 1)
			fault(migration->at, "migrations are numbered without gaps, in order: %04d is due",
			      (int)i + 1);
		if (migration->count == 0)
			fault(migration->at, "an empty migration");
		check_migration(migration);
		for (size_t j = 0; j < migration->count; j++) {
			check_statement(migration->statements[j]);
			check_keys(room, migration->statements[j]);
			if (strchr(migration->statements[j]->mask, '$') != NULL)
				fault(migration->statements[j]->at, "a migration has no parameters");
		}
	}
}

void check_room(const struct room *room)
{
	check_names(room);
	for (size_t i = 0; i < room->query_count; i++)
		check_query(room, room->queries[i]);
	check_migrations(room);
}
