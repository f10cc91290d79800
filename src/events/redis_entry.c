/* See redis_entry.h. What is read here anybody may have written. */
#include "events/redis_entry.h"

#include "base/log.h"
#include "json/arena_json.h"
#include "json/write.h"

/* clang-format off */
#define METADATA(F, T)                                                             \
	F(T, UUID, event_id,    REQUIRED, "The event's own id, for once-only effects.") \
	F(T, UUID, tenant_id,   REQUIRED, "Whose it is.")                               \
	F(T, UUID, subject_id,  OPTIONAL, "What changed.")                              \
	F(T, WHEN, occurred_at, REQUIRED, "When.")                                      \
	F(T, TEXT, trace_id,    OPTIONAL, "Of the request that changed it.")            \
	F(T, INT,  version,     OPTIONAL, "Of the subject after the change.", DEFAULT(0)) \
	F(T, INT,  ordinal,     OPTIONAL, "Among the events of one change.", DEFAULT(0))  \
	F(T, INT,  sequence,    OPTIONAL, "Its place in the stream. The last member: Redis adds it.", DEFAULT(0))
SHAPE_DECLARE(metadata, METADATA);
SHAPE_DEFINE(metadata, METADATA);
SHAPE_DEFINE(dead_letter, DEAD_LETTER);
/* clang-format on */

/* --- Ids ---------------------------------------------------------------------------- */

static bool number(struct str text, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned digit = (unsigned char)text.p[i] - '0';

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret = value;
	return text.len > 0;
}

bool entry_id_parse(struct str text, struct entry_id *ret)
{
	struct str first = str_cut(&text, '-');
	struct entry_id id;

	if (!number(first, &id.first) || !number(text, &id.second))
		return false;
	*ret = id;
	return true;
}

bool entry_id_before(struct entry_id a, struct entry_id b)
{
	return a.first != b.first ? a.first < b.first : a.second < b.second;
}

int64_t entry_id_place(struct entry_id id)
{
	return id.first < INT64_MAX ? (int64_t)id.first : INT64_MAX;
}

/* --- Reading -------------------------------------------------------------------------- */

static void field_read(struct entry *entry, struct str name, struct str value)
{
	if (str_equal(name, STR("event_type")))
		entry->type = value;
	else if (str_equal(name, STR("payload")))
		entry->payload = value;
	else if (str_equal(name, STR("metadata")))
		entry->metadata = value;
	else if (str_equal(name, STR("dead")))
		entry->dead = value;
}

bool entry_read(const struct redis_reply *reply, struct entry *ret)
{
	struct entry entry = {.id_text = NULL};
	const struct redis_reply *fields;

	if (reply->kind != REPLY_LIST || reply->count < 2 || reply->items[0].kind != REPLY_TEXT ||
	    !entry_id_parse(reply->items[0].text, &entry.id))
		return false;
	entry.id_text = reply->items[0].text.p;
	fields = &reply->items[1];
	for (size_t i = 0; fields->kind == REPLY_LIST && i + 1 < fields->count; i += 2)
		if (fields->items[i].kind == REPLY_TEXT && fields->items[i + 1].kind == REPLY_TEXT)
			field_read(&entry, fields->items[i].text, fields->items[i + 1].text);
	*ret = entry;
	return true;
}

/* A text of C, of UTF-8, that is not empty. */
static bool is_text(struct arena *arena, struct str text)
{
	return text.len > 0 && memchr(text.p, '\0', text.len) == NULL && arena_json_utf8(arena, text);
}

static enum rc metadata_read(struct arena *arena, struct str json, struct metadata **ret)
{
	struct issues issues = {.arena = arena};
	void *object;
	enum rc rc = shape_parse(&metadata_shape, PARSE_WHOLE, json, &issues, &object);

	if (rc == RC_OK)
		*ret = object;
	return rc;
}

static void fill(struct event *event, const struct metadata *metadata)
{
	event->id = metadata->event_id;
	event->tenant_id = metadata->tenant_id;
	event->subject_id = metadata->subject_id;
	event->occurred_at = metadata->occurred_at.at;
	event->trace_id = metadata->trace_id != NULL ? metadata->trace_id : "";
	event->version = metadata->version;
	event->ordinal = metadata->ordinal;
}

enum rc entry_event(struct arena *arena, const struct entry *entry, const char *stream, struct event *ret)
{
	struct metadata *metadata;
	enum rc rc;

	if (entry->id.first == 0 || entry->id.first >= INT64_MAX || entry->id.second != 0 ||
	    !is_text(arena, entry->type) || !is_text(arena, entry->payload))
		return RC_INVALID;
	rc = metadata_read(arena, entry->metadata, &metadata);
	if (rc != RC_OK)
		return rc;
	if (metadata->occurred_at.local)
		return RC_INVALID;
	*ret = (struct event){
		.type = entry->type.p,
		.payload = entry->payload.p,
		.sequence = entry_id_place(entry->id),
		.stream = stream,
	};
	fill(ret, metadata);
	return RC_OK;
}

void entry_tell(const struct entry *entry, const char *stream)
{
	LOG(WARN, "an entry of a stream is no event", LOG_TEXT("stream", stream),
	    LOG_TEXT("id", entry->id_text));
}

/* A text that may be anything, for people: bytes that are no text become question marks. NULL: memory. */
static char *readable(struct arena *arena, struct str text)
{
	char *copy = arena_text(arena, text);
	bool good = copy != NULL && is_text(arena, text);

	for (size_t i = 0; copy != NULL && !good && i < text.len; i++)
		if ((unsigned char)copy[i] < ' ' || (unsigned char)copy[i] > '~')
			copy[i] = '?';
	return copy;
}

/* A payload that is no JSON becomes a JSON text. NULL: memory. */
static const char *readable_json(struct arena *arena, struct str text)
{
	struct writer writer;
	struct str quoted;
	const char *why;

	if (is_text(arena, text) && arena_json_load(arena, text, &why) != NULL)
		return text.p;
	writer_init(&writer, arena, text.len + 16);
	write_text(&writer, str_from(readable(arena, text)));
	write_char(&writer, '\0');
	return writer_take(&writer, &quoted) ? quoted.p : NULL;
}

enum rc entry_remains(struct arena *arena, const struct entry *entry, const char *stream, struct event *ret)
{
	struct event event = {
		.type = readable(arena, entry->type),
		.payload = readable_json(arena, entry->payload),
		.sequence = entry_id_place(entry->id),
		.stream = stream,
		.trace_id = "",
	};
	struct metadata *metadata;
	enum rc rc = metadata_read(arena, entry->metadata, &metadata);

	if (event.type == NULL || event.payload == NULL || rc == RC_NO_MEMORY)
		return RC_NO_MEMORY;
	if (rc == RC_OK)
		fill(&event, metadata);
	*ret = event;
	return RC_OK;
}

enum rc entry_dead(struct arena *arena, const struct entry *entry, const struct dead_letter **ret)
{
	struct issues issues = {.arena = arena};
	void *object;
	enum rc rc = shape_parse(&dead_letter_shape, PARSE_WHOLE, entry->dead, &issues, &object);

	if (rc == RC_OK)
		*ret = object;
	return rc;
}

/* --- Writing -------------------------------------------------------------------------- */

static const char *as_text(struct arena *arena, const struct shape *shape, const void *object)
{
	struct writer writer;
	struct str text;

	writer_init(&writer, arena, 512);
	write_shape(&writer, shape, object);
	write_char(&writer, '\0');
	return writer_take(&writer, &text) ? text.p : NULL;
}

const char *entry_metadata(struct arena *arena, const struct event *event)
{
	static const char end[] = "0}"; /* of a sequence of 0 */
	const struct metadata metadata = {
		.event_id = event->id,
		.tenant_id = event->tenant_id,
		.subject_id = event->subject_id,
		.occurred_at = {.at = event->occurred_at},
		.trace_id = event->trace_id,
		.version = event->version,
		.ordinal = event->ordinal,
	};
	const char *text = as_text(arena, &metadata_shape, &metadata);

	return text != NULL ? arena_text(arena, (struct str){text, strlen(text) - strlen(end)}) : NULL;
}

const char *dead_letter_text(struct arena *arena, const struct dead_letter *letter)
{
	return as_text(arena, &dead_letter_shape, letter);
}
