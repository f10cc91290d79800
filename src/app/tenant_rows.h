/* One table's rows of one tenant, whatever the table: from the queries that sqlgen makes (db.h, struct
 * tenant_table). */
#ifndef APP_TENANT_ROWS_H
#define APP_TENANT_ROWS_H

#include "db/db.h"

#include <stdio.h>

/*
 * One JSON object a line: {"service":..., "table":..., "row":{...}}. What proves who someone is (hashes of
 * passwords and keys, sealed secrets) is left out. *ret_rows is added to. RC_INTERNAL when the file takes no
 * more.
 */
enum rc tenant_rows_write(struct ctx *cx, const char *service, const struct tenant_table *table,
			  const struct uuid *tenant, FILE *out, int64_t *ret_rows) MUST_USE;

/* Some hundred rows a commit, so that nobody waits long for it. */
enum rc tenant_rows_erase(struct ctx *cx, enum room room, const struct tenant_table *table,
			  const struct uuid *tenant, int64_t *ret_rows) MUST_USE;

#endif
