/*
 * For walls_test.c: two schemas with all rooms' tables, one of them filled with the rows of one tenant, and
 * a query that is run in either, as the stores would run it or past the wall.
 */
#ifndef APP_WALLS_BED_TEST_H
#define APP_WALLS_BED_TEST_H

#include "app/app.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants those before it. */
#include <cmocka.h>

#define INPUTS_MAX 64

/* Ours and a third, who have no rows; the other, whose rows are all there is. Each row holds its own id
 * wherever a UUID goes, but for a few. */
#define OURS   "0a000000-0000-7000-8000-00000000000a"
#define OTHERS "0b000000-0000-7000-8000-00000000000b"
#define THIRDS "0c000000-0000-7000-8000-00000000000c"
#define ROW_1  "0b000000-0000-7000-8000-000000000001" /* null, where it may be: what has not happened yet */
#define ROW_2  "0b000000-0000-7000-8000-000000000002" /* null: nothing */
#define ROW_3  "0b000000-0000-7000-8000-000000000005" /* null: all but its change_id */
#define GONE   "0b000000-0000-7000-8000-000000000003" /* what is in the table of what is deleted */
#define NO_ROW "0b000000-0000-7000-8000-000000000004"
#define WORD_1 "pendente"
#define WORD_2 "outro"
#define WORD_3 "booking.updated"
#define SPARE  "depois" /* where it may be null */

struct bed {
	struct world world;
	PGconn *full, *empty; /* as the owner, of all tenants */
	char *others_rows;    /* SQL for a digest of all but ours */
};

struct bed *bed_open(const char *server);
void bed_close(struct bed *bed);

/* The owner past all policies, or held by them. */
void bed_force(struct bed *bed, bool force);

PGresult *bed_sql(PGconn *pg, const char *sql);
/* The first column of the first row; the caller frees it. */
char *bed_text(PGconn *pg, const char *sql);

/* What came of a query. */
struct yield {
	char *rows;    /* as text; NULL: it failed */
	char *others;  /* the digest of others' rows after it */
	char state[6]; /* SQLSTATE of the failure */
};

/*
 * Runs it in a transaction for our tenant, which is rolled back then. `walled`: as the role that reads and
 * writes rows; else as the owner. `together`: each value is the one of an array.
 */
struct yield bed_run(const struct bed *bed, PGconn *pg, bool walled, bool together, const struct query *query,
		     const char *sql, const char *const values[INPUTS_MAX]);
void yield_free(struct yield *yield);

#endif
