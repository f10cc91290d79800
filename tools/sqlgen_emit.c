/* Writes the C: structs, typed calls, tables of columns, the SQL of each dialect. */
#include "sqlgen.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *const kind_enums[KIND_COUNT] = {
	[KIND_UUID] = "DB_UUID", [KIND_TIME] = "DB_TIME", [KIND_INT] = "DB_INT",   [KIND_BOOL] = "DB_BOOL",
	[KIND_TEXT] = "DB_TEXT", [KIND_JSON] = "DB_JSON", [KIND_ENUM] = "DB_ENUM",
};

static const char *const kind_types[KIND_COUNT] = {
	[KIND_UUID] = "struct uuid", [KIND_TIME] = "utime",	   [KIND_INT] = "int64_t",
	[KIND_BOOL] = "bool",	     [KIND_TEXT] = "const char *", [KIND_JSON] = "const char *",
	[KIND_ENUM] = "enum ",
};

static const char *const count_enums[] = {[COUNT_NONE] = "ROWS_NONE",
					  [COUNT_ONE] = "ROWS_ONE",
					  [COUNT_MAYBE] = "ROWS_MAYBE",
					  [COUNT_MANY] = "ROWS_MANY"};

/* --- One text, two dialects ---------------------------------------------- */

static const struct {
	const char *word, *text[DIALECT_COUNT];
} sql_words[] = {
	{"uuid", {"BLOB", "uuid"}},	{"time", {"INTEGER", "bigint"}},
	{"int", {"INTEGER", "bigint"}}, {"bool", {"INTEGER", "boolean"}},
	{"text", {"TEXT", "text"}},	{"json", {"TEXT", "jsonb"}},
	{"strict", {"STRICT", ""}},	{"clustered", {"STRICT, WITHOUT ROWID", ""}},
};

static const char *sql_word(const char *word, size_t len, enum dialect dialect)
{
	for (size_t i = 0; i < sizeof(sql_words) / sizeof(sql_words[0]); i++) {
		if (strlen(sql_words[i].word) == len && strncmp(sql_words[i].word, word, len) == 0)
			return sql_words[i].text[dialect];
	}
	return NULL;
}

/*
 * `:index_NAME` after a table: SQLite, which plans without statistics here, holds indexes that begin alike
 * for as good as each other, and is told which. PostgreSQL knows.
 */
static const char *index_word(const char *word, size_t len, enum dialect dialect)
{
	static const char prefix[] = "index_", clause[] = "INDEXED BY ";
	size_t skip = sizeof(prefix) - 1;
	char *text;

	if (len <= skip || strncmp(word, prefix, skip) != 0)
		return NULL;
	if (dialect != DIALECT_SQLITE)
		return "";
	text = keep(sizeof(clause) + len - skip);
	snprintf(text, sizeof(clause) + len - skip, "%s%.*s", clause, (int)(len - skip), word + skip);
	return text;
}

char *statement_text(const struct statement *statement, enum dialect dialect)
{
	const char *mask = statement->mask;
	char *text = keep(2 * strlen(mask) + 1), *to = text;

	for (size_t i = 0; mask[i] != '\0';) {
		size_t len = 0;
		const char *word;

		if (mask[i] == ':' && mask[i + 1] != ':' && (i == 0 || mask[i - 1] != ':'))
			len = strspn(mask + i + 1, "abcdefghijklmnopqrstuvwxyz_");
		if (len == 0) {
			*to++ = statement->sql[i++];
			continue;
		}
		word = sql_word(mask + i + 1, len, dialect);
		if (word == NULL)
			word = index_word(mask + i + 1, len, dialect);
		if (word == NULL) {
			fault(statement->at, "unknown type `:%.*s`", (int)len, mask + i + 1);
			return NULL;
		}
		memcpy(to, word, strlen(word));
		to += strlen(word);
		i += 1 + len;
	}
	return text;
}

/* As C string literals, one a line of SQL. */
static void put_literal(FILE *out, const char *text, const char *indent)
{
	fprintf(out, "%s\"", indent);
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			fprintf(out, "\\n\"\n%s\"", indent);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text == '\t' ? ' ' : *text, out);
	}
	fputc('"', out);
}

/* --- The header ---------------------------------------------------------- */

static void put_type(FILE *out, const struct member *member)
{
	fputs(kind_types[member->kind], out);
	if (member->kind == KIND_ENUM)
		fputs(member->words, out);
}

static void put_struct(FILE *out, const struct query *query, const char *side, const struct members *members)
{
	fprintf(out, "struct q_%s_%s {\n", query->name, side);
	for (size_t i = 0; i < members->count; i++) {
		const struct member *member = &members->items[i];

		fputc('\t', out);
		put_type(out, member);
		fprintf(out, "%s%s;%s\n", member->kind == KIND_TEXT || member->kind == KIND_JSON ? "" : " ",
			member->path, member->nullable ? " /* or none */" : "");
	}
	fputs("};\n\n", out);
}

static const char *side_struct(const struct query *query, const char *foreign, const char *side)
{
	char name[256];

	if (foreign != NULL)
		return foreign;
	snprintf(name, sizeof(name), "q_%s_%s", query->name, side);
	return keep_text(name, strlen(name));
}

/* "tenant" or "q_x_in": the struct that gives the parameters. */
static const char *in_struct(const struct query *query)
{
	return side_struct(query, query->in_struct, "in");
}

/* "tenant" or "q_x_out": the struct that a row becomes. */
static const char *row_struct(const struct query *query)
{
	return side_struct(query, query->out_struct, "out");
}

/* A foreign struct's members must be what the columns are read or written as. */
static void put_asserts(FILE *out, const struct query *query, const char *foreign,
			const struct members *members)
{
	for (size_t i = 0; i < members->count; i++) {
		const struct member *member = &members->items[i];

		fprintf(out, "_Static_assert(__builtin_types_compatible_p(__typeof__(((struct %s *)0)->%s), ",
			foreign, member->path);
		put_type(out, member);
		fprintf(out, "),\n\t       \"%s: %s.%s is not ", query->name, foreign, member->path);
		put_type(out, member);
		fputs("\");\n", out);
	}
	fputc('\n', out);
}

static void put_read(FILE *out, const struct query *query)
{
	bool many = query->rows == COUNT_MANY;

	fprintf(out,
		"static inline MUST_USE enum rc q_%s(struct ctx *cx, const struct %s *in, struct %s "
		"**ret%s)\n"
		"{\n"
		"\tstruct rows rows;\n"
		"\tenum rc rc = db_read(cx, &q_%s_query, in, &rows);\n"
		"\n"
		"\tif (rc != RC_OK)\n"
		"\t\treturn rc;\n"
		"\t*ret = rows.items;\n"
		"%s"
		"\treturn RC_OK;\n"
		"}\n\n",
		query->name, in_struct(query), row_struct(query), many ? ", size_t *ret_count" : "",
		query->name, many ? "\t*ret_count = rows.count;\n" : "");
}

static void put_rows(FILE *out, const struct query *query)
{
	fprintf(out,
		"static inline struct %s *q_%s_rows(const struct step *step)\n"
		"{\n"
		"\treturn step->rows.items;\n"
		"}\n\n",
		row_struct(query), query->name);
}

static void put_doc(FILE *out, const struct query *query)
{
	if (query->doc_lines == 0)
		return;
	fputs("/*\n", out);
	for (size_t i = 0; i < query->doc_lines; i++)
		fprintf(out, " *%s%s\n", *query->doc[i] != '\0' ? " " : "", query->doc[i]);
	fputs(" */\n", out);
}

static void put_query_header(FILE *out, const struct query *query)
{
	put_doc(out, query);
	if (query->in_struct != NULL)
		put_asserts(out, query, query->in_struct, &query->in);
	else
		put_struct(out, query, "in", &query->in);
	if (query->rows != COUNT_NONE && query->out_struct == NULL)
		put_struct(out, query, "out", &query->out);
	fprintf(out, "extern const struct query q_%s_query;\n\n", query->name);
	if (query->rows == COUNT_NONE)
		return;
	if (query->out_struct != NULL)
		put_asserts(out, query, query->out_struct, &query->out);
	if (!statement_writes(&query->by_dialect[0]) && !statement_writes(&query->by_dialect[1]))
		put_read(out, query);
	put_rows(out, query);
}

static void put_upper(FILE *out, const char *text)
{
	for (; *text != '\0'; text++)
		fputc(toupper((unsigned char)*text), out);
}

static void put_banner(FILE *out, const struct room *room)
{
	fprintf(out, "/* Made by sqlgen from %s and the migrations beside it. Change those. */\n",
		room->queries_file);
}

void emit_header(FILE *out, const struct room *room)
{
	put_banner(out, room);
	for (int i = 0; i < 2; i++) {
		fputs(i == 0 ? "#ifndef QUERIES_" : "#define QUERIES_", out);
		put_upper(out, room->name);
		fputs("_H\n", out);
	}
	fputs("\n#include \"db/db.h\"\n", out);
	for (size_t i = 0; i < room->include_count; i++)
		fprintf(out, "#include \"%s\"\n", room->includes[i]);
	fprintf(out, "\nextern const struct query_set %s_queries;\n\n", room->name);
	for (size_t i = 0; i < room->query_count; i++)
		put_query_header(out, room->queries[i]);
	fputs("#endif\n", out);
}

/* --- The source ---------------------------------------------------------- */

static void put_columns(FILE *out, const struct query *query, const char *side, const char *of,
			const struct members *members)
{
	if (members->count == 0)
		return;
	fprintf(out, "static const struct column %s_%s[] = {\n", query->name, side);
	for (size_t i = 0; i < members->count; i++) {
		const struct member *member = &members->items[i];

		fprintf(out, "\t{.name = \"%s\", .kind = %s, .offset = offsetof(struct %s, %s)", member->path,
			kind_enums[member->kind], of, member->path);
		if (member->nullable)
			fputs(", .nullable = true", out);
		if (member->kind == KIND_ENUM)
			fprintf(out, ", .names = &%s_names", member->words);
		fputs("},\n", out);
	}
	fputs("};\n", out);
	for (size_t i = 0; i < members->count; i++) {
		if (members->items[i].kind == KIND_ENUM)
			fprintf(out,
				"_Static_assert(sizeof(enum %s) == sizeof(int), \"%s: an enum of int's "
				"size\");\n",
				members->items[i].words, query->name);
	}
}

static void put_side(FILE *out, const struct query *query, const char *side, const char *of,
		     const struct members *members)
{
	if (members->count > 0)
		fprintf(out, "\t.%s = %s_%s,\n\t.%s_count = %zu,\n\t.%s_size = sizeof(struct %s),\n", side,
			query->name, side, side, members->count, side, of);
}

static void put_scope(FILE *out, const struct room *room, const struct query *query)
{
	if (query->scope == SCOPE_TENANT)
		fputs("\t.tenant = true,\n", out);
	if (query->scope == SCOPE_OPERATOR)
		fputs("\t.operators = true,\n", out);
	if (query->neighbours)
		fputs("\t.neighbours = true,\n", out);
	if (query->replica)
		fputs("\t.replica = true,\n", out);
	if (query->scope == SCOPE_TENANT || !query_sees_tenants(room, query))
		return;
	fputs("\t.why = ", out);
	put_literal(out, query->because != NULL ? query->because : "The operator's.", "");
	fputs(",\n", out);
}

static void put_together(FILE *out, const struct query *query)
{
	size_t by = 0;

	if (!query->together)
		return;
	fputs("\t.together =\n", out);
	put_literal(out, together_text(query), "\t\t");
	for (size_t i = 0; query->together_by != NULL && i < query->in.count; i++) {
		if (strcmp(query->in.items[i].path, query->together_by) == 0)
			by = i;
	}
	fprintf(out, ",\n\t.together_by = %zu,\n", by);
	if (together_looks_at_own(query))
		fputs("\t.looks_at_own = true,\n", out);
}

/* `linkage`: "static " of one that is named in this file only. */
static void put_query_source(FILE *out, const struct room *room, size_t index, const char *linkage)
{
	const struct query *query = room->queries[index];

	put_columns(out, query, "in", in_struct(query), &query->in);
	put_columns(out, query, "out", row_struct(query), &query->out);
	fprintf(out, "%sconst struct query q_%s_query = {\n\t.name = \"%s\",\n\t.sql = {\n", linkage,
		query->name, query->name);
	for (int i = 0; i < DIALECT_COUNT; i++) {
		put_literal(out, statement_text(&query->by_dialect[i], (enum dialect)i), "\t\t");
		fputs(",\n", out);
	}
	fputs("\t},\n", out);
	put_together(out, query);
	put_side(out, query, "in", in_struct(query), &query->in);
	put_side(out, query, "out", row_struct(query), &query->out);
	fprintf(out, "\t.rows = %s,\n\t.room = ROOM_%s,\n\t.index = %zu,\n", count_enums[query->rows],
		room->name, index);
	put_scope(out, room, query);
	fputs("};\n\n", out);
}

/* `CREATE INDEX name` of one that is online says CONCURRENTLY, where there is such a thing. */
static char *migration_text(const struct migration *migration, size_t index, enum dialect dialect)
{
	static const char before[] = "CREATE INDEX CONCURRENTLY";
	char *text = statement_text(migration->statements[index], dialect), *made;
	size_t size = text != NULL ? strlen(text) + sizeof(before) : 0;

	if (text == NULL || !migration->online || dialect != DIALECT_POSTGRES ||
	    strncasecmp(text, before, strlen("CREATE INDEX")) != 0)
		return text;
	made = keep(size);
	snprintf(made, size, "%s%s", before, text + strlen("CREATE INDEX"));
	return made;
}

static void put_migration(FILE *out, const struct migration *migration)
{
	static const char *const dialects[] = {"sqlite", "postgres"};

	for (int i = 0; i < DIALECT_COUNT; i++) {
		fprintf(out, "static const char *const migration_%04d_%s[] = {\n", migration->number,
			dialects[i]);
		for (size_t j = 0; j < migration->count; j++) {
			if ((migration->statements[j]->dialects & 1u << i) == 0)
				continue;
			put_literal(out, migration_text(migration, j, (enum dialect)i), "\t");
			fputs(",\n", out);
		}
		fputs("\tNULL,\n};\n", out);
	}
	fputc('\n', out);
}

static void put_migrations(FILE *out, const struct room *room)
{
	for (size_t i = 0; i < room->migration_count; i++)
		put_migration(out, room->migrations[i]);
	fputs("static const struct migration migrations[] = {\n", out);
	for (size_t i = 0; i < room->migration_count; i++) {
		const struct migration *migration = room->migrations[i];

		fprintf(out, "\t{%d, \"%s\", {migration_%04d_sqlite, migration_%04d_postgres}, %d, %s},\n",
			migration->number, migration->name, migration->number, migration->number,
			migration->since, migration->online ? "true" : "false");
	}
	fputs("\t{0, NULL, {NULL, NULL}, 0, false},\n};\n\n", out);
}

/* What moves the room's tables, which nobody calls by name. */
static void put_whole(FILE *out, const struct room *whole)
{
	for (size_t i = 0; i < whole->query_count; i++) {
		if (whole->queries[i]->rows == COUNT_MANY)
			put_struct(out, whole->queries[i], "out", &whole->queries[i]->out);
		put_query_source(out, whole, i, "static ");
	}
	fputs("static const struct table whole[] = {\n", out);
	for (size_t i = 0; i < whole->table_count; i++) {
		const char *name = whole->tables[i];

		fprintf(out, "\t{\"%s\", &q_%s_all_%s_query, &q_%s_put_%s_query, &q_%s_wipe_%s_query, %s},\n",
			name, whole->name, name, whole->name, name, whole->name, name,
			whole->seeded[i] ? "true" : "false");
	}
	fputs("\t{NULL, NULL, NULL, NULL, false},\n};\n\n", out);
}

void emit_source(FILE *out, const struct room *room, const struct room *whole, const char *header)
{
	put_banner(out, room);
	fprintf(out, "#include \"%s\"\n\n", header);
	for (size_t i = 0; i < room->query_count; i++)
		put_query_source(out, room, i, "");
	put_whole(out, whole);
	put_migrations(out, room);
	fputs("static const struct tenant_table tables[] = {\n", out);
	for (size_t i = 0; i < room->table_count; i++)
		fprintf(out, "\t{\"%s\", &q_%s_rows_%s_query, &q_%s_erase_%s_query},\n", room->tables[i],
			room->name, room->tables[i], room->name, room->tables[i]);
	fputs("\t{NULL, NULL, NULL},\n};\n\nstatic const struct query *const queries[] = {\n", out);
	for (size_t i = 0; i < room->query_count; i++)
		fprintf(out, "\t&q_%s_query,\n", room->queries[i]->name);
	fprintf(out,
		"\tNULL,\n};\n\n"
		"const struct query_set %s_queries = {\n"
		"\t.name = \"%s\",\n\t.room = ROOM_%s,\n\t.queries = queries,\n\t.count = %zu,\n"
		"\t.migrations = migrations,\n\t.migration_count = %zu,\n\t.tables = tables,\n\t.whole = "
		"whole,\n};\n",
		room->name, room->name, room->name, room->query_count, room->migration_count);
}
