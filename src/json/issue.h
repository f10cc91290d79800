/*
 * Issues: everything that is wrong with what a client sent, gathered so that it
 * is told at once. Kept in an arena.
 */
#ifndef JSON_ISSUE_H
#define JSON_ISSUE_H

#include "base/arena.h"
#include "base/errors.h"

enum issue_kind {
#define ISSUE(name, type, pt, en) ISSUE_##name,
#include "json/issues.def"
#undef ISSUE
	ISSUE_COUNT
};

struct issue_info {
	const char *type;
	const char *text[LANG_COUNT];
};

extern const struct issue_info issue_table[ISSUE_COUNT];

/* Where a value stands: {"body", "settings", "timezone"}, the innermost first. */
struct loc {
	const struct loc *up;
	const char *name; /* NULL: an element of a list, `index` counts */
	size_t index;
};

struct issue {
	struct issue *next;
	const struct loc *loc;
	enum issue_kind kind;
	const char *arg;
};

struct issues {
	struct arena *arena;
	struct issue *first, *last;
	size_t count;
	bool no_memory;
};

/* Copies loc and arg into the arena. After 100 of them the rest goes untold. */
void issue_add(struct issues *issues, const struct loc *loc, enum issue_kind kind, const char *arg);
void issue_add_number(struct issues *issues, const struct loc *loc, enum issue_kind kind, int64_t arg);

/* RC_OK when there is none, else RC_INVALID (or RC_NO_MEMORY). */
enum rc issues_rc(const struct issues *issues) MUST_USE;

#endif
