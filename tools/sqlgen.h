/*
 * sqlgen: a room's queries.sql and migrations become typed C (see db/db.h).
 * What a file may say is told at the top of sqlgen.c.
 *
 * Memory is kept until the process ends: it runs for some milliseconds.
 */
#ifndef TOOLS_SQLGEN_H
#define TOOLS_SQLGEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { MEMBERS_MAX = 64, DOC_LINES_MAX = 24, INCLUDES_MAX = 24, ITEMS_MAX = 512 };

enum dialect { DIALECT_SQLITE, DIALECT_POSTGRES, DIALECT_COUNT };
#define DIALECT_BOTH ((1u << DIALECT_SQLITE) | (1u << DIALECT_POSTGRES))

enum kind { KIND_UUID, KIND_TIME, KIND_INT, KIND_BOOL, KIND_TEXT, KIND_JSON, KIND_ENUM, KIND_COUNT };
enum row_count { COUNT_UNSET, COUNT_NONE, COUNT_ONE, COUNT_MAYBE, COUNT_MANY };
enum scope { SCOPE_UNSET, SCOPE_TENANT, SCOPE_OPERATOR, SCOPE_GLOBAL };

struct place {
	const char *file;
	int line;
};

struct member {
	const char *path; /* dotted when it lies in a struct of a struct */
	enum kind kind;
	bool nullable;
	const char *words; /* of an enum: the list's name */
};

struct members {
	struct member items[MEMBERS_MAX];
	size_t count;
};

/* One SQL statement. `mask` is as long as `sql`, with blanks for what stands within quotes. */
struct statement {
	struct place at;
	char *sql, *mask;
	unsigned dialects;   /* bits: for which it was written */
	const char *because; /* of a migration's: why its keys are for all tenants; NULL: they are not */
};

struct query {
	struct place at;
	const char *name;
	enum row_count rows;
	enum scope scope;
	bool neighbours;	 /* a service in another process may ask it */
	bool replica;		 /* it may be asked of a copy of the store that is a little older */
	bool together;		 /* PostgreSQL may run it for many inputs at once */
	const char *together_by; /* the input by which its rows are told apart; NULL: it gives none */
	struct members in, out;
	const char
		*because; /* of a query without tenant: why it may see several tenants' rows; may be NULL */
	const char *in_struct, *out_struct; /* of a C header; NULL: one is made */
	const char *doc[DOC_LINES_MAX];
	size_t doc_lines;
	struct statement by_dialect[DIALECT_COUNT]; /* the same one twice, unless there are variants */
};

struct migration {
	struct place at;
	int number;
	const char *name;
	struct statement *statements[ITEMS_MAX];
	size_t count;
	bool online, blocking;
	int since; /* binaries that know that one may run beside it; 0: any */
};

struct room {
	const char *name;
	const char *queries_file;
	const char *includes[INCLUDES_MAX];
	size_t include_count;
	struct query *queries[ITEMS_MAX];
	size_t query_count;
	struct migration *migrations[ITEMS_MAX];
	size_t migration_count;
	const char *tables[ITEMS_MAX]; /* those of a tenant: sqlgen_tables.c */
	bool seeded[ITEMS_MAX];
	size_t table_count;
};

/* "file:line: message" on standard error; the run goes on, writes nothing and ends with 1. */
void fault(struct place at, const char *format, ...) __attribute__((format(printf, 2, 3)));

void *keep(size_t size);
char *keep_text(const char *from, size_t len);

/* sqlgen_parse.c */
void parse_queries(struct room *room, const char *file, const char *text);
void parse_migration(struct room *room, const char *file, const char *text);

/* sqlgen_migration.c */
void check_migration(const struct migration *migration);
/* A line of comment, without its dashes. */
void read_migration_mark(struct migration *migration, const char *comment);

/* sqlgen_tables.c, after the migrations. `whole`: the same room, with every table, and the queries by which
 * they move. */
void add_tables(struct room *room, struct room *whole);

/* sqlgen_check.c */
void check_room(const struct room *room);
/* Changes data: INSERT, UPDATE, DELETE, or a locking SELECT. */
bool statement_writes(const struct statement *statement);

/* An INSERT whose new rows are this tenant's: $1, or from a row that is. */
bool inserts_tenant(const char *mask);

/* sqlgen_tenant.c */
void check_wall(const struct room *room, const struct query *query);
/* Every key of a tenant's table holds tenant_id. */
void check_keys(const struct room *room, const struct statement *statement);
/* Does it mention a table that has a column tenant_id? */
bool query_sees_tenants(const struct room *room, const struct query *query);

/* sqlgen_together.c */
/* The statement for many inputs at once; NULL and a fault where there cannot be one. */
const char *together_text(const struct query *query);
/* Does it read the table that it adds to? */
bool together_looks_at_own(const struct query *query);

/* sqlgen_emit.c */
/* The text for one dialect, with :types replaced; NULL and a fault when there is an unknown one. */
char *statement_text(const struct statement *statement, enum dialect dialect);
void emit_header(FILE *out, const struct room *room);
void emit_source(FILE *out, const struct room *room, const struct room *whole, const char *header);

#endif
