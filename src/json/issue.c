/* See issue.h. */
#include "json/issue.h"

#include <inttypes.h>

#define ISSUES_MAX 100

const struct issue_info issue_table[ISSUE_COUNT] = {
#define ISSUE(name, type, pt, en) [ISSUE_##name] = {type, {pt, en}},
#include "json/issues.def"
#undef ISSUE
};

/* The chain lives on the parser's stack; what an issue keeps must outlive it. */
static bool keep_loc(struct arena *arena, const struct loc *loc, const struct loc **ret)
{
	struct loc copy;
	void *kept;

	if (loc == NULL) {
		*ret = NULL;
		return true;
	}
	copy = *loc;
	if (!keep_loc(arena, loc->up, &copy.up))
		return false;
	if (loc->name != NULL) {
		copy.name = arena_text(arena, str_from(loc->name));
		if (copy.name == NULL)
			return false;
	}
	kept = arena_copy(arena, &copy, sizeof(copy));
	*ret = kept;
	return kept != NULL;
}

void issue_add(struct issues *issues, const struct loc *loc, enum issue_kind kind, const char *arg)
{
	struct issue *issue;

	if (issues->count++ >= ISSUES_MAX)
		return;
	issue = arena_alloc(issues->arena, sizeof(*issue));
	if (issue == NULL || !keep_loc(issues->arena, loc, &issue->loc) ||
	    (arg != NULL && (issue->arg = arena_text(issues->arena, str_from(arg))) == NULL)) {
		issues->no_memory = true;
		return;
	}
	issue->kind = kind;
	if (issues->last != NULL)
		issues->last->next = issue;
	else
		issues->first = issue;
	issues->last = issue;
}

void issue_add_number(struct issues *issues, const struct loc *loc, enum issue_kind kind, int64_t arg)
{
	issue_add(issues, loc, kind, arena_printf(issues->arena, "%" PRId64, arg));
}

enum rc issues_rc(const struct issues *issues)
{
	if (issues->no_memory)
		return RC_NO_MEMORY;
	return issues->count == 0 ? RC_OK : RC_INVALID;
}
