/* See write.h. */
#include "json/write.h"

#include <stdarg.h>
#include <stdio.h>

void writer_init(struct writer *writer, struct arena *arena, size_t expect)
{
	char *buf = arena_room(arena, expect);

	*writer = (struct writer){.arena = arena,
				  .buf = buf,
				  .cap = buf != NULL ? expect : 0,
				  .failed = buf == NULL};
}

static char *grow(struct writer *writer, size_t more)
{
	size_t cap = writer->cap;
	char *bigger;

	if (writer->failed)
		return NULL;
	while (cap - writer->len < more)
		cap = cap * 2 + 64;
	bigger = arena_room(writer->arena, cap);
	if (bigger == NULL) {
		writer->failed = true;
		return NULL;
	}
	memcpy(bigger, writer->buf, writer->len);
	writer->buf = bigger;
	writer->cap = cap;
	return bigger + writer->len;
}

/* Room for `more` bytes at the end; NULL when there is none. */
static inline char *room(struct writer *writer, size_t more)
{
	return writer->cap - writer->len >= more ? writer->buf + writer->len : grow(writer, more);
}

bool writer_take(struct writer *writer, struct str *ret)
{
	char *end = room(writer, 1);

	if (end == NULL || writer->failed)
		return false;
	*end = '\0';
	*ret = (struct str){writer->buf, writer->len};
	return true;
}

void write_raw(struct writer *writer, struct str text)
{
	char *at = room(writer, text.len);

	if (at == NULL || text.len == 0)
		return;
	memcpy(at, text.p, text.len);
	writer->len += text.len;
}

void write_char(struct writer *writer, char c)
{
	char *at = room(writer, 1);

	if (at == NULL)
		return;
	*at = c;
	writer->len++;
}

/* The escape of a byte that can't stand in a JSON string. Returns what comes after it. */
static char *put_escaped(char *at, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char short_form[0x20] =
		{['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};

	*at++ = '\\';
	if (c >= 0x20) {
		*at++ = (char)c;
	} else if (short_form[c] != 0) {
		*at++ = short_form[c];
	} else {
		memcpy(at, "u00", 3);
		at[3] = hex[c >> 4];
		at[4] = hex[c & 15];
		at += 5;
	}
	return at;
}

static void write_escaped(struct writer *writer, struct str text)
{
	char *start = room(writer, text.len * 6); /* a control character grows to six */
	char *at = start;

	if (start == NULL)
		return;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.p[i];

		if (c < 0x20 || c == '"' || c == '\\')
			at = put_escaped(at, c);
		else
			*at++ = (char)c;
	}
	writer->len += (size_t)(at - start);
}

void write_text(struct writer *writer, struct str text)
{
	write_char(writer, '"');
	write_escaped(writer, text);
	write_char(writer, '"');
}

void write_filled(struct writer *writer, const char *text, const char *arg)
{
	const char *hole = strstr(text, "{0}");

	if (hole == NULL || arg == NULL) {
		write_text(writer, str_from(text));
		return;
	}
	write_char(writer, '"');
	write_escaped(writer, (struct str){text, (size_t)(hole - text)});
	write_escaped(writer, str_from(arg));
	write_escaped(writer, str_from(hole + 3));
	write_char(writer, '"');
}

void write_int(struct writer *writer, int64_t value)
{
	char digits[24];
	char *at = digits + sizeof(digits);
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do {
		*--at = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		*--at = '-';
	write_raw(writer, (struct str){at, (size_t)(digits + sizeof(digits) - at)});
}

static void write_null(struct writer *writer)
{
	write_raw(writer, STR("null"));
}

/* A text of ours that needs no escapes. */
static void write_plain(struct writer *writer, const char *text, size_t len)
{
	char *at = room(writer, len + 2);

	if (at == NULL)
		return;
	at[0] = '"';
	memcpy(at + 1, text, len);
	at[len + 1] = '"';
	writer->len += len + 2;
}

/* `before`, then the name of a member and its colon. */
static void write_name(struct writer *writer, char before, const char *name)
{
	size_t len = strlen(name);
	char *at = room(writer, len + 4);

	if (at == NULL)
		return;
	at[0] = before;
	at[1] = '"';
	memcpy(at + 2, name, len);
	at[len + 2] = '"';
	at[len + 3] = ':';
	writer->len += len + 4;
}

static void write_instant(struct writer *writer, utime at, int32_t offset, bool zulu)
{
	char buf[UTIME_TEXT_MAX];

	write_plain(writer, buf, utime_text(buf, at, offset, zulu));
}

static void write_local(struct writer *writer, const struct local_time *local)
{
	if (local->at == UTIME_NONE)
		write_null(writer);
	else
		write_instant(writer, local->at, local->offset, false);
}

/* As it was sent: a wall-clock reading stays one. */
static void write_when(struct writer *writer, const struct wire_time *when)
{
	char buf[UTIME_TEXT_MAX];
	size_t len;

	if (when->at == UTIME_NONE) {
		write_null(writer);
		return;
	}
	len = utime_text(buf, when->at, 0, true);
	write_plain(writer, buf, when->local ? len - 1 : len);
}

void write_format(struct writer *writer, const char *format, ...)
{
	char text[512];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(text))
		writer->failed = true;
	else
		write_raw(writer, (struct str){text, (size_t)len});
}

static void write_ints(struct writer *writer, const struct list *list)
{
	const int64_t *numbers = list->items;

	write_char(writer, '[');
	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			write_char(writer, ',');
		write_int(writer, numbers[i]);
	}
	write_char(writer, ']');
}

static void write_words(struct writer *writer, const struct names *names, int64_t words)
{
	char before = '[';

	for (int i = 0; i < names->count; i++) {
		if ((words >> i & 1) == 0)
			continue;
		write_char(writer, before);
		write_text(writer, str_from(names->text[i]));
		before = ',';
	}
	write_raw(writer, before == '[' ? STR("[]") : STR("]"));
}

static void write_uuid(struct writer *writer, const struct field *field, const struct uuid *id)
{
	char buf[UUID_TEXT_LEN + 1];

	if (field->need == OPTIONAL && uuid_is_none(id))
		write_null(writer);
	else
		write_plain(writer, uuid_text(buf, id), UUID_TEXT_LEN);
}

static void write_clock(struct writer *writer, int64_t seconds)
{
	char buf[CLOCK_TEXT_MAX];

	write_plain(writer, buf, utime_clock_text(buf, (int32_t)seconds));
}

static void write_number_or_null(struct writer *writer, const struct field *field, int64_t value)
{
	if (value == INT64_MIN)
		write_null(writer);
	else if (field->kind == KIND_INSTANT)
		write_instant(writer, value, 0, true);
	else if (field->kind == KIND_CLOCK)
		write_clock(writer, value);
	else
		write_int(writer, value);
}

static void write_string_or_null(struct writer *writer, const struct field *field, const char *text)
{
	if (text == NULL)
		write_null(writer);
	else if (field->kind == KIND_JSON || field->kind == KIND_STORED)
		write_raw(writer, str_from(text));
	else
		write_text(writer, str_from(text));
}

/* An optional object is there when any of its fields is. */
static void write_object_or_null(struct writer *writer, const struct field *field, const void *object)
{
	const struct shape *shape = field->shape;
	uint64_t has = *(const uint64_t *)(const void *)((const char *)object + shape->has_offset);

	if (field->need == OPTIONAL && has == 0)
		write_null(writer);
	else
		write_shape(writer, shape, object);
}

void write_member(struct writer *writer, const struct field *field, const void *member)
{
	const struct list *list = member;

	switch (field->kind) {
	case KIND_UUID:
		write_uuid(writer, field, member);
		break;
	case KIND_INSTANT:
	case KIND_CLOCK:
	case KIND_INT:
		write_number_or_null(writer, field, *(const int64_t *)member);
		break;
	case KIND_WHEN:
		write_when(writer, member);
		break;
	case KIND_LOCAL:
		write_local(writer, member);
		break;
	case KIND_BOOL:
		write_raw(writer, *(const bool *)member ? STR("true") : STR("false"));
		break;
	case KIND_ENUM:
		write_text(writer, str_from(field->names->text[*(const int *)member]));
		break;
	case KIND_WORDS:
		write_words(writer, field->names, *(const int64_t *)member);
		break;
	case KIND_OBJECT:
		write_object_or_null(writer, field, member);
		break;
	case KIND_LIST:
		write_list(writer, field->shape, list->items, list->count);
		break;
	case KIND_INTS:
		if (field->need == OPTIONAL && list->items == NULL)
			write_null(writer);
		else
			write_ints(writer, list);
		break;
	case KIND_DATE:
	case KIND_TEXT:
	case KIND_JSON:
	case KIND_STORED:
		write_string_or_null(writer, field, *(const char *const *)member);
		break;
	}
}

void write_shape(struct writer *writer, const struct shape *shape, const void *object)
{
	char before = '{';

	for (size_t i = 0; i < shape->count; i++) {
		const struct field *field = &shape->fields[i];

		if (field->hidden)
			continue;
		write_name(writer, before, field->name);
		write_member(writer, field, (const char *)object + field->offset);
		before = ',';
	}
	write_raw(writer, before == '{' ? STR("{}") : STR("}"));
}

void write_list(struct writer *writer, const struct shape *shape, const void *items, size_t count)
{
	write_char(writer, '[');
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			write_char(writer, ',');
		write_shape(writer, shape, (const char *)items + i * shape->size);
	}
	write_char(writer, ']');
}
