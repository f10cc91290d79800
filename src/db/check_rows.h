/* What `marca check` asks of rows: a page of them, by their ids, each with what is wrong with it, if
 * anything. The queries are in the rooms' checks.sql. */
#ifndef DB_CHECK_ROWS_H
#define DB_CHECK_ROWS_H

#include "base/uuid.h"

struct check_page {
	struct uuid tenant_id, after;
	int64_t limit;
};

struct check_row {
	struct uuid id;
	const char *fault; /* NULL: none */
};

#endif
