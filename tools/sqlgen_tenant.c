/*
 * The wall between tenants, as far as the text of a query can show it. A table is a tenant's when its
 * migration gives it a column tenant_id. In a tenant's query every mention of such a table stands beside
 * `alias.tenant_id = $1`, joined to it by AND: one that is equated with another table's would do as well, but
 * is harder to see, and an index serves both alike. Any other query on such a table is the operator's
 * (`-- :scope operator`, which db/db.c refuses to everybody else), or says why it may see several tenants'
 * rows
 * (`-- :because`).
 *
 * And for a store that is spread over machines by tenant_id (Citus): so no tenant's query needs more than one
 * of them; and each PRIMARY KEY, UNIQUE and FOREIGN KEY of a tenant's table holds tenant_id, or it could not
 * be kept within one. A key that does not says why above its statement (`-- :because`); its table will be a
 * copy everywhere.
 *
 * Each rule has its planted fault in sqlgen_test.c.
 */
#include "sqlgen.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define COLUMN "tenant_id"

struct word {
	const char *p;
	size_t len;
};

/* A mention of a tenant's table in a statement. */
struct mention {
	struct word table, alias;
	bool is_insert;
};

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

static struct word word_at(const char *p)
{
	struct word word = {skip_space(p), 0};

	while (in_word(word.p[word.len]))
		word.len++;
	return word;
}

static const char *after(struct word word)
{
	return skip_space(word.p + word.len);
}

static bool word_is(struct word word, const char *text)
{
	return strlen(text) == word.len && strncasecmp(word.p, text, word.len) == 0;
}

static bool word_among(struct word word, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		if (word_is(word, *texts))
			return true;
	return false;
}

/* The next word at or after p that is no part of another; of no length at the end. */
static struct word next_word(const char *p)
{
	while (*p != '\0' && !in_word(*p))
		p++;
	return word_at(p);
}

static bool has_word(const char *text, const char *wanted)
{
	for (struct word word = next_word(text); word.len > 0; word = next_word(word.p + word.len))
		if (word_is(word, wanted))
			return true;
	return false;
}

/* Past the bracket that closes the one at p. */
static const char *past_brackets(const char *p)
{
	int depth = 0;

	for (; *p != '\0'; p++) {
		depth += (*p == '(') - (*p == ')');
		if (depth == 0)
			return p + 1;
	}
	return p;
}

/* --- Which tables ------------------------------------------------------------- */

static bool has_tenant_column(const char *columns)
{
	const char *end = past_brackets(columns);

	for (struct word word = next_word(columns); word.len > 0 && word.p < end;
	     word = next_word(word.p + word.len))
		if (word_is(word, COLUMN))
			return true;
	return false;
}

/* `CREATE TABLE name (... tenant_id ...)` */
static struct word created_table(const struct statement *statement)
{
	const struct word none = {"", 0};
	struct word word = word_at(statement->mask), name;

	if (!word_is(word, "create") || !word_is(word_at(after(word)), "table"))
		return none;
	name = word_at(after(word_at(after(word))));
	return *after(name) == '(' && has_tenant_column(after(name)) ? name : none;
}

static bool is_tenants(const struct room *room, struct word name)
{
	for (size_t i = 0; i < room->migration_count; i++) {
		for (size_t j = 0; j < room->migrations[i]->count; j++) {
			struct word table = created_table(room->migrations[i]->statements[j]);

			if (name.len > 0 && table.len == name.len && memcmp(table.p, name.p, name.len) == 0)
				return true;
		}
	}
	return false;
}

/* --- Where they are mentioned ---------------------------------------------------- */

static struct word alias_of(struct word table)
{
	static const char *const keywords[] = {"set",	 "where",     "on",	 "join",   "left",
					       "inner",	 "cross",     "order",	 "group",  "limit",
					       "union",	 "for",	      "using",	 "values", "select",
					       "having", "returning", "default", NULL};
	struct word word = word_at(after(table));

	if (word_is(word, "as"))
		return word_at(after(word));
	return word.len > 0 && !word_among(word, keywords) ? word : table;
}

typedef bool mention_fn(const struct query *, const struct statement *, const struct mention *);

static bool each_of_list(const struct room *room, const struct query *query,
			 const struct statement *statement, struct word before, mention_fn *fn)
{
	const char *p = after(before);
	bool good = true;

	do {
		struct word table = word_at(p);

		if (*skip_space(p) == '(') {
			p = past_brackets(skip_space(p));
			table = word_at(p); /* the alias of a subselect: no table's name */
			p = after(table);
		} else {
			struct word alias = alias_of(table);

			p = after(alias);
			if (is_tenants(room, table))
				good &= fn(query, statement,
					   &(struct mention){table, alias, word_is(before, "into")});
		}
	} while (*p++ == ',' && word_is(before, "from"));
	return good;
}

/* False when fn() was, of any of them. */
static bool each_mention(const struct room *room, const struct query *query,
			 const struct statement *statement, mention_fn *fn)
{
	static const char *const words[] = {"from", "join", "into", "update", "using", NULL};
	bool good = true;

	for (struct word word = next_word(statement->mask); word.len > 0; word = next_word(word.p + word.len))
		if (word_among(word, words))
			good &= each_of_list(room, query, statement, word, fn);
	return good;
}

/* --- What stands beside a mention --------------------------------------------------- */

/* What stands at p's own level of brackets, with blanks for what is in further ones. */
static char *level_of(const char *text, const char *p)
{
	const char *from = p, *to = p;
	char *level;
	int depth = 0;

	while (from > text) {
		depth += (from[-1] == ')') - (from[-1] == '(');
		if (depth < 0)
			break;
		from--;
	}
	for (depth = 0; *to != '\0'; to++) {
		depth += (*to == '(') - (*to == ')');
		if (depth < 0)
			break;
	}
	level = keep_text(from, (size_t)(to - from));
	depth = 0;
	for (char *c = level; *c != '\0'; c++) {
		bool opens = *c == '(', closes = *c == ')';

		depth -= closes;
		if (depth > 0)
			*c = ' ';
		depth += opens;
	}
	return level;
}

/* The word that ends before p, blanks aside. */
static struct word word_before(const char *text, const char *p)
{
	struct word word;

	while (p > text && isspace((unsigned char)p[-1]))
		p--;
	for (word = (struct word){p, 0}; word.p > text && in_word(word.p[-1]); word.len++)
		word.p--;
	return word;
}

/* `= $1`, and nothing that is reckoned with it. */
static bool is_first_input(const char *p)
{
	p = skip_space(p);
	if (*p != '=')
		return false;
	p = skip_space(p + 1);
	if (strncmp(p, "$1", 2) != 0 || in_word(p[2]))
		return false;
	p = skip_space(p + 2);
	return *p == '\0' || in_word(*p) || *p == ')' || *p == ',';
}

/* WHERE, ON or AND, then `alias.tenant_id = $1`, or without an alias where there is none. */
static bool equates(const char *level, const struct mention *mention)
{
	static const char *const before[] = {"where", "on", "and", NULL};

	for (struct word word = next_word(level); word.len > 0; word = next_word(word.p + word.len)) {
		struct word qualifier = {NULL, 0};
		const char *start = word.p;

		if (!word_is(word, COLUMN) || !is_first_input(after(word)))
			continue;
		if (start > level && start[-1] == '.') {
			qualifier = word_before(level, start - 1);
			start = qualifier.p;
			if (qualifier.len != mention->alias.len ||
			    memcmp(qualifier.p, mention->alias.p, qualifier.len) != 0)
				continue;
		} else if (mention->alias.p != mention->table.p) {
			continue;
		}
		if (word_among(word_before(level, start), before))
			return true;
	}
	return false;
}

static bool conflicts_within_tenant(const char *text)
{
	struct word word = next_word(text);

	while (word.len > 0 && !word_is(word, "conflict"))
		word = next_word(word.p + word.len);
	return word.len == 0 || *after(word) != '(' || has_tenant_column(after(word));
}

static bool check_insert(const struct query *query, const struct statement *statement, struct word table)
{
	if (!inserts_tenant(statement->mask))
		fault(statement->at, "`%s`: the new rows of %.*s are $1's: give it as tenant_id", query->name,
		      (int)table.len, table.p);
	else if (!conflicts_within_tenant(statement->mask))
		fault(statement->at, "`%s`: ON CONFLICT names tenant_id, or it would change another's row",
		      query->name);
	else
		return true;
	return false;
}

static bool check_mention(const struct query *query, const struct statement *statement,
			  const struct mention *mention)
{
	static const char *const sets[] = {"union", "intersect", "except"};
	const char *level = level_of(statement->mask, mention->table.p);

	if (mention->is_insert)
		return check_insert(query, statement, mention->table);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		if (has_word(level, sets[i])) {
			fault(statement->at, "`%s`: %s in a tenant's query: write two", query->name, sets[i]);
			return false;
		}
	}
	if (!equates(level, mention)) {
		fault(statement->at, "`%s`: beside %.*s stands no `AND %.*s.tenant_id = $1`", query->name,
		      (int)mention->table.len, mention->table.p, (int)mention->alias.len, mention->alias.p);
		return false;
	}
	if (has_word(level, "or")) {
		fault(statement->at, "`%s`: an OR beside `tenant_id = $1` undoes it: put it in brackets",
		      query->name);
		return false;
	}
	return true;
}

/* --- Keys ----------------------------------------------------------------------------- */

/* The first word of the column's definition, or of the constraint, within which p stands. */
static struct word item_of(const char *p)
{
	while (p[-1] != ',' && p[-1] != '(')
		p--;
	return word_at(p);
}

/* A key of one column stands beside it and has no list. */
static bool key_holds_tenant(struct word key, const char *list)
{
	return *list == '(' ? has_tenant_column(list) : word_is(item_of(key.p), COLUMN);
}

/* The keys that a CREATE TABLE or an ALTER TABLE tells. */
static bool keys_hold_tenant(const char *from)
{
	static const char *const before_list[] = {"primary", "foreign", "references", NULL};

	for (struct word word = next_word(from); word.len > 0; word = next_word(word.p + word.len)) {
		const char *list = after(word);

		if (word_among(word, before_list)) /* KEY, or the table */
			list = after(word_at(list));
		else if (!word_is(word, "unique"))
			continue;
		if (!key_holds_tenant(word, list))
			return false;
	}
	return true;
}

/* `CREATE UNIQUE INDEX name ON table (...)`: what follows ON; of no length when it is something else. */
static struct word unique_index_on(const struct statement *statement)
{
	const struct word none = {"", 0};
	struct word word = word_at(statement->mask);

	if (!word_is(word, "create") || !word_is(word_at(after(word)), "unique"))
		return none;
	while (word.len > 0 && !word_is(word, "on"))
		word = next_word(word.p + word.len);
	return word.len > 0 ? word_at(after(word)) : none;
}

/* `ALTER TABLE name ...` */
static struct word altered_table(const struct statement *statement)
{
	const struct word none = {"", 0};
	struct word word = word_at(statement->mask);

	return word_is(word, "alter") && word_is(word_at(after(word)), "table")
		       ? word_at(after(word_at(after(word))))
		       : none;
}

void check_keys(const struct room *room, const struct statement *statement)
{
	struct word created = created_table(statement), altered = altered_table(statement),
		    indexed = unique_index_on(statement);
	bool good = true;

	if (created.len > 0)
		good = keys_hold_tenant(after(created));
	else if (is_tenants(room, altered))
		good = keys_hold_tenant(after(altered));
	else if (is_tenants(room, indexed))
		good = has_tenant_column(after(indexed));
	if (!good && statement->because == NULL)
		fault(statement->at,
		      "a key of a tenant's table holds tenant_id; or say -- :because it is for all tenants");
	if (good && statement->because != NULL)
		fault(statement->at, "-- :because of nothing: every key here holds tenant_id");
}

/* --- The rules ------------------------------------------------------------------------ */

static bool is_mentioned(const struct query *query, const struct statement *statement,
			 const struct mention *mention)
{
	(void)query;
	(void)statement;
	(void)mention;
	return false;
}

bool query_sees_tenants(const struct room *room, const struct query *query)
{
	return !each_mention(room, query, &query->by_dialect[0], is_mentioned) ||
	       !each_mention(room, query, &query->by_dialect[1], is_mentioned);
}

void check_wall(const struct room *room, const struct query *query)
{
	if (query->scope == SCOPE_GLOBAL && query->because == NULL && query_sees_tenants(room, query))
		fault(query->at,
		      "`%s` is global, on a tenant's table: scope it, or say -- :because it must see several",
		      query->name);
	if (query->scope != SCOPE_TENANT)
		return;
	for (int i = 0; i < DIALECT_COUNT; i++)
		if (!each_mention(room, query, &query->by_dialect[i], check_mention))
			return;
}
