/* Reads queries.sql and migrations: lines of directives, then a statement that ends in `;`. */
#include "sqlgen.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct source {
	struct place at;
	const char *p; /* the next character */
};

static const char *const kind_words[KIND_COUNT] = {
	[KIND_UUID] = "uuid", [KIND_TIME] = "time", [KIND_INT] = "int",	  [KIND_BOOL] = "bool",
	[KIND_TEXT] = "text", [KIND_JSON] = "json", [KIND_ENUM] = "enum",
};

static const char *line_end(const char *p)
{
	const char *end = strchr(p, '\n');

	return end != NULL ? end : p + strlen(p);
}

static void next_line(struct source *source)
{
	source->p = line_end(source->p);
	if (*source->p == '\n') {
		source->p++;
		source->at.line++;
	}
}

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\r')
		p++;
	return p;
}

/* The next word of a line, or NULL at its end. */
static char *next_word(const char **at)
{
	const char *from = skip_blanks(*at);
	size_t len = strcspn(from, " \t\r\n");

	*at = from + len;
	return len > 0 ? keep_text(from, len) : NULL;
}

/* --- Statements ---------------------------------------------------------- */

/* Past the closing quote; a doubled quote is one character of the text. */
static const char *quoted_end(const char *p)
{
	char quote = *p++;

	for (; *p != '\0'; p++) {
		if (*p != quote)
			continue;
		if (p[1] != quote)
			return p + 1;
		p++;
	}
	return p;
}

static void take(struct source *source, struct statement *statement, size_t *len, const char *end, bool hide)
{
	for (; source->p < end; source->p++) {
		source->at.line += *source->p == '\n';
		statement->sql[*len] = *source->p;
		statement->mask[(*len)++] = hide && *source->p != '\n' ? ' ' : *source->p;
	}
}

static void trim_end(struct statement *statement, size_t len)
{
	while (len > 0 && isspace((unsigned char)statement->sql[len - 1]))
		len--;
	statement->sql[len] = statement->mask[len] = '\0';
}

/* From where `source` stands up to the `;`, which is left out, as are comments. */
static struct statement take_statement(struct source *source, unsigned dialects)
{
	size_t room = strlen(source->p) + 1, len = 0;
	struct statement statement = {.at = source->at,
				      .sql = keep(room),
				      .mask = keep(room),
				      .dialects = dialects};

	while (*source->p != '\0' && *source->p != ';') {
		if (*source->p == '\'' || *source->p == '"') {
			take(source, &statement, &len, quoted_end(source->p), *source->p == '\'');
		} else if (strncmp(source->p, "--", 2) == 0) {
			source->p = line_end(source->p);
			while (len > 0 && (statement.sql[len - 1] == ' ' || statement.sql[len - 1] == '\t'))
				len--;
		} else {
			take(source, &statement, &len, source->p + 1, false);
		}
	}
	trim_end(&statement, len);
	if (*source->p != ';') {
		fault(statement.at, "this statement does not end in `;`");
		return statement;
	}
	source->p = skip_blanks(source->p + 1);
	if (*source->p != '\n' && *source->p != '\0' && strncmp(source->p, "--", 2) != 0)
		fault(source->at, "one statement a line: something follows the `;`");
	next_line(source);
	return statement;
}

/* --- Members: "id:uuid note:text? status:enum(booking_status)" ----------- */

static bool is_path(const char *text, bool dotted)
{
	if (!isalpha((unsigned char)*text) && *text != '_')
		return false;
	for (; *text != '\0'; text++) {
		if (!isalnum((unsigned char)*text) && *text != '_' && !(dotted && *text == '.'))
			return false;
	}
	return true;
}

static bool parse_type(struct member *member, char *type, struct place at)
{
	size_t len = strlen(type);

	if (len > 0 && type[len - 1] == '?') {
		member->nullable = true;
		type[--len] = '\0';
	}
	if (len > 6 && strncmp(type, "enum(", 5) == 0 && type[len - 1] == ')') {
		member->kind = KIND_ENUM;
		member->words = keep_text(type + 5, len - 6);
		return true;
	}
	for (int i = 0; i < KIND_ENUM; i++) {
		if (strcmp(type, kind_words[i]) == 0) {
			member->kind = (enum kind)i;
			return true;
		}
	}
	fault(at, "unknown type `%s`", type);
	return false;
}

static void add_member(struct members *members, char *word, bool dotted, struct place at)
{
	struct member *member = &members->items[members->count];
	char *colon = strchr(word, ':');

	if (members->count == MEMBERS_MAX || colon == NULL) {
		fault(at, colon == NULL ? "`%s` has no type: write name:type" : "too many members at `%s`",
		      word);
		return;
	}
	*colon = '\0';
	*member = (struct member){.path = word};
	if (!is_path(word, dotted)) {
		fault(at, "`%s` is no name", word);
		return;
	}
	if (!parse_type(member, colon + 1, at))
		return;
	if (member->nullable && (member->kind == KIND_BOOL || member->kind == KIND_ENUM))
		fault(at, "`%s`: a bool or an enum is never null", word);
	for (size_t i = 0; i < members->count; i++) {
		if (strcmp(members->items[i].path, word) == 0)
			fault(at, "`%s` is named twice", word);
	}
	members->count++;
}

static void add_members(struct members *members, const char *line, bool dotted, struct place at)
{
	for (char *word; (word = next_word(&line)) != NULL;)
		add_member(members, word, dotted, at);
}

/* --- Directives ---------------------------------------------------------- */

/* What is read of one query before its statement stands. */
struct reading {
	struct room *room;
	struct query *query;		/* from :name until its statement; NULL between queries */
	struct members *list;		/* the :in or :out that a continuation line extends */
	const char *because;		/* of every query of the file that tells none of its own */
	const char *doc[DOC_LINES_MAX]; /* comments above a :name */
	size_t doc_lines;
	unsigned variant; /* bit of the dialect that the next statement is for */
	unsigned seen;	  /* dialects of this query that have their statement */
};

static void read_name(struct reading *reading, const char *line, struct place at)
{
	static const char *const counts[] = {[COUNT_NONE] = ":none",
					     [COUNT_ONE] = ":one",
					     [COUNT_MAYBE] = ":maybe",
					     [COUNT_MANY] = ":many"};
	char *name = next_word(&line), *count = next_word(&line);
	struct query *query = keep(sizeof(*query));

	if (reading->query != NULL)
		fault(reading->query->at, "the query `%s` has no statement", reading->query->name);
	*query = (struct query){.at = at, .name = name, .because = reading->because};
	if (name == NULL || !is_path(name, false)) {
		fault(at, "a query needs a name of letters, digits and _");
		query->name = "nameless";
	}
	for (int i = COUNT_NONE; count != NULL && i <= COUNT_MANY; i++) {
		if (strcmp(count, counts[i]) == 0)
			query->rows = (enum row_count)i;
	}
	if (query->rows == COUNT_UNSET)
		fault(at, "`%s`: say how many rows: :none, :one, :maybe or :many", query->name);
	memcpy(query->doc, reading->doc, sizeof(query->doc));
	query->doc_lines = reading->doc_lines;
	reading->doc_lines = 0;
	reading->query = query;
	reading->seen = 0;
}

static void read_scope(struct query *query, const char *line, struct place at)
{
	char *word = next_word(&line);

	if (word != NULL && strcmp(word, "tenant") == 0)
		query->scope = SCOPE_TENANT;
	else if (word != NULL && strcmp(word, "global") == 0)
		query->scope = SCOPE_GLOBAL;
	else if (word != NULL && strcmp(word, "operator") == 0)
		query->scope = SCOPE_OPERATOR;
	else
		fault(at, "the scope is `tenant`, `operator` or `global`");
}

/* The members of :in or :out, which may be those of a struct that a header has. */
static void read_side(struct members *members, const char **ret_struct, const char *line, struct place at)
{
	const char *after = line;
	char *word = next_word(&after);
	size_t len;

	if (word != NULL && strcmp(word, "struct") == 0) {
		word = next_word(&after);
		len = word != NULL ? strlen(word) : 0;
		if (len < 2 || word[len - 1] != ':') {
			fault(at, "write `struct NAME: members`");
			return;
		}
		*ret_struct = keep_text(word, len - 1);
		line = after;
	}
	add_members(members, line, *ret_struct != NULL, at);
}

static void read_include(struct room *room, const char *line, struct place at)
{
	char *word = next_word(&line);

	if (word == NULL || room->include_count == INCLUDES_MAX)
		fault(at, "one header after :include, and at most %d of them", INCLUDES_MAX);
	else
		room->includes[room->include_count++] = word;
}

/* Within a query, of that one; above all of them, of each. */
static void read_because(struct reading *reading, const char *line, struct place at)
{
	const char **because = reading->query != NULL ? &reading->query->because : &reading->because;

	*because = skip_blanks(line);
	if (**because == '\0')
		fault(at, ":because what?");
}

static void read_together(struct query *query, const char *line, struct place at)
{
	char *by = next_word(&line);

	query->together = true;
	query->together_by = by != NULL ? next_word(&line) : NULL;
	if (by != NULL && (strcmp(by, "by") != 0 || query->together_by == NULL))
		fault(at, "write `:together` or `:together by NAME`");
}

static unsigned dialect_of(const char *directive)
{
	if (strcmp(directive, ":sqlite") == 0)
		return 1u << DIALECT_SQLITE;
	return strcmp(directive, ":postgres") == 0 ? 1u << DIALECT_POSTGRES : 0;
}

static void read_query_directive(struct reading *reading, const char *word, const char *line, struct place at)
{
	struct query *query = reading->query;

	if (query == NULL) {
		fault(at, "`%s` stands before any :name", word);
	} else if (strcmp(word, ":scope") == 0) {
		read_scope(query, line, at);
	} else if (strcmp(word, ":neighbours") == 0) {
		query->neighbours = true;
	} else if (strcmp(word, ":replica") == 0) {
		query->replica = true;
	} else if (strcmp(word, ":together") == 0) {
		read_together(query, line, at);
	} else if (strcmp(word, ":in") == 0) {
		reading->list = &query->in;
		read_side(&query->in, &query->in_struct, line, at);
	} else if (strcmp(word, ":out") == 0) {
		reading->list = &query->out;
		read_side(&query->out, &query->out_struct, line, at);
	} else if (dialect_of(word) != 0) {
		reading->variant = dialect_of(word);
	} else {
		fault(at, "unknown directive `%s`", word);
	}
}

/* The comment's text without the line's end. */
static const char *comment_text(const char *p)
{
	const char *end = line_end(p);

	while (end > p && isspace((unsigned char)end[-1]))
		end--;
	return keep_text(p, (size_t)(end - p));
}

static void read_doc(struct reading *reading, const char *text, struct place at)
{
	struct query *query = reading->query;
	const char **doc = query != NULL ? query->doc : reading->doc;
	size_t *lines = query != NULL ? &query->doc_lines : &reading->doc_lines;

	if (*lines == DOC_LINES_MAX)
		fault(at, "a comment of more than %d lines", DOC_LINES_MAX);
	else if (strstr(text, "*/") != NULL)
		fault(at, "a comment must not hold `*/`");
	else
		doc[(*lines)++] = text;
}

static void read_comment(struct reading *reading, const char *line, struct place at)
{
	const char *text = comment_text(line + 2), *rest = text;
	const struct query *query = reading->query;
	bool dotted =
		query != NULL && (reading->list == &query->in ? query->in_struct : query->out_struct) != NULL;
	char *word;

	if (reading->list != NULL && strncmp(text, "    ", 4) == 0) {
		add_members(reading->list, text, dotted, at);
		return;
	}
	reading->list = NULL;
	word = next_word(&rest);
	if (word == NULL || *word != ':')
		read_doc(reading, text + (*text == ' '), at);
	else if (strcmp(word, ":name") == 0)
		read_name(reading, rest, at);
	else if (strcmp(word, ":include") == 0)
		read_include(reading->room, rest, at);
	else if (strcmp(word, ":because") == 0)
		read_because(reading, rest, at);
	else
		read_query_directive(reading, word, rest, at);
}

/* --- Whole files --------------------------------------------------------- */

static void read_statement(struct reading *reading, struct source *source)
{
	unsigned dialects = reading->variant != 0 ? reading->variant : DIALECT_BOTH;
	struct statement statement = take_statement(source, dialects);
	struct query *query = reading->query;
	struct room *room = reading->room;

	reading->variant = 0;
	reading->list = NULL;
	if (query == NULL) {
		fault(statement.at, "a statement without -- :name");
		return;
	}
	if ((reading->seen & dialects) != 0)
		fault(statement.at, "`%s` has two statements for one dialect", query->name);
	for (int i = 0; i < DIALECT_COUNT; i++) {
		if ((dialects & 1u << i) != 0)
			query->by_dialect[i] = statement;
	}
	reading->seen |= dialects;
	if (reading->seen != DIALECT_BOTH)
		return; /* the other variant follows */
	if (room->query_count == ITEMS_MAX)
		fault(query->at, "more than %d queries", ITEMS_MAX);
	else
		room->queries[room->query_count++] = query;
	reading->query = NULL;
}

void parse_queries(struct room *room, const char *file, const char *text)
{
	struct source source = {.at = {file, 1}, .p = text};
	struct reading reading = {.room = room};

	while (*source.p != '\0') {
		const char *line = skip_blanks(source.p);

		if (*line == '\n' || *line == '\0') {
			reading.doc_lines = 0;
			next_line(&source);
		} else if (strncmp(line, "--", 2) == 0) {
			read_comment(&reading, line, source.at);
			next_line(&source);
		} else {
			read_statement(&reading, &source);
		}
	}
	if (reading.query != NULL)
		fault(reading.query->at, "the query `%s` has no statement for each dialect",
		      reading.query->name);
}

/* "path/0001_name.sql" */
static bool parse_migration_name(struct migration *migration, const char *file)
{
	const char *slash = strrchr(file, '/'), *base = slash != NULL ? slash + 1 : file;
	size_t digits = strspn(base, "0123456789"), len = strlen(base);

	if (digits != 4 || base[4] != '_' || len < 10 || strcmp(base + len - 4, ".sql") != 0) {
		fault(migration->at, "a migration is named like 0001_first.sql");
		return false;
	}
	migration->number = (int)strtol(base, NULL, 10);
	migration->name = keep_text(base + 5, len - 9);
	return true;
}

/* `-- :postgres`, `-- :because why`: of the statement that follows. */
static void read_migration_comment(const char *comment, unsigned *variant, const char **because)
{
	char *word = next_word(&comment);

	if (word != NULL && strcmp(word, ":because") == 0)
		*because = skip_blanks(comment);
	else if (word != NULL)
		*variant |= dialect_of(word);
}

void parse_migration(struct room *room, const char *file, const char *text)
{
	struct source source = {.at = {file, 1}, .p = text};
	struct migration *migration = keep(sizeof(*migration));
	const char *because = NULL;
	unsigned variant = 0;

	migration->at = source.at;
	if (!parse_migration_name(migration, file) || room->migration_count == ITEMS_MAX)
		return;
	while (*source.p != '\0') {
		const char *line = skip_blanks(source.p);

		if (*line == '\n' || *line == '\0') {
			next_line(&source);
		} else if (strncmp(line, "--", 2) == 0) {
			read_migration_mark(migration, comment_text(line + 2));
			read_migration_comment(comment_text(line + 2), &variant, &because);
			next_line(&source);
		} else if (migration->count == ITEMS_MAX) {
			fault(source.at, "more than %d statements", ITEMS_MAX);
			return;
		} else {
			struct statement *statement = keep(sizeof(*statement));

			*statement = take_statement(&source, variant != 0 ? variant : DIALECT_BOTH);
			statement->because = because;
			migration->statements[migration->count++] = statement;
			variant = 0;
			because = NULL;
		}
	}
	room->migrations[room->migration_count++] = migration;
}
