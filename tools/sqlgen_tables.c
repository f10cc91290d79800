/*
 * For every table of a tenant (its primary key begins with tenant_id): a query that reads its rows page by
 * page, and one that erases them. For every table at all: one that reads it whole, one that puts a row into
 * it, one that empties it, by which a store moves. Made from the migrations, so that whoever adds a table
 * cannot forget that a tenant may ask for all that is kept of it, or that it be erased; nor that it be in a
 * backup. They are read like written ones, and held to the same rules.
 */
#include "sqlgen.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { COLUMNS_MAX = 48, TABLES_MAX = 64, KEY_MAX = 5 };

struct column {
	const char *name, *type; /* "uuid" */
	bool nullable;
};

struct table {
	const char *name;
	struct column columns[COLUMNS_MAX];
	size_t count;
	const char *key[KEY_MAX]; /* the primary key's */
	size_t key_count;
	bool of_tenant; /* it begins with tenant_id */
	bool seeded;	/* a migration puts rows into it */
};

static const char *blanks(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

/* The word at *p, which then stands behind it. */
static const char *word(const char **p)
{
	const char *start = blanks(*p);
	size_t len = strspn(start, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_:");

	*p = start + len;
	return keep_text(start, len);
}

/* Past `text` when p begins with it; else NULL. */
static const char *after(const char *p, const char *text)
{
	p = blanks(p);
	return strncasecmp(p, text, strlen(text)) == 0 ? p + strlen(text) : NULL;
}

/* Where the item of a list ends: at a comma or the closing bracket of this level. */
static const char *item_end(const char *p)
{
	int depth = 0;

	for (; *p != '\0' && !(depth == 0 && (*p == ',' || *p == ')')); p++)
		depth += (*p == '(') - (*p == ')');
	return p;
}

static void add_key(struct table *table, const char *name)
{
	if (table->key_count == 0)
		table->of_tenant = strcmp(name, "tenant_id") == 0;
	if (table->key_count < KEY_MAX)
		table->key[table->key_count] = name;
	table->key_count++;
}

static void read_key(struct table *table, const char *p)
{
	p = blanks(p) + 1; /* the bracket */
	while (*p != '\0' && *p != ')') {
		add_key(table, word(&p));
		p = blanks(p);
		p += *p == ',';
	}
}

static void read_column(struct table *table, const char *p)
{
	const char *end = item_end(p), *null;
	struct column column;

	column.name = word(&p);
	column.type = word(&p) + 1; /* without its colon */
	null = strstr(p, "NOT NULL");
	column.nullable = null == NULL || null > end;
	if (table->count < COLUMNS_MAX)
		table->columns[table->count] = column;
	table->count++;
	if (strstr(p, "PRIMARY KEY") != NULL && strstr(p, "PRIMARY KEY") < end)
		add_key(table, column.name);
}

static void read_table(struct table *table, const char *p)
{
	table->name = word(&p);
	for (p = blanks(p); *p == '(' || *p == ','; p = item_end(p)) {
		const char *key = after(++p, "PRIMARY KEY");

		if (key != NULL)
			read_key(table, key);
		else if (after(p, "CONSTRAINT") == NULL && after(p, "UNIQUE") == NULL &&
			 after(p, "FOREIGN") == NULL && after(p, "CHECK") == NULL)
			read_column(table, p);
	}
}

static struct table *find(struct table *tables, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(tables[i].name, name) == 0)
			return &tables[i];
	return NULL;
}

static void check_table(const struct table *table, struct place at)
{
	if (table->key_count == 0)
		fault(at, "table `%s` has no primary key, by which its rows are read in order", table->name);
	if (table->count > COLUMNS_MAX || table->key_count > KEY_MAX)
		fault(at, "table `%s` is too wide: see COLUMNS_MAX and KEY_MAX", table->name);
}

static void drop_column(struct table *table, const char *name)
{
	size_t i = 0;

	while (i < table->count && strcmp(table->columns[i].name, name) != 0)
		i++;
	if (i == table->count)
		return;
	table->count--;
	memmove(&table->columns[i], &table->columns[i + 1], (table->count - i) * sizeof(table->columns[0]));
}

/* Whatever else is done to a table would have to be understood here. */
static void alter_table(struct table *tables, size_t count, const char *p, struct place at)
{
	struct table *table = find(tables, count, word(&p));
	const char *rest;

	if (table == NULL)
		fault(at, "ALTER TABLE of one that was not created before");
	else if ((rest = after(p, "ADD COLUMN")) != NULL)
		read_column(table, rest);
	else if ((rest = after(p, "DROP COLUMN")) != NULL)
		drop_column(table, word(&rest));
	else if ((rest = after(p, "RENAME TO")) != NULL)
		table->name = word(&rest);
	else
		fault(at, "sqlgen_tables.c knows ADD COLUMN, DROP COLUMN and RENAME TO");
	if (table != NULL)
		check_table(table, at);
}

static void drop_table(struct table *tables, size_t *count, const char *p, struct place at)
{
	struct table *table = find(tables, *count, word(&p));

	if (table == NULL) {
		fault(at, "DROP TABLE of one that was not created before");
		return;
	}
	(*count)--;
	memmove(table, table + 1, (size_t)(tables + *count - table) * sizeof(*table));
}

static void read_statement(struct table *tables, size_t *count, const struct statement *statement)
{
	const char *mask = statement->mask, *p;
	struct table *table;

	if ((p = after(mask, "CREATE TABLE")) != NULL) {
		if (*count == TABLES_MAX) {
			fault(statement->at, "too many tables: see TABLES_MAX");
			return;
		}
		read_table(&tables[*count], p);
		check_table(&tables[*count], statement->at);
		(*count)++;
	} else if ((p = after(mask, "ALTER TABLE")) != NULL) {
		alter_table(tables, *count, p, statement->at);
	} else if ((p = after(mask, "INSERT INTO")) != NULL) {
		table = find(tables, *count, word(&p));
		if (table != NULL)
			table->seeded = true;
	} else if ((p = after(mask, "DROP TABLE")) != NULL) {
		drop_table(tables, count, p, statement->at);
	}
}

static const char *type_of(const struct table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return table->columns[i].type;
	return "text";
}

/* The key after tenant_id: a, b, c; each after `prefix`. */
static void put_names(FILE *out, const struct table *table, const char *prefix)
{
	for (size_t i = 1; i < table->key_count; i++)
		fprintf(out, "%s%s%s", i > 1 ? ", " : "", prefix, table->key[i]);
}

/* The columns as members: a:uuid b:text? */
static void put_members(FILE *out, const struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		fprintf(out, " %s:%s%s", table->columns[i].name, table->columns[i].type,
			table->columns[i].nullable && strcmp(table->columns[i].type, "bool") != 0 ? "?" : "");
}

static void put_rows(FILE *out, const char *room, const struct table *table)
{
	fprintf(out, "-- :name %s_rows_%s :many\n-- :scope tenant\n-- :in tenant_id:uuid", room, table->name);
	for (size_t i = 1; i < table->key_count; i++)
		fprintf(out, " after_%s:%s", table->key[i], type_of(table, table->key[i]));
	fputs(table->key_count > 1 ? " limit:int\n-- :out" : "\n-- :out", out);
	put_members(out, table);
	fputs("\nSELECT ", out);
	for (size_t i = 0; i < table->count; i++)
		fprintf(out, "%st.%s", i > 0 ? ", " : "", table->columns[i].name);
	fprintf(out, "\n  FROM %s t WHERE t.tenant_id = $1", table->name);
	if (table->key_count > 1) {
		fputs(" AND (", out);
		put_names(out, table, "t.");
		fputs(") > (", out);
		for (size_t i = 1; i < table->key_count; i++)
			fprintf(out, "%s$%zu", i > 1 ? ", " : "", i + 1);
		fputs(") ORDER BY ", out);
		put_names(out, table, "t.");
		fprintf(out, " LIMIT $%zu", table->key_count + 1);
	}
	fputs(";\n\n", out);
}

static void put_erasure(FILE *out, const char *room, const struct table *table)
{
	fprintf(out, "-- :name %s_erase_%s :many\n-- :scope tenant\n-- :in tenant_id:uuid%s\n", room,
		table->name, table->key_count > 1 ? " limit:int" : "");
	fprintf(out, "-- :out tenant_id:uuid\nDELETE FROM %s WHERE tenant_id = $1", table->name);
	if (table->key_count > 1) {
		fputs(" AND (", out);
		put_names(out, table, "");
		fputs(") IN (SELECT ", out);
		put_names(out, table, "t.");
		fprintf(out, " FROM %s t WHERE t.tenant_id = $1 LIMIT $2)", table->name);
	}
	fputs(" RETURNING tenant_id;\n\n", out);
}

/* --- Whole tables ------------------------------------------------------------------- */

/* SQLite compares texts byte by byte; PostgreSQL is told to, so that both give the same order. */
static void put_all_in(FILE *out, const struct table *table, const char *collation)
{
	fputs("SELECT ", out);
	for (size_t i = 0; i < table->count; i++)
		fprintf(out, "%st.%s", i > 0 ? ", " : "", table->columns[i].name);
	fprintf(out, "\n  FROM %s t ORDER BY ", table->name);
	for (size_t i = 0; i < table->key_count; i++)
		fprintf(out, "%st.%s%s", i > 0 ? ", " : "", table->key[i],
			strcmp(type_of(table, table->key[i]), "text") == 0 ? collation : "");
	fputs(";\n", out);
}

static void put_all(FILE *out, const char *room, const struct table *table)
{
	fprintf(out,
		"-- :name %s_all_%s :many\n-- :scope global\n-- :because A store moves as a whole.\n-- :out",
		room, table->name);
	put_members(out, table);
	fputs("\n-- :sqlite\n", out);
	put_all_in(out, table, "");
	fputs("-- :postgres\n", out);
	put_all_in(out, table, " COLLATE \"C\"");
	fputc('\n', out);
}

static void put_insertion(FILE *out, const char *room, const struct table *table)
{
	fprintf(out,
		"-- :name %s_put_%s :none\n-- :scope global\n-- :because A store moves as a whole.\n"
		"-- :in struct q_%s_all_%s_out:",
		room, table->name, room, table->name);
	put_members(out, table);
	fprintf(out, "\nINSERT INTO %s (", table->name);
	for (size_t i = 0; i < table->count; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "", table->columns[i].name);
	fputs(")\nVALUES (", out);
	for (size_t i = 0; i < table->count; i++)
		fprintf(out, "%s$%zu", i > 0 ? ", " : "", i + 1);
	fputs(");\n\n", out);
}

static void put_wipe(FILE *out, const char *room, const struct table *table)
{
	fprintf(out,
		"-- :name %s_wipe_%s :none\n-- :scope global\n-- :because A store moves as a whole.\n"
		"DELETE FROM %s;\n\n",
		room, table->name, table->name);
}

/* --- The room ----------------------------------------------------------------------- */

static void parse(struct room *room, FILE *out, char **text, const size_t *size)
{
	if (out == NULL || fclose(out) != 0)
		abort();
	parse_queries(room, "sqlgen_tables.c", keep_text(*text, *size));
	free(*text);
}

void add_tables(struct room *room, struct room *whole)
{
	static struct table tables[TABLES_MAX];
	size_t count = 0, size, whole_size;
	char *text = NULL, *whole_text = NULL;
	FILE *out = open_memstream(&text, &size), *whole_out = open_memstream(&whole_text, &whole_size);

	for (size_t i = 0; i < room->migration_count; i++)
		for (size_t j = 0; j < room->migrations[i]->count; j++)
			read_statement(tables, &count, room->migrations[i]->statements[j]);
	for (size_t i = 0; i < count && out != NULL && whole_out != NULL; i++) {
		put_all(whole_out, room->name, &tables[i]);
		put_insertion(whole_out, room->name, &tables[i]);
		put_wipe(whole_out, room->name, &tables[i]);
		whole->tables[whole->table_count] = tables[i].name;
		whole->seeded[whole->table_count++] = tables[i].seeded;
		if (!tables[i].of_tenant)
			continue;
		put_rows(out, room->name, &tables[i]);
		put_erasure(out, room->name, &tables[i]);
		room->tables[room->table_count++] = tables[i].name;
	}
	parse(room, out, &text, &size);
	parse(whole, whole_out, &whole_text, &whole_size);
}
