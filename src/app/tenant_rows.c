/* See tenant_rows.h. Rows are structs whose members are known from the query's columns alone. */
#include "app/tenant_rows.h"

#include "json/write.h"

#define PAGE 500

static const struct {
	enum kind kind; /* as JSON */
	size_t size;	/* of the member */
} kinds[] = {
	[DB_UUID] = {KIND_UUID, sizeof(struct uuid)},  [DB_TIME] = {KIND_INSTANT, sizeof(utime)},
	[DB_INT] = {KIND_INT, sizeof(int64_t)},	       [DB_BOOL] = {KIND_BOOL, sizeof(bool)},
	[DB_TEXT] = {KIND_TEXT, sizeof(const char *)}, [DB_JSON] = {KIND_JSON, sizeof(const char *)},
};

/* --- Paging ----------------------------------------------------------------------- */

/* In: tenant_id, then (where there are pages) the key after which one begins, and a limit. */
static size_t key_count(const struct query *query)
{
	return query->in_count > 1 ? query->in_count - 2 : 0;
}

static void *member(void *object, const struct column *column)
{
	return (char *)object + column->offset;
}

/* Before every row: nil, "", and the least number. */
static void begin(const struct query *query, const struct uuid *tenant, void *in)
{
	const int64_t least = UTIME_MIN, limit = PAGE;
	const char *empty = "";

	memcpy(member(in, &query->in[0]), tenant, sizeof(*tenant));
	for (size_t i = 1; i <= key_count(query); i++) {
		const struct column *column = &query->in[i];

		if (column->kind == DB_TEXT)
			memcpy(member(in, column), &empty, sizeof(empty));
		else if (column->kind != DB_UUID)
			memcpy(member(in, column), &least, sizeof(least));
	}
	if (query->in_count > 1)
		memcpy(member(in, &query->in[query->in_count - 1]), &limit, sizeof(limit));
}

/* "after_id" takes the row's "id". */
static void go_on(const struct query *query, void *row, void *in)
{
	for (size_t i = 1; i <= key_count(query); i++)
		for (size_t j = 0; j < query->out_count; j++)
			if (strcmp(query->in[i].name + strlen("after_"), query->out[j].name) == 0)
				memcpy(member(in, &query->in[i]), member(row, &query->out[j]),
				       kinds[query->in[i].kind].size);
}

/* --- Writing ------------------------------------------------------------------------ */

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), tail = strlen(end);

	return len >= tail && strcmp(text + len - tail, end) == 0;
}

/* The hashes of the trail prove what happened, and nobody's identity. */
static bool is_secret(const char *service, const struct column *column)
{
	return ends_with(column->name, "sealed") || ends_with(column->name, "secret") ||
	       (ends_with(column->name, "hash") && strcmp(service, "audit") != 0);
}

static void write_row(struct writer *w, const char *service, const struct tenant_table *table, void *row)
{
	const struct query *query = table->rows;
	bool first = true;

	write_raw(w, STR("{\"service\":"));
	write_text(w, str_from(service));
	write_raw(w, STR(",\"table\":"));
	write_text(w, str_from(table->name));
	write_raw(w, STR(",\"row\":{"));
	for (size_t i = 0; i < query->out_count; i++) {
		const struct column *column = &query->out[i];
		const struct field field = {.name = column->name,
					    .kind = kinds[column->kind].kind,
					    .need = column->nullable ? OPTIONAL : REQUIRED};

		if (is_secret(service, column))
			continue;
		if (!first)
			write_char(w, ',');
		first = false;
		write_text(w, str_from(column->name));
		write_char(w, ':');
		write_member(w, &field, member(row, column));
	}
	write_raw(w, STR("}}\n"));
}

static enum rc write_page(struct ctx *cx, const char *service, const struct tenant_table *table, void *in,
			  FILE *out, size_t *ret_count)
{
	struct ctx page = *cx;
	struct writer writer;
	struct arena arena;
	struct rows rows;
	struct str text;
	char *row;
	enum rc rc;

	arena_init(&arena, cx->arena->pool);
	page.arena = &arena;
	rc = db_read(&page, table->rows, in, &rows);
	writer_init(&writer, &arena, 65536);
	for (size_t i = 0; rc == RC_OK && i < rows.count; i++) {
		row = (char *)rows.items + i * table->rows->out_size;
		write_row(&writer, service, table, row);
		go_on(table->rows, row, in);
	}
	if (rc == RC_OK && !writer_take(&writer, &text))
		rc = RC_NO_MEMORY;
	if (rc == RC_OK && fwrite(text.p, 1, text.len, out) != text.len)
		rc = RC_INTERNAL;
	*ret_count = rc == RC_OK ? rows.count : 0;
	/* A text of the key lies in this page's memory, and is needed for the next. */
	for (size_t i = 1; rc == RC_OK && i <= key_count(table->rows); i++) {
		const struct column *column = &table->rows->in[i];
		const char *kept;

		if (column->kind != DB_TEXT)
			continue;
		memcpy(&kept, member(in, column), sizeof(kept));
		kept = arena_text(cx->arena, str_from(kept));
		if (kept == NULL)
			rc = RC_NO_MEMORY;
		else
			memcpy(member(in, column), &kept, sizeof(kept));
	}
	arena_finish(&arena);
	return rc;
}

enum rc tenant_rows_write(struct ctx *cx, const char *service, const struct tenant_table *table,
			  const struct uuid *tenant, FILE *out, int64_t *ret_rows)
{
	void *in = arena_alloc(cx->arena, table->rows->in_size);
	size_t count;
	enum rc rc;

	if (in == NULL)
		return RC_NO_MEMORY;
	begin(table->rows, tenant, in);
	do {
		rc = write_page(cx, service, table, in, out, &count);
		*ret_rows += (int64_t)count;
	} while (rc == RC_OK && count == PAGE && key_count(table->rows) > 0);
	return rc;
}

/* --- Erasing ------------------------------------------------------------------------ */

enum rc tenant_rows_erase(struct ctx *cx, enum room room, const struct tenant_table *table,
			  const struct uuid *tenant, int64_t *ret_rows)
{
	void *in = arena_alloc(cx->arena, table->erase->in_size);
	size_t count = PAGE;
	enum rc rc = in != NULL ? RC_OK : RC_NO_MEMORY;

	if (rc == RC_OK)
		begin(table->erase, tenant, in);
	while (rc == RC_OK && count == PAGE) {
		struct script script;
		struct step *step;

		script_init(&script, cx, room, tenant, tenant);
		step = script_add(&script, table->erase, in);
		rc = db_write(&script);
		count = rc == RC_OK ? step->rows.count : 0;
		*ret_rows += (int64_t)count;
	}
	return rc;
}
