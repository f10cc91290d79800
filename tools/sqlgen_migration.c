/*
 * What a migration may do while the version before is still serving (docs/upgrading.md): it expands. Tables,
 * columns that nobody need fill, and indexes come; nothing goes, or changes under a running statement.
 * Whatever else it does, it says so in a line at its top, and by that since when that is safe:
 *
 *   -- :online                     its indexes are built beside writers, on PostgreSQL without a transaction
 *   -- :blocking <why>             its indexes are built while writers wait
 *   -- :contract since=N <why>     anything: only binaries that know migration N or later may run beside it
 *
 * Each rule has its planted fault in sqlgen_test.c.
 */
#include "sqlgen.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { WORDS_MAX = 64, WORD_MAX = 64 };

/* A statement's first words, in lower case; "" past the last. */
struct words {
	char text[WORDS_MAX + 8][WORD_MAX];
	size_t count;
};

static struct words words_of(const char *mask)
{
	struct words words = {.count = 0};

	while (words.count < WORDS_MAX) {
		size_t len = 0;

		while (*mask != '\0' && !isalnum((unsigned char)*mask) && *mask != '_' && *mask != ':')
			mask++;
		for (; isalnum((unsigned char)*mask) || *mask == '_' || *mask == ':'; mask++)
			if (len < WORD_MAX - 1)
				words.text[words.count][len++] = (char)tolower((unsigned char)*mask);
		if (len == 0)
			break;
		words.count++;
	}
	return words;
}

static bool begins(const struct words *words, const char *wanted)
{
	struct words those = words_of(wanted);

	for (size_t i = 0; i < those.count; i++)
		if (strcmp(words->text[i], those.text[i]) != 0)
			return false;
	return true;
}

static bool has(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->text[i], word) == 0)
			return true;
	return false;
}

/* Made by this migration: so nobody uses it yet. */
static bool is_new(const struct migration *migration, const char *table)
{
	for (size_t i = 0; i < migration->count; i++) {
		struct words words = words_of(migration->statements[i]->mask);

		if (begins(&words, "create table") && strcmp(words.text[2], table) == 0)
			return true;
	}
	return false;
}

static const char *index_fault(const struct migration *migration, const struct words *words)
{
	bool unique = strcmp(words->text[1], "unique") == 0;
	/* CREATE [UNIQUE] INDEX name ON table */
	const char *table = words->text[unique ? 5 : 4];

	if (is_new(migration, table))
		return NULL;
	if (unique)
		return "a unique index on a table in use: the version before may write what it refuses";
	if (migration->online || migration->blocking)
		return NULL;
	return "an index on a table in use makes writers wait while it is built: -- :online, in a migration "
	       "of its own";
}

static const char *column_fault(const struct migration *migration, const struct words *words)
{
	static const char *const bonds[] = {"unique",  "references", "check",
					    "primary", "generated",  "exclude"};

	if (is_new(migration, words->text[2]))
		return NULL;
	if (has(words, "null") && has(words, "not") && !has(words, "default"))
		return "NOT NULL without DEFAULT: the version before does not fill it";
	for (size_t i = 0; i < sizeof(bonds) / sizeof(bonds[0]); i++)
		if (has(words, bonds[i]))
			return "a column with a constraint: the version before may write what it refuses";
	return NULL;
}

static const char *insert_fault(const struct migration *migration, const struct words *words)
{
	return is_new(migration, words->text[2]) ? NULL : "rows of a table in use are the running version's";
}

static const char *no_fault(const struct migration *migration, const struct words *words)
{
	(void)migration;
	(void)words;
	return NULL;
}

/* All that expands. */
static const struct {
	const char *words;
	const char *(*fault)(const struct migration *, const struct words *);
} kinds[] = {
	{"create table", no_fault},	      {"create function", no_fault}, {"create index", index_fault},
	{"create unique index", index_fault}, {"insert into", insert_fault},
};

static const char *statement_fault(const struct migration *migration, const struct statement *statement)
{
	struct words words = words_of(statement->mask);

	if (begins(&words, "alter table") && strcmp(words.text[3], "add") == 0 &&
	    strcmp(words.text[4], "column") == 0)
		return column_fault(migration, &words);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (begins(&words, kinds[i].words))
			return kinds[i].fault(migration, &words);
	return "only tables, indexes and columns that come are safe beside the version before";
}

static void check_online(const struct migration *migration)
{
	for (size_t i = 0; i < migration->count; i++) {
		struct words words = words_of(migration->statements[i]->mask);

		if (!begins(&words, "create index"))
			fault(migration->statements[i]->at,
			      "an -- :online migration holds CREATE INDEX and nothing else");
	}
}

void check_migration(const struct migration *migration)
{
	const char *what;

	if (migration->online)
		check_online(migration);
	if (migration->since >= migration->number)
		fault(migration->at,
		      ":contract since=%d: an earlier migration, which the version before knows",
		      migration->since);
	for (size_t i = 0; i < migration->count && migration->since == 0; i++) {
		what = statement_fault(migration, migration->statements[i]);
		if (what != NULL)
			fault(migration->statements[i]->at,
			      "%s; else in a later release: -- :contract since=N why", what);
	}
}

/* --- The line at the top -------------------------------------------------------- */

static bool give_reason(struct migration *migration, const char *rest)
{
	while (isspace((unsigned char)*rest))
		rest++;
	if (*rest != '\0' && *rest != '\n')
		return true;
	fault(migration->at, "say why, in the same line");
	return false;
}

void read_migration_mark(struct migration *migration, const char *comment)
{
	static const char contract[] = ":contract since=";
	char *end;

	while (isspace((unsigned char)*comment))
		comment++;
	if (strncmp(comment, ":online", 7) == 0) {
		migration->online = true;
	} else if (strncmp(comment, ":blocking", 9) == 0) {
		migration->blocking = give_reason(migration, comment + 9);
	} else if (strncmp(comment, contract, sizeof(contract) - 1) == 0) {
		migration->since = (int)strtol(comment + sizeof(contract) - 1, &end, 10);
		if (migration->since <= 0)
			fault(migration->at, ":contract since=N: a migration's number");
		else
			give_reason(migration, end);
	} else if (comment[0] == ':' && strncmp(comment, ":sqlite", 7) != 0 &&
		   strncmp(comment, ":postgres", 9) != 0 && strncmp(comment, ":because", 8) != 0) {
		fault(migration->at, "-- :online, -- :blocking why, or -- :contract since=N why");
	}
}
