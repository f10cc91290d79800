/* Members of a query's in and out structs, read and written by their columns (db.h). For whoever carries rows
 * from one place to another: the drivers, and services that ask one another. */
#ifndef DB_VALUE_H
#define DB_VALUE_H

#include "db/db.h"

bool value_is_none(const struct column *column, const void *in);
/* UUID */
const struct uuid *value_uuid(const struct column *column, const void *in);
/* TIME, INT, BOOL */
int64_t value_int(const struct column *column, const void *in);
/* TEXT, JSON, ENUM */
struct str value_text(const struct column *column, const void *in);

/* False when the column may not be null. */
bool value_set_none(const struct column *column, void *out) MUST_USE;
void value_set_uuid(const struct column *column, void *out, const void *bytes);
void value_set_int(const struct column *column, void *out, int64_t value);
/* RC_INTERNAL: not a word of the enum, or a text with a NUL in it. */
enum rc value_set_text(const struct column *column, void *out, struct arena *arena, struct str text) MUST_USE;

/* So many rows may come from that query. Logs when not. */
enum rc rows_check(const struct query *query, size_t count) MUST_USE;
/* A column of a result is not what queries.sql says. Logs, returns RC_INTERNAL. */
enum rc column_wrong(const struct query *query, const struct column *column, const char *what);

#endif
