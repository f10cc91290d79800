/* See columns.h. */
#include "neighbour/columns.h"

#include "json/tree.h"

static void write_value(struct writer *writer, const struct column *column, const void *object)
{
	char uuid[UUID_TEXT_LEN + 1];

	if (value_is_none(column, object)) {
		write_raw(writer, STR("null"));
		return;
	}
	switch (column->kind) {
	case DB_UUID:
		write_text(writer, str_from(uuid_text(uuid, value_uuid(column, object))));
		break;
	case DB_TIME:
	case DB_INT:
		write_int(writer, value_int(column, object));
		break;
	case DB_BOOL:
		write_raw(writer, value_int(column, object) != 0 ? STR("true") : STR("false"));
		break;
	case DB_TEXT:
	case DB_JSON:
	case DB_ENUM:
		write_text(writer, value_text(column, object));
		break;
	}
}

void columns_write(struct writer *writer, const struct column *columns, size_t count, const void *object)
{
	write_char(writer, '{');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			write_char(writer, ',');
		write_text(writer, str_from(columns[i].name));
		write_char(writer, ':');
		write_value(writer, &columns[i], object);
	}
	write_char(writer, '}');
}

static enum rc read_text(const struct column *column, struct str text, struct arena *arena, void *object)
{
	struct uuid uuid;
	enum rc rc;

	if (column->kind != DB_UUID) {
		rc = value_set_text(column, object, arena, text);
		return rc == RC_INTERNAL ? RC_INVALID : rc;
	}
	if (!uuid_parse(text, &uuid))
		return RC_INVALID;
	value_set_uuid(column, object, uuid.b);
	return RC_OK;
}

static enum rc read_value(const struct column *column, const struct json_t *value, struct arena *arena,
			  void *object)
{
	static const enum tree_kind kinds[] = {
		[DB_UUID] = TREE_TEXT, [DB_TIME] = TREE_INT,  [DB_INT] = TREE_INT,   [DB_BOOL] = TREE_BOOL,
		[DB_TEXT] = TREE_TEXT, [DB_JSON] = TREE_TEXT, [DB_ENUM] = TREE_TEXT,
	};

	if (value == NULL || tree_kind(value) == TREE_NULL)
		return value_set_none(column, object) ? RC_OK : RC_INVALID;
	if (tree_kind(value) != kinds[column->kind])
		return RC_INVALID;
	if (kinds[column->kind] == TREE_TEXT)
		return read_text(column, tree_text(value), arena, object);
	value_set_int(column, object, column->kind == DB_BOOL ? tree_bool(value) : tree_int(value));
	return RC_OK;
}

enum rc columns_read(const struct column *columns, size_t count, const struct json_t *value,
		     struct arena *arena, void *object)
{
	enum rc rc = tree_kind(value) == TREE_OBJECT ? RC_OK : RC_INVALID;

	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = read_value(&columns[i], tree_member(value, columns[i].name), arena, object);
	return rc;
}
