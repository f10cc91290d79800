/*
 * What is wrong with a store itself: what it finds when it looks at its own pages and indexes, and where its
 * schema is not what the migrations make. The latter is asked of the store and of a scratch one that is made
 * for it and gone afterwards, and compared. Reads only, and beside whoever uses the store.
 */
#include "db/driver.h"

#include <stdarg.h>
#include <stdio.h>

struct fault_out {
	const char *what;
};

static const struct column fault_out[] = {
	{.name = "what", .kind = DB_TEXT, .offset = offsetof(struct fault_out, what)},
};

#define FAULTS(name_, sqlite, postgres)                                                                     \
	{                                                                                                   \
		.name = name_, .sql = {sqlite, postgres}, .out = fault_out,                                 \
		.out_count = ARRAY_LEN(fault_out), .out_size = sizeof(struct fault_out), .rows = ROWS_MANY, \
	}

static const struct query pages_query = FAULTS(
	"check_pages", "SELECT integrity_check FROM pragma_integrity_check(20) WHERE integrity_check <> 'ok'",
	"SELECT 'the index ' || c.relname || ' is invalid: no query uses it; drop it, and make it again' "
	"FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
	"WHERE NOT i.indisvalid AND c.relnamespace = to_regnamespace(quote_ident(current_schema())) ORDER BY "
	"1");

static const struct query references_query = FAULTS(
	"check_references",
	"SELECT \"table\" || ': row ' || rowid || ' refers to a row of ' || parent || ' that is not there' "
	"FROM pragma_foreign_key_check() LIMIT 20",
	"SELECT 'the constraint ' || conname || ' was never validated' FROM pg_constraint "
	"WHERE NOT convalidated AND connamespace = to_regnamespace(quote_ident(current_schema())) ORDER BY "
	"1");

struct item {
	const char *table, *item, *definition;
};

static const struct column item_out[] = {
	{.name = "table", .kind = DB_TEXT, .offset = offsetof(struct item, table)},
	{.name = "item", .kind = DB_TEXT, .offset = offsetof(struct item, item)},
	{.name = "definition", .kind = DB_TEXT, .offset = offsetof(struct item, definition)},
};

/* In SQL, as it reads best: the namespace's own name stands in definitions, and the scratch one has another.
 */
/* clang-format off */
#define HERE	"to_regnamespace(quote_ident(current_schema()))"
#define BARE(x)	"replace(" x ", quote_ident(current_schema()) || '.', '')"
#define TABLES	"FROM pg_class c "
#define OF_HERE	"WHERE c.relnamespace = " HERE " AND c.relkind IN ('r', 'p') "

#define COLUMNS \
	"SELECT CAST(c.relname AS text), 'column ' || a.attname, format_type(a.atttypid, a.atttypmod) || " \
	"CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '') " \
	TABLES "JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped " \
	"LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum " OF_HERE
#define INDEXES \
	"SELECT CAST(c.relname AS text), 'index ' || x.relname, " BARE("pg_get_indexdef(x.oid)") " " \
	TABLES "JOIN pg_index i ON i.indrelid = c.oid JOIN pg_class x ON x.oid = i.indexrelid " OF_HERE
#define CONSTRAINTS \
	"SELECT CAST(c.relname AS text), 'constraint ' || k.conname, " BARE("pg_get_constraintdef(k.oid)") " " \
	TABLES "JOIN pg_constraint k ON k.conrelid = c.oid " OF_HERE
#define POLICIES \
	"SELECT CAST(c.relname AS text), 'policy ' || p.polname, coalesce(pg_get_expr(p.polqual, p.polrelid), '') || " \
	"coalesce(' CHECK ' || pg_get_expr(p.polwithcheck, p.polrelid), '') " \
	TABLES "JOIN pg_policy p ON p.polrelid = c.oid " OF_HERE
#define WALLS \
	"SELECT CAST(c.relname AS text), 'row level security', CASE WHEN c.relrowsecurity THEN 'on' ELSE 'off' END || " \
	"CASE WHEN c.relforcerowsecurity THEN ', also for the owner' ELSE '' END " TABLES OF_HERE

static const struct query catalog_query = {
	.name = "check_catalog",
	.sql = {"SELECT tbl_name, type || ' ' || name, coalesce(sql, '') FROM sqlite_master "
		"WHERE name NOT LIKE 'sqlite_%' AND name <> 'marca_schema' ORDER BY 1, 2",
		"SELECT * FROM (" COLUMNS "UNION ALL " INDEXES "UNION ALL " CONSTRAINTS "UNION ALL " POLICIES "UNION ALL " WALLS
		") t (relname, item, definition) WHERE relname <> 'marca_schema' "
		"ORDER BY relname COLLATE \"C\", item COLLATE \"C\""},
	.out = item_out,
	.out_count = ARRAY_LEN(item_out),
	.out_size = sizeof(struct item),
	.rows = ROWS_MANY,
};
/* clang-format on */

/* One of the checks, which tells its faults. */
struct look {
	struct db *db;
	struct arena arena;
	db_fault_fn *tell;
	void *arg;
};

__attribute__((format(printf, 2, 3))) static void tell(struct look *look, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	look->tell(look->arg, text);
}

/* --- Pages and indexes ------------------------------------------------------- */

static enum rc tell_all(struct look *look, struct session *session, const struct query *query)
{
	const struct fault_out *faults;
	struct rows rows;
	enum rc rc = look->db->driver->session_query(session, query, NULL, &look->arena, &rows);

	if (rc != RC_OK)
		return rc;
	faults = rows.items;
	for (size_t i = 0; i < rows.count; i++)
		look->tell(look->arg, faults[i].what);
	return RC_OK;
}

enum rc db_inspect_pages(struct db *db, db_fault_fn *fn, void *arg)
{
	struct look look = {.db = db, .tell = fn, .arg = arg};
	struct session *session;
	enum rc rc = db->driver->session_open(db, &session);

	if (rc != RC_OK)
		return rc;
	arena_init(&look.arena, NULL);
	rc = tell_all(&look, session, &pages_query);
	if (rc == RC_OK)
		rc = tell_all(&look, session, &references_query);
	db->driver->session_close(session);
	arena_finish(&look.arena);
	return rc;
}

/* --- Drift ----------------------------------------------------------------------- */

/* In a transaction there is no CONCURRENTLY. */
static enum rc exec_plainly(struct look *look, struct session *session, const char *sql)
{
	static const char word[] = " CONCURRENTLY";
	const char *at = strstr(sql, word);
	char *plain = arena_text(&look->arena, str_from(sql));

	if (plain == NULL)
		return RC_NO_MEMORY;
	if (at != NULL)
		memmove(plain + (at - sql), at + sizeof(word) - 1, strlen(at + sizeof(word) - 1) + 1);
	return look->db->driver->session_exec(session, plain);
}

static enum rc make_all(struct look *look, struct session *session)
{
	const struct db *db = look->db;
	bool whole;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < db->set->migration_count; i++) {
		const struct migration *migration = &db->set->migrations[i];
		const char *const *sql = migration->statements[db_dialect(db)];

		for (; rc == RC_OK && *sql != NULL; sql++)
			rc = migration->online ? exec_plainly(look, session, *sql)
					       : db->driver->session_exec(session, *sql);
	}
	if (rc == RC_OK && db->driver->session_wall != NULL)
		rc = db->driver->session_wall(session, true, &whole);
	return rc;
}

static enum rc read_wanted(struct look *look, struct rows *ret)
{
	const struct driver *driver = look->db->driver;
	struct session *scratch;
	enum rc rc = driver->scratch_open(look->db, &scratch);

	if (rc != RC_OK)
		return rc;
	rc = make_all(look, scratch);
	if (rc == RC_OK)
		rc = driver->session_query(scratch, &catalog_query, NULL, &look->arena, ret);
	driver->scratch_close(scratch);
	return rc;
}

static enum rc read_found(struct look *look, struct rows *ret)
{
	const struct driver *driver = look->db->driver;
	struct session *session;
	enum rc rc = driver->session_open(look->db, &session);

	if (rc != RC_OK)
		return rc;
	rc = driver->session_query(session, &catalog_query, NULL, &look->arena, ret);
	driver->session_close(session);
	return rc;
}

static int by_place(const struct item *one, const struct item *other)
{
	int order = strcmp(one->table, other->table);

	return order != 0 ? order : strcmp(one->item, other->item);
}

static bool has_table(const struct rows *rows, const char *table)
{
	const struct item *items = rows->items;

	for (size_t i = 0; i < rows->count; i++)
		if (strcmp(items[i].table, table) == 0)
			return true;
	return false;
}

/* Several rooms may share a database: other tables may be theirs. What a newer marca has added may stay. */
static void tell_extra(struct look *look, const struct rows *wanted, const struct item *item, bool newer)
{
	bool ours = !look->db->driver->shared || has_table(wanted, item->table);

	if (ours && !newer)
		tell(look, "%s: %s is there, and no migration makes it: %s", item->table, item->item,
		     item->definition);
}

static void compare(struct look *look, const struct rows *wanted, const struct rows *found, bool newer)
{
	const struct item *want = wanted->items, *have = found->items;
	const struct item *want_end = want + wanted->count, *have_end = have + found->count;

	while (want < want_end || have < have_end) {
		int order = want == want_end ? 1 : have == have_end ? -1 : by_place(want, have);

		if (order == 0 && strcmp(want->definition, have->definition) != 0)
			tell(look, "%s: %s is %s, and the migrations make it %s", have->table, have->item,
			     have->definition, want->definition);
		if (order < 0)
			tell(look, "%s: %s is not there: %s", want->table, want->item, want->definition);
		if (order > 0)
			tell_extra(look, wanted, have, newer);
		want += order <= 0;
		have += order >= 0;
	}
}

enum rc db_inspect_schema(struct db *db, db_fault_fn *fn, void *arg)
{
	struct look look = {.db = db, .tell = fn, .arg = arg};
	struct rows wanted, found;
	int version = 0;
	bool fits;
	enum rc rc = db_schema_version(db, &version, &fits);

	if (rc != RC_OK)
		return rc;
	arena_init(&look.arena, NULL);
	rc = read_found(&look, &found);
	if (rc == RC_OK)
		rc = read_wanted(&look, &wanted);
	if (rc == RC_OK)
		compare(&look, &wanted, &found, (size_t)version > db->set->migration_count);
	arena_finish(&look.arena);
	return rc;
}
