/*
 * `marca check`: a table of what must be so, and the run that goes through it. A check is one row: it looks
 * at each store by itself, or at each tenant's rows, page by page, and tells what is wrong. It changes
 * nothing.
 */
#ifndef APP_CHECK_H
#define APP_CHECK_H

#include "app/app.h"

struct check_run;

enum check_scope { CHECK_STORE, CHECK_TENANT };

struct check {
	const char *name;
	const char *what; /* that must be so */
	enum check_scope scope;
	unsigned rooms; /* bits: of CHECK_STORE, each by itself; of CHECK_TENANT, all together */
	enum rc (*fn)(struct check_run *run, struct ctx *cx);
	/* CHECK_TENANT: the first tenant from that id on that has rows for it. */
	enum rc (*next)(struct ctx *cx, const struct uuid *from, struct uuid *ret, bool *ret_found);
};

/* Ended by one without a name. */
extern const struct check check_table[];

/* What a row's function may use. */
struct db *check_db(const struct check_run *run); /* CHECK_STORE: the store at hand */
enum room check_room(const struct check_run *run);
struct uuid check_tenant(const struct check_run *run); /* CHECK_TENANT: whose rows */
/* So many rows more have been looked at. */
void check_looked(struct check_run *run, size_t rows);
/* One fault; `id` may be NULL. */
void check_fault(struct check_run *run, const struct uuid *id, const char *what);
/* The keys of this process; NULL, told why on standard error, when there are none. */
struct keys *check_keys(struct check_run *run);

#endif
