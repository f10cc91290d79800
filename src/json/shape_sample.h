/* For tests: one shape with a field of every kind that is read, and what is wrong as one line of text. */
#ifndef JSON_SHAPE_SAMPLE_H
#define JSON_SHAPE_SAMPLE_H

#include "json/shape.h"

#define COLOUR(X, E) X(E, red) X(E, green)
ENUM_DECLARE(colour, COLOUR);

/* clang-format off */
#define INNER(F, T)                                                                        \
	F(T, TEXT, label, REQUIRED, "A label.", .min = 1, .max = 5)                        \
	F(T, INT,  n,     OPTIONAL, "A number.", DEFAULT(3), .min = 1, .max = 9)
SHAPE_DECLARE(inner, INNER);

#define SAMPLE(F, T)                                                                       \
	F(T, TEXT,  text,    REQUIRED, "A text.", .min = 1, .max = 5)                      \
	F(T, UUID,  id,      OPTIONAL, "An id.")                                           \
	F(T, WHEN,  when,    OPTIONAL, "A time.")                                          \
	F(T, DATE,  date,    OPTIONAL, "A date.")                                          \
	F(T, CLOCK, clock,   OPTIONAL, "A time of day.")                                   \
	F(T, INT,   bounded, OPTIONAL, "A number.", DEFAULT(30), .min = 5, .max = 480)     \
	F(T, INT,   free,    OPTIONAL, "Any number.")                                      \
	F(T, BOOL,  flag,    OPTIONAL, "Yes or no.", DEFAULT(true))                        \
	F(T, ENUM(colour), colour, OPTIONAL, "A word.", DEFAULT(colour_green))             \
	F(T, TEXT,  zone,    OPTIONAL, "With a default.", DEFAULT_TEXT("UTC"), .max = 64)  \
	F(T, TEXT,  email,   OPTIONAL, "With a format.", .max = 254, .format = &format_email) \
	F(T, OBJECT(inner), object, OPTIONAL, "An object.")                                \
	F(T, LIST(inner),   list,   OPTIONAL, "A list.", .max = 3)                         \
	F(T, INTS,  days,    OPTIONAL, "Numbers.", .max = 6)                               \
	F(T, WORDS(colour), colours, OPTIONAL, "A set of words.")                         \
	F(T, JSON,  meta,    OPTIONAL, "Anything.", .alias = "profile_meta", .check = sample_meta_check) \
	F(T, STORED(inner), kept, OPTIONAL, "An object kept as text.")                     \
	F(T, TEXT,  origin,  OPTIONAL, "Set once.", .max = 9, .fixed = true)               \
	F(T, INT,   inside,  OPTIONAL, "The store's own.", .hidden = true)
SHAPE_DECLARE(sample, SAMPLE);
/* clang-format on */

/* {"bad": ...} is refused. */
void sample_meta_check(const struct json_t *value, const struct loc *loc, struct issues *issues);

/* "body.text:missing body.list.0.n:int_type", "" when there are none; in the issues' arena. */
const char *sample_issues(const struct issues *issues);

#endif
