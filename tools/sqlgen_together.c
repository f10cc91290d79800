/*
 * `-- :together`: the same INSERT, or SELECT, for many inputs at once, as one statement, which PostgreSQL
 * runs at half the price of as many. It is made from the one that was written, so that the two cannot drift
 * apart and what was checked of that one (the wall between tenants above all) holds for it too:
 *
 *     INSERT INTO t (a, b) VALUES ($1, $2)          INSERT ... SELECT given.p1, given.p2 FROM given
 *     INSERT INTO t (a, b) SELECT x.a, $2           INSERT ... SELECT x.a, given.p2
 *       FROM x WHERE x.tenant_id = $1                 FROM given CROSS JOIN x WHERE x.tenant_id = given.p1
 *     RETURNING version                             RETURNING tenant_id, id, version
 *
 * where `given` is unnest($1::uuid[], ...) AS given(p1, ...). By the columns put before its own, a row finds
 * the input that it is of.
 */
#include "sqlgen.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_MAX 8192

static const char *const array_types[KIND_COUNT] = {
	[KIND_UUID] = "uuid", [KIND_TIME] = "bigint", [KIND_INT] = "bigint", [KIND_BOOL] = "boolean",
	[KIND_TEXT] = "text", [KIND_JSON] = "jsonb",  [KIND_ENUM] = "text",
};

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Does `word` begin here, and no longer one? */
static bool starts(const char *text, const char *p, const char *word)
{
	size_t len = strlen(word);

	return strncasecmp(p, word, len) == 0 && !in_word(p[len]) && (p == text || !in_word(p[-1]));
}

/* Past the next `word`; NULL when there is none. */
static const char *next_of(const char *text, const char *word)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (starts(text, p, word))
			return p + strlen(word);
	}
	return NULL;
}

/* The same outside brackets. */
static const char *outer_word(const char *text, const char *word)
{
	int depth = 0;

	for (const char *p = text; *p != '\0'; p++) {
		depth += (*p == '(') - (*p == ')');
		if (depth == 0 && starts(text, p, word))
			return p + strlen(word);
	}
	return NULL;
}

static const char *skip_space(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

/* The bracket that closes this one; NULL when none does. */
static const char *closing(const char *open)
{
	int depth = 0;

	for (const char *p = open; *p != '\0'; p++) {
		depth += (*p == '(') - (*p == ')');
		if (depth == 0)
			return p;
	}
	return NULL;
}

/* "unnest($1::uuid[], $2::text[]) AS given(p1, p2)" */
static void put_given(FILE *out, const struct query *query)
{
	for (size_t i = 0; i < query->in.count; i++)
		fprintf(out, "%s$%zu::%s[]", i == 0 ? "unnest(" : ", ", i + 1,
			array_types[query->in.items[i].kind]);
	for (size_t i = 0; i < query->in.count; i++)
		fprintf(out, "%sp%zu", i == 0 ? ") AS given(" : ", ", i + 1);
	fputc(')', out);
}

/* Part of the statement, with `given.p2` for each `$2` outside quotes. */
static void put_part(FILE *out, const struct statement *statement, const char *from, const char *to)
{
	for (const char *p = from; p < to; p++) {
		if (*p == '$')
			fputs("given.p", out);
		else
			fputc(statement->sql[p - statement->mask], out);
	}
}

static bool has_param(const char *text)
{
	return text != NULL && strchr(text, '$') != NULL;
}

static const struct member *find_input(const struct query *query, const char *name)
{
	for (size_t i = 0; name != NULL && i < query->in.count; i++) {
		if (strcmp(query->in.items[i].path, name) == 0)
			return &query->in.items[i];
	}
	return NULL;
}

static bool is_select(const struct query *query)
{
	const char *mask = query->by_dialect[DIALECT_POSTGRES].mask;

	return starts(mask, mask, "select");
}

/* Does it say of its rows what would be said of all inputs' together? */
static bool is_of_all(const char *mask)
{
	static const char *const words[] = {"order",  "limit",	  "offset", "fetch",  "group",
					    "having", "distinct", "union",  "except", "intersect"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (outer_word(mask, words[i]) != NULL)
			return true;
	}
	return false;
}

static const char *why_not(const struct query *query, const char *values, const char *from)
{
	const struct statement *statement = &query->by_dialect[DIALECT_POSTGRES];
	const struct member *by = find_input(query, query->together_by);
	const char *close = values != NULL ? closing(skip_space(values)) : NULL;

	if (query->scope != SCOPE_TENANT ||
	    !(starts(statement->mask, statement->mask, "insert") || is_select(query)) ||
	    (values == NULL && from == NULL))
		return "only of a tenant's INSERT or SELECT";
	if (is_of_all(statement->mask))
		return "no ORDER, LIMIT or GROUP, and the like: it would be that of all";
	if (values != NULL && (close == NULL || *skip_space(close + 1) == ','))
		return "only of one row";
	if (strchr(statement->mask, ':') != NULL)
		return "no :type may stand in it";
	if (has_param(outer_word(statement->mask, "conflict")) ||
	    has_param(outer_word(statement->mask, "returning")))
		return "no input may stand behind ON CONFLICT or RETURNING: say excluded.x";
	if (query->rows == COUNT_MANY)
		return "not of one that gives many rows";
	if ((query->rows == COUNT_NONE) != (query->together_by == NULL))
		return "say `:together by NAME` where there are rows, and only there";
	if (query->together_by != NULL && (by == NULL || by->kind != KIND_UUID || by->nullable))
		return "what rows are told apart by is an input, a uuid and never null";
	return NULL;
}

/* `VALUES (...)` becomes `SELECT ... FROM given`. What of the statement is left to be put. */
static const char *put_values(FILE *out, const struct query *query, const char *values)
{
	const struct statement *statement = &query->by_dialect[DIALECT_POSTGRES];
	const char *open = skip_space(values), *close = closing(open);

	put_part(out, statement, statement->mask, values - strlen("values"));
	fputs("SELECT ", out);
	put_part(out, statement, open + 1, close);
	fputs(" FROM ", out);
	put_given(out, query);
	return close + 1;
}

/* The place of the input by which rows are told apart, from 1. */
static size_t by_place(const struct query *query)
{
	return (size_t)(find_input(query, query->together_by) - query->in.items) + 1;
}

static const char *put_select(FILE *out, const struct query *query, const char *from)
{
	const struct statement *statement = &query->by_dialect[DIALECT_POSTGRES];
	const char *start = statement->mask;

	if (is_select(query)) {
		fprintf(out, "SELECT given.p1, given.p%zu,", by_place(query));
		start += strlen("select");
	}
	put_part(out, statement, start, from);
	fputc(' ', out);
	put_given(out, query);
	fputs(" CROSS JOIN", out);
	return from;
}

bool together_looks_at_own(const struct query *query)
{
	static const char *const words[] = {"from", "join"};
	const char *mask = query->by_dialect[DIALECT_POSTGRES].mask;
	const char *into = next_of(mask, "into"), *table;
	size_t len = 0;

	if (into == NULL)
		return true;
	table = skip_space(into);
	while (in_word(table[len]))
		len++;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		for (const char *p = mask; (p = next_of(p, words[i])) != NULL;) {
			const char *name = skip_space(p);

			if (strncasecmp(name, table, len) == 0 && !in_word(name[len]))
				return true;
		}
	}
	return false;
}

const char *together_text(const struct query *query)
{
	const struct statement *statement = &query->by_dialect[DIALECT_POSTGRES];
	const char *values = outer_word(statement->mask, "values"),
		   *from = outer_word(statement->mask, "from"),
		   *returning = outer_word(statement->mask, "returning");
	const char *why = why_not(query, values, from), *rest;
	char text[TEXT_MAX];
	FILE *out;

	if (why != NULL) {
		fault(query->at, "`%s`: :together: %s", query->name, why);
		return NULL;
	}
	out = fmemopen(text, sizeof(text), "w");
	if (out == NULL)
		abort();
	rest = values != NULL ? put_values(out, query, values) : put_select(out, query, from);
	if (returning != NULL) {
		put_part(out, statement, rest, returning);
		fprintf(out, " tenant_id, %s,", query->together_by);
		rest = returning;
	}
	put_part(out, statement, rest, statement->mask + strlen(statement->mask));
	fputc('\0', out);
	if (fclose(out) != 0)
		fault(query->at, "`%s`: too long for :together", query->name);
	text[TEXT_MAX - 1] = '\0';
	return keep_text(text, strlen(text));
}
