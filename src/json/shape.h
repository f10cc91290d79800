/*
 * A shape is one JSON object of the API. Its C struct, the table that parses,
 * checks and prints it, and its OpenAPI schema all come from ONE list of fields:
 *
 *	#define BOOKING_NEW(F, T)                                               \
 *		F(T, UUID, resource_id, REQUIRED, "What is booked.")           \
 *		F(T, TEXT, notes,       OPTIONAL, "For staff.", .max = 2000)
 *	SHAPE_DECLARE(booking_new, BOOKING_NEW);        in a header
 *	SHAPE_DEFINE(booking_new, BOOKING_NEW);         in one .c file
 *
 * An OPTIONAL field without a default may be null; "none" is then what db.h says
 * (nil UUID, UTIME_NONE, INT_NONE, NULL), so rows of the store are shapes too.
 */
#ifndef JSON_SHAPE_H
#define JSON_SHAPE_H

#include "base/uuid.h"
#include "json/issue.h"

struct json_t;
struct shape;

enum kind {
	KIND_UUID,
	KIND_INSTANT, /* utime; written in UTC */
	KIND_WHEN,    /* struct wire_time, as clients send it: may lack an offset */
	KIND_LOCAL,   /* struct local_time; written with its offset */
	KIND_DATE,    /* const char *: YYYY-MM-DD */
	KIND_CLOCK,   /* int64_t: seconds since midnight; HH:MM:SS */
	KIND_TEXT,
	KIND_INT,
	KIND_BOOL,
	KIND_ENUM,   /* an enum by its word */
	KIND_OBJECT, /* another shape's struct, by value */
	KIND_LIST,   /* struct list of another shape's structs */
	KIND_INTS,   /* struct list of int64_t */
	KIND_WORDS,  /* int64_t: a set of an enum's words, bit 1 << value each; never null */
	KIND_JSON,   /* const char *: any object, kept as compact JSON text */
	KIND_STORED, /* const char *: an object of another shape, checked, kept as JSON text */
};

enum need { REQUIRED, OPTIONAL };

struct local_time {
	utime at;
	int32_t offset; /* seconds east of UTC */
};

struct list {
	void *items;
	size_t count;
};

/* How many numbers KIND_INTS takes. */
#define INTS_MAX 32

/* A text that means more than its characters. */
struct format {
	const char *name;    /* OpenAPI format; may be NULL */
	const char *pattern; /* OpenAPI pattern; may be NULL */
	bool (*valid)(struct str text);
	enum issue_kind issue;
};

extern const struct format format_email, format_host, format_url, format_color;
/* An edge of a window of time: "2025-12-05", or a time with or without offset. See rules_edge(). */
extern const struct format format_day_or_time;

struct field {
	const char *name;
	const char *doc;
	const char *example; /* JSON; NULL: made from the kind */
	const char *alias;   /* also taken under this name */
	size_t offset;
	enum kind kind;
	enum need need;
	bool has_default;
	bool fixed;  /* set at creation; a change ignores it */
	bool secret; /* writeOnly in the documentation */
	bool hidden; /* of the row alone: neither read, nor written, nor documented */
	/* INT: value; TEXT: characters; INTS: each number; LIST: most items. max 0: no bound. */
	int64_t min, max;
	int64_t dflt;	       /* INT, CLOCK, BOOL, ENUM, WORDS */
	const char *dflt_text; /* TEXT */
	const struct format *format;
	const struct names *names;
	const struct shape *shape;
	/* JSON: looks at the parsed value and tells what is wrong with it. */
	void (*check)(const struct json_t *value, const struct loc *loc, struct issues *issues);
};

struct shape {
	const char *name;
	const char *doc;
	const struct field *fields;
	size_t count, size;
	size_t has_offset;
	/* Across fields; runs on a whole object: after a creation is parsed, after a change is merged. */
	void (*check)(const void *object, const struct loc *loc, struct issues *issues);
};

/* Was the field sent? HAS(body, booking_new, notes) */
#define HAS(object, T, name) (((object)->has >> T##_has_##name) & 1u)

/* clang-format off */
#define C_UUID      struct uuid
#define C_INSTANT   utime
#define C_WHEN      struct wire_time
#define C_LOCAL     struct local_time
#define C_DATE      const char *
#define C_CLOCK     int64_t
#define C_TEXT      const char *
#define C_INT       int64_t
#define C_BOOL      bool
#define C_ENUM(e)   enum e
#define C_OBJECT(s) struct s
#define C_LIST(s)   struct list
#define C_INTS      struct list
#define C_WORDS(e)  int64_t
#define C_JSON      const char *
#define C_STORED(s) const char *

#define K_UUID      .kind = KIND_UUID
#define K_INSTANT   .kind = KIND_INSTANT
#define K_WHEN      .kind = KIND_WHEN
#define K_LOCAL     .kind = KIND_LOCAL
#define K_DATE      .kind = KIND_DATE
#define K_CLOCK     .kind = KIND_CLOCK
#define K_TEXT      .kind = KIND_TEXT
#define K_INT       .kind = KIND_INT
#define K_BOOL      .kind = KIND_BOOL
#define K_ENUM(e)   .kind = KIND_ENUM, .names = &e##_names
#define K_OBJECT(s) .kind = KIND_OBJECT, .shape = &s##_shape
#define K_LIST(s)   .kind = KIND_LIST, .shape = &s##_shape
#define K_INTS      .kind = KIND_INTS
#define K_WORDS(e)  .kind = KIND_WORDS, .names = &e##_names
#define K_JSON      .kind = KIND_JSON
#define K_STORED(s) .kind = KIND_STORED, .shape = &s##_shape

#define DEFAULT(value)      .has_default = true, .dflt = (value)
#define DEFAULT_TEXT(value) .has_default = true, .dflt_text = (value)

#define SHAPE_BIT(T, K, n, ...)    T##_has_##n,
#define SHAPE_MEMBER(T, K, n, ...) C_##K n;
#define SHAPE_ROW(T, K, n, r, d, ...) \
	[T##_has_##n] = { .name = #n, K_##K, .need = (r), .doc = (d), .offset = offsetof(struct T, n), __VA_ARGS__ },

#define SHAPE_DECLARE(T, LIST)                                   \
	enum { LIST(SHAPE_BIT, T) T##_field_count };                  \
	struct T { uint64_t has; LIST(SHAPE_MEMBER, T) };        \
	_Static_assert(T##_field_count <= 64, #T ": too many fields"); \
	extern const struct shape T##_shape

#define SHAPE_DEFINE(T, LIST, ...)                                              \
	static const struct field T##_fields[] = { LIST(SHAPE_ROW, T) };        \
	const struct shape T##_shape = { .name = #T, .fields = T##_fields,      \
		.count = T##_field_count, .size = sizeof(struct T),                   \
		.has_offset = offsetof(struct T, has), __VA_ARGS__ }

/* A closed list of words: an enum and its names, from one list. */
#define ENUM_VALUE(E, word, ...) E##_##word,
#define ENUM_TEXT(E, word, ...)  #word,
#define ENUM_DECLARE(E, LIST)                    \
	enum E { LIST(ENUM_VALUE, E) E##_count }; \
	extern const struct names E##_names
#define ENUM_DEFINE(E, LIST)                                           \
	static const char *const E##_texts[] = { LIST(ENUM_TEXT, E) }; \
	const struct names E##_names = { #E, E##_texts, E##_count }
/* clang-format on */

enum parse_mode {
	PARSE_WHOLE,  /* a creation: required fields must be there, defaults are filled in */
	PARSE_CHANGE, /* a change: only what was sent is set; `fixed` fields are ignored */
};

/*
 * JSON text to a new struct in the arena. Everything wrong goes to `issues`, under {"body", ...}; *ret is
 * set even then (to defaults where a field was wrong). RC_INVALID or RC_NO_MEMORY.
 */
enum rc shape_parse(const struct shape *shape, enum parse_mode mode, struct str json, struct issues *issues,
		    void **ret) MUST_USE;

/* The same from an urlencoded query string; loc is {"query", name}. An empty value counts as absent. */
enum rc shape_parse_query(const struct shape *shape, struct str query, struct issues *issues,
			  void **ret) MUST_USE;

/*
 * The same from a form in a body (application/x-www-form-urlencoded); loc is {"body", name}. A name that
 * comes twice is an issue.
 */
enum rc shape_parse_form(const struct shape *shape, struct str form, struct issues *issues,
			 void **ret) MUST_USE;

/*
 * Copies fields of the same name and kind from one object into another, of another shape or the same: all
 * of them, or only those that `from` was sent. Objects within are copied field by field.
 */
enum copy_mode { COPY_ALL, COPY_SENT };
void shape_copy(const struct shape *to_shape, void *to, const struct shape *from_shape, const void *from,
		enum copy_mode mode);
#define SHAPE_COPY(T, to, F, from, mode) shape_copy(&T##_shape, (to), &F##_shape, (from), (mode))

/* Was the field of this name sent? True also where the shape has none. */
bool shape_was_sent(const struct shape *shape, const void *object, const char *name);

/* Has it, or an object in it, a secret field? */
bool shape_is_secret(const struct shape *shape) MUST_USE;

/* Tells the required fields that `object`, which stood at `loc`, was never sent. */
enum rc shape_check_required(const struct shape *shape, const void *object, const struct loc *loc,
			     struct issues *issues) MUST_USE;

/* One scalar from text (UUID, WHEN, DATE, CLOCK, TEXT, INT, BOOL, ENUM) into `member`; what is wrong goes to
 * issues. */
void field_parse_text(const struct field *field, struct str text, const struct loc *loc,
		      struct issues *issues, void *member);

/* Percent-decoding of one component; plus_is_blank as in forms. NULL: memory. False in *ret_good: broken or
 * not UTF-8. */
char *percent_decode(struct arena *arena, struct str text, bool plus_is_blank, bool *ret_good) MUST_USE;

#endif
