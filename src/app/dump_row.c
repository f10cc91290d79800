/* See dump.h. Rows are structs whose members are known from the table's columns alone. */
#include "app/dump.h"
#include "json/canonical.h"
#include "json/tree.h"

/* --- Out ---------------------------------------------------------------------- */

static void write_uuid(struct writer *w, const void *member)
{
	char text[UUID_TEXT_LEN + 1];

	write_char(w, '"');
	write_raw(w, str_from(uuid_text(text, member)));
	write_char(w, '"');
}

/* As a text, so that a column that is null and one that holds JSON's null stay two. */
static bool write_json(struct writer *w, const char *text)
{
	struct writer canonical;
	struct str said;

	writer_init(&canonical, w->arena, 256);
	if (!write_canonical(&canonical, str_from(text)) || !writer_take(&canonical, &said))
		return false;
	write_text(w, said);
	return true;
}

static bool is_none(const struct column *column, const void *member)
{
	const char *text;
	int64_t number;

	if (!column->nullable)
		return false;
	if (column->kind == DB_UUID)
		return uuid_is_none(member);
	if (column->kind == DB_TEXT || column->kind == DB_JSON) {
		memcpy(&text, member, sizeof(text));
		return text == NULL;
	}
	memcpy(&number, member, sizeof(number));
	return number == INT_NONE;
}

static bool write_value(struct writer *w, const struct column *column, const void *member)
{
	const char *text;
	int64_t number;

	if (is_none(column, member)) {
		write_raw(w, STR("null"));
		return true;
	}
	switch (column->kind) {
	case DB_UUID:
		write_uuid(w, member);
		return true;
	case DB_TIME:
	case DB_INT:
		memcpy(&number, member, sizeof(number));
		write_int(w, number);
		return true;
	case DB_BOOL:
		write_raw(w, *(const bool *)member ? STR("true") : STR("false"));
		return true;
	case DB_TEXT:
		memcpy(&text, member, sizeof(text));
		write_text(w, str_from(text));
		return true;
	case DB_JSON:
		memcpy(&text, member, sizeof(text));
		return write_json(w, text);
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
		if (!write_value(w, &all->out[i], (const char *)row + all->out[i].offset))
			return false;
	}
	write_raw(w, STR("}}\n"));
	return !w->failed;
}

/* --- In ------------------------------------------------------------------------ */

static bool read_none(const struct column *column, void *member)
{
	const int64_t none = INT_NONE;

	if (!column->nullable)
		return false;
	if (column->kind == DB_TIME || column->kind == DB_INT)
		memcpy(member, &none, sizeof(none));
	return true; /* the others are zeroed, and so none */
}

static bool read_text(struct arena *arena, const struct json_t *value, void *member)
{
	const char *text = tree_kind(value) == TREE_TEXT ? arena_text(arena, tree_text(value)) : NULL;

	memcpy(member, &text, sizeof(text));
	return text != NULL;
}

static bool read_value(struct arena *arena, const struct column *column, const struct json_t *value,
		       void *member)
{
	enum tree_kind kind = tree_kind(value);
	int64_t number;

	if (kind == TREE_NULL)
		return read_none(column, member);
	switch (column->kind) {
	case DB_UUID:
		return kind == TREE_TEXT && uuid_parse(tree_text(value), member);
	case DB_TIME:
	case DB_INT:
		if (kind != TREE_INT)
			return false;
		number = tree_int(value);
		memcpy(member, &number, sizeof(number));
		return true;
	case DB_BOOL:
		if (kind != TREE_BOOL)
			return false;
		*(bool *)member = tree_bool(value);
		return true;
	case DB_TEXT:
	case DB_JSON:
		return read_text(arena, value, member);
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

		if (value == NULL || !read_value(arena, column, value, (char *)made + column->offset)) {
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
