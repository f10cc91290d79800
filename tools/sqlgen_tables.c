/*
 * For every table of a tenant (its primary key begins with tenant_id): a query that reads its rows page by
 * page, and one that erases them. Made from the migrations, so that whoever adds a table cannot forget that a
 * tenant may ask for all that is kept of it, or that it be erased. They are read like written ones, and held
 * to the same rules.
 */
#include "sqlgen.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { COLUMNS_MAX = 48, TABLES_MAX = 32, KEY_MAX = 4 };

struct column {
	const char *name, *type; /* "uuid" */
	bool nullable;
};

struct table {
	const char *name;
	struct column columns[COLUMNS_MAX];
	size_t count;
	const char *key[KEY_MAX]; /* without tenant_id */
	size_t key_count;
	bool of_tenant;
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

static void read_key(struct table *table, const char *p)
{
	p = blanks(p) + 1; /* the bracket */
	for (bool first = true; *p != '\0' && *p != ')'; first = false) {
		const char *name = word(&p);

		if (first)
			table->of_tenant = strcmp(name, "tenant_id") == 0;
		else if (table->key_count < KEY_MAX)
			table->key[table->key_count++] = name;
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
		table->columns[table->count++] = column;
	if (strstr(p, "PRIMARY KEY") != NULL && strstr(p, "PRIMARY KEY") < end)
		table->of_tenant = strcmp(column.name, "tenant_id") == 0;
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

static void read_statement(struct table *tables, size_t *count, const struct statement *statement)
{
	const char *p = after(statement->mask, "CREATE TABLE"), *name;
	struct table *table;

	if (p != NULL && *count < TABLES_MAX) {
		read_table(&tables[(*count)++], p);
		return;
	}
	p = after(statement->mask, "ALTER TABLE");
	if (p == NULL)
		return;
	name = word(&p);
	p = after(p, "ADD COLUMN");
	table = p != NULL ? find(tables, *count, name) : NULL;
	if (table != NULL)
		read_column(table, p);
}

static const char *type_of(const struct table *table, const char *name)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->columns[i].name, name) == 0)
			return table->columns[i].type;
	return "text";
}

/* a, b, c; each after `prefix`. */
static void put_names(FILE *out, const struct table *table, const char *prefix)
{
	for (size_t i = 0; i < table->key_count; i++)
		fprintf(out, "%s%s%s", i > 0 ? ", " : "", prefix, table->key[i]);
}

static void put_rows(FILE *out, const char *room, const struct table *table)
{
	fprintf(out, "-- :name %s_rows_%s :many\n-- :scope tenant\n-- :in tenant_id:uuid", room, table->name);
	for (size_t i = 0; i < table->key_count; i++)
		fprintf(out, " after_%s:%s", table->key[i], type_of(table, table->key[i]));
	fputs(table->key_count > 0 ? " limit:int\n-- :out" : "\n-- :out", out);
	for (size_t i = 0; i < table->count; i++)
		fprintf(out, " %s:%s%s", table->columns[i].name, table->columns[i].type,
			table->columns[i].nullable && strcmp(table->columns[i].type, "bool") != 0 ? "?" : "");
	fputs("\nSELECT ", out);
	for (size_t i = 0; i < table->count; i++)
		fprintf(out, "%st.%s", i > 0 ? ", " : "", table->columns[i].name);
	fprintf(out, "\n  FROM %s t WHERE t.tenant_id = $1", table->name);
	if (table->key_count > 0) {
		fputs(" AND (", out);
		put_names(out, table, "t.");
		fputs(") > (", out);
		for (size_t i = 0; i < table->key_count; i++)
			fprintf(out, "%s$%zu", i > 0 ? ", " : "", i + 2);
		fputs(") ORDER BY ", out);
		put_names(out, table, "t.");
		fprintf(out, " LIMIT $%zu", table->key_count + 2);
	}
	fputs(";\n\n", out);
}

static void put_erasure(FILE *out, const char *room, const struct table *table)
{
	fprintf(out, "-- :name %s_erase_%s :many\n-- :scope tenant\n-- :in tenant_id:uuid%s\n", room,
		table->name, table->key_count > 0 ? " limit:int" : "");
	fprintf(out, "-- :out tenant_id:uuid\nDELETE FROM %s WHERE tenant_id = $1", table->name);
	if (table->key_count > 0) {
		fputs(" AND (", out);
		put_names(out, table, "");
		fputs(") IN (SELECT ", out);
		put_names(out, table, "t.");
		fprintf(out, " FROM %s t WHERE t.tenant_id = $1 LIMIT $2)", table->name);
	}
	fputs(" RETURNING tenant_id;\n\n", out);
}

void add_tables(struct room *room)
{
	static struct table tables[TABLES_MAX];
	size_t count = 0, size;
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < room->migration_count; i++)
		for (size_t j = 0; j < room->migrations[i]->count; j++)
			read_statement(tables, &count, room->migrations[i]->statements[j]);
	for (size_t i = 0; i < count && out != NULL; i++) {
		if (!tables[i].of_tenant || room->table_count == ITEMS_MAX)
			continue;
		put_rows(out, room->name, &tables[i]);
		put_erasure(out, room->name, &tables[i]);
		room->tables[room->table_count++] = tables[i].name;
	}
	if (out == NULL || fclose(out) != 0)
		abort();
	parse_queries(room, "sqlgen_tables.c", keep_text(text, size));
	free(text);
}
