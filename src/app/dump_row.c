/* See dump.h. Rows are structs whose members are known from the table's columns alone. */
#include "app/dump.h"
#include "db/value.h"
#include "json/canonical.h"
#include "json/tree.h"

/* --- Out ---------------------------------------------------------------------- */

static void write_uuid(struct writer *w, const struct uuid *id)
{
	char text[UUID_TEXT_LEN + 1];

	write_char(w, '"');
	write_raw(w, str_from(uuid_text(text, id)));
	write_char(w, '"');
}

/* As a text, so that a column that is null and one that holds JSON's null stay two. */
static bool write_json(struct writer *w, struct str text)
{
	struct writer canonical;
	struct str said;

	writer_init(&canonical, w->arena, 256);
	if (!write_canonical(&canonical, text) || !writer_take(&canonical, &said))
		return false;
	write_text(w, said);
	return true;
}

static bool write_value(struct writer *w, const struct column *column, const void *row)
{
	if (value_is_none(column, row)) {
		write_raw(w, STR("null"));
		return true;
	}
	switch (column->kind) {
	case DB_UUID:
		write_uuid(w, value_uuid(column, row));
		return true;
	case DB_TIME:
	case DB_INT:
		write_int(w, value_int(column, row));
		return true;
	case DB_BOOL:
		write_raw(w, value_int(column, row) != 0 ? STR("true") : STR("false"));
		return true;
	case DB_TEXT:
		write_text(w, value_text(column, row));
		return true;
	case DB_JSON:
		return write_json(w, value_text(column, row));
	case DB_ENUM: /* no table has one */
		break;
	}
	return false;
}

bool dump_row_write(struct writer *w, const char *service, const struct table *table, const void *row)
{
	const struct query *all = table->all;

	write_raw(w, STR("{\"service\":"));
	write_text(w, str_from(service));
	write_raw(w, STR(",\"table\":"));
	write_text(w, str_from(table->name));
	write_raw(w, STR(",\"row\":{"));
	for (size_t i = 0; i < all->out_count; i++) {
		if (i > 0)
			write_char(w, ',');
		write_text(w, str_from(all->out[i].name));
		write_char(w, ':');
		if (!write_value(w, &all->out[i], row))
			return false;
	}
	write_raw(w, STR("}}\n"));
	return !w->failed;
}

/* --- In ------------------------------------------------------------------------ */

static bool read_uuid(const struct column *column, struct str text, void *row)
{
	struct uuid id;

	if (!uuid_parse(text, &id))
		return false;
	value_set_uuid(column, row, id.b);
	return true;
}

static bool read_value(struct arena *arena, const struct column *column, const struct json_t *value,
		       void *row)
{
	enum tree_kind kind = tree_kind(value);
	bool is_text = kind == TREE_TEXT;

	if (kind == TREE_NULL)
		return value_set_none(column, row);
	switch (column->kind) {
	case DB_UUID:
		return is_text && read_uuid(column, tree_text(value), row);
	case DB_TIME:
	case DB_INT:
		if (kind == TREE_INT)
			value_set_int(column, row, tree_int(value));
		return kind == TREE_INT;
	case DB_BOOL:
		if (kind == TREE_BOOL)
			value_set_int(column, row, tree_bool(value));
		return kind == TREE_BOOL;
	case DB_TEXT:
	case DB_JSON:
		return is_text && value_set_text(column, row, arena, tree_text(value)) == RC_OK;
	case DB_ENUM:
		break;
	}
	return false;
}

void *dump_row_read(struct arena *arena, const struct table *table, const struct json_t *row,
		    const char **ret_why)
{
	const struct query *put = table->put;
	void *made = arena_alloc(arena, put->in_size);
	size_t members = 0;

	if (made == NULL) {
		*ret_why = "no memory";
		return NULL;
	}
	for (struct tree_walk walk = {0}; tree_next(row, &walk);)
		members++;
	for (size_t i = 0; i < put->in_count; i++) {
		const struct column *column = &put->in[i];
		const struct json_t *value = tree_member(row, column->name);

		if (value == NULL || !read_value(arena, column, value, made)) {
			*ret_why = arena_printf(arena, "%s.%s is missing, or of another type", table->name,
						column->name);
			return NULL;
		}
	}
	if (members != put->in_count) {
		*ret_why = arena_printf(arena, "%s has a column that this marca does not know", table->name);
		return NULL;
	}
	return made;
}
