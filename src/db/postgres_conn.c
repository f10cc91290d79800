/*
 * One connection to PostgreSQL. libpq never blocks here but while it connects: a pipeline whose answers
 * are not read while it is sent can hold up both sides for good.
 */
#include "db/postgres.h"

#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define SERVER_VERSION_MIN  150000
#define ANSWER_TIMEOUT_MS   10000 /* of silence; PostgreSQL itself ends a statement earlier */
#define STATEMENT_NAME_SIZE 96
#define REPLICA_TIMEOUT_MS  2000 /* and the primary is asked */

/* After the URL's own options. */
static const char *const options_of[] = {
	[PG_READS] = PG_WORKING_OF(PG_OPTION),
	[PG_WRITES] = PG_WORKING_OF(PG_OPTION),
	[PG_WATCH] = PG_OPTION("app.tenant", ""),
	[PG_SESSION] = PG_OPTION("app.tenant", ""),
};

/* --- Connecting ---------------------------------------------------------- */

static void on_notice(void *arg, const char *message)
{
	(void)arg;
	LOG(DEBUG, "PostgreSQL says", LOG_TEXT("message", message));
}

static const char *url_of(const struct pg_conn *conn)
{
	return conn->replica != NULL ? conn->db->options.replica_url : conn->db->options.url;
}

/* The options within the URL, then ours; none behind a pooler, which refuses them or leaves them out. False:
 * too long. */
static bool join_options(char *buf, size_t size, const struct pg_conn *conn)
{
	PQconninfoOption *parts = PQconninfoParse(url_of(conn), NULL);
	bool as_login = conn->use == PG_SESSION;
	const char *own = "";
	int len;

	for (const PQconninfoOption *p = parts; p != NULL && p->keyword != NULL; p++) {
		if (strcmp(p->keyword, "options") == 0 && p->val != NULL)
			own = p->val;
	}
	if (conn->db->options.pooled)
		len = snprintf(buf, size, "%s", own);
	else
		len = snprintf(buf, size, "%s%s%s%s%s", own, options_of[conn->use],
			       conn->db->one_tenant ? PG_SPREAD_OF(PG_OPTION) : "",
			       as_login ? "" : PG_OPTION("role", ""), as_login ? "" : conn->db->options.role);
	PQconninfoFree(parts);
	return len < (int)size;
}

/* What comes before the URL yields to it, what comes after it overrules it. */
static PGconn *connect_to(const struct pg_conn *conn)
{
	const char *patience = conn->replica != NULL ? "2" : "5"; /* s; there is the primary */
	char options[1024];
	/* Kerberos is tried first of all, and its library reads files and goes out, where nothing says not
	 * to. */
	const char *const keys[] = {"gssencmode",
				    "connect_timeout",
				    "keepalives_idle",
				    "keepalives_interval",
				    "keepalives_count",
				    "tcp_user_timeout",
				    "application_name",
				    "dbname",
				    "client_encoding",
				    "options",
				    NULL};
	const char *const values[] = {"disable", patience,     "30",   "5",	"3", "15000",
				      "marca",	 url_of(conn), "UTF8", options, NULL};

	return join_options(options, sizeof(options), conn) ? PQconnectdbParams(keys, values, 1) : NULL;
}

static bool refuse(const struct pg_conn *conn, const char *why)
{
	LOG(ERROR, "this PostgreSQL cannot be used", LOG_TEXT("room", conn->db->set->name),
	    LOG_TEXT("why", why));
	return false;
}

/* A pooler between us may have left our options out. One that we know of is told in each transaction. */
static bool check_role(const struct pg_conn *conn, const PGresult *told)
{
	return conn->use == PG_SESSION || conn->db->options.pooled ||
	       strcmp(PQgetvalue(told, 0, 2), conn->db->options.role) == 0 ||
	       refuse(conn,
		      "a connection does not act as the role that it was opened for; if a pooler stands "
		      "between: MARCA_DB_POOLED=1");
}

/* PgBouncer's own words, where it was not told to let options pass. */
static bool unreachable(const struct pg_conn *conn)
{
	if (strstr(PQerrorMessage(conn->pg), "unsupported startup parameter") != NULL)
		return refuse(conn, "a pooler stands between that takes no options: MARCA_DB_POOLED=1");
	LOG(WARN, "PostgreSQL cannot be reached", LOG_TEXT("room", conn->db->set->name),
	    LOG_TEXT("store", conn->replica != NULL ? "replica" : "primary"),
	    LOG_TEXT("why", PQerrorMessage(conn->pg)));
	return false;
}

/* An acknowledged booking must survive a power failure; and rows are read and written as the role only. */
static bool check_settings(const struct pg_conn *conn)
{
	PGresult *result =
		PQexec(conn->pg, "SELECT current_setting('fsync'), current_setting('synchronous_commit'), "
				 "current_user");
	bool told = PQresultStatus(result) == PGRES_TUPLES_OK;
	bool fsync = told && strcmp(PQgetvalue(result, 0, 0), "on") == 0;
	bool synchronous = told && strcmp(PQgetvalue(result, 0, 1), "off") != 0;
	bool right_role = told && check_role(conn, result);

	PQclear(result);
	if (!told)
		return unreachable(conn);
	if (!fsync && conn->replica == NULL)
		return refuse(conn, "it runs with fsync=off, so that a power failure loses bookings");
	if (!right_role)
		return false;
	if (synchronous || conn->replica != NULL)
		return true;
	if (conn->db->options.pooled)
		return refuse(conn, "it runs with synchronous_commit=off, and behind a pooler that cannot be "
				    "mended for us alone: ALTER ROLE ... SET synchronous_commit = on");
	result = PQexec(conn->pg, "SET synchronous_commit = on");
	told = PQresultStatus(result) == PGRES_COMMAND_OK;
	PQclear(result);
	return told;
}

static bool check_server(const struct pg_conn *conn)
{
	const char *encoding = PQparameterStatus(conn->pg, "server_encoding");

	if (PQserverVersion(conn->pg) < SERVER_VERSION_MIN)
		return refuse(conn, "it is older than version 15");
	if (encoding == NULL || strcmp(encoding, "UTF8") != 0)
		return refuse(conn, "the database's encoding is not UTF8");
	return check_settings(conn);
}

static bool start_pipeline(const struct pg_conn *conn)
{
	return conn->use == PG_SESSION || conn->use == PG_WATCH ||
	       (PQsetnonblocking(conn->pg, 1) == 0 && PQenterPipelineMode(conn->pg) == 1);
}

static bool start(const struct pg_conn *conn)
{
	if (PQstatus(conn->pg) != CONNECTION_OK)
		return unreachable(conn);
	PQsetNoticeProcessor(conn->pg, on_notice, NULL);
	return check_server(conn) && start_pipeline(conn);
}

static bool open_again(struct pg_conn *conn)
{
	pg_conn_lose(conn);
	conn->pg = connect_to(conn);
	if (start(conn))
		return true;
	pg_conn_lose(conn);
	return false;
}

/* Nothing is under way, so whatever can be read is a farewell; or a notice, which is no great loss. */
static bool still_there(const struct pg_conn *conn)
{
	struct pollfd socket = {.fd = PQsocket(conn->pg), .events = POLLIN};

	return poll(&socket, 1, 0) == 0;
}

bool pg_conn_init(struct pg_conn *conn, const struct db *db, enum pg_use use)
{
	*conn = (struct pg_conn){.db = db, .use = use};
	conn->prepared = calloc(db->set->count + 1, sizeof(conn->prepared[0]));
	return conn->prepared != NULL;
}

void pg_conn_finish(struct pg_conn *conn)
{
	pg_conn_lose(conn);
	free(conn->prepared);
	free(conn->arrays);
	conn->prepared = NULL;
	conn->arrays = NULL;
}

bool pg_conn_ready(struct pg_conn *conn)
{
	return (conn->pg != NULL && still_there(conn)) || open_again(conn);
}

void pg_conn_lose(struct pg_conn *conn)
{
	PQfinish(conn->pg);
	conn->pg = NULL;
	if (conn->prepared != NULL)
		memset(conn->prepared, 0, (conn->db->set->count + 1) * sizeof(conn->prepared[0]));
}

/* --- Sending and receiving ----------------------------------------------- */

/* Behind a pooler a statement has no name, and is there until the next one, or the transaction's end. */
static bool send_unnamed(struct pg_conn *conn, const char *sql, int count, const struct pg_params *params)
{
	bool again = conn->unnamed == sql;

	conn->unnamed = sql;
	if (again)
		return PQsendQueryPrepared(conn->pg, "", count, params->values, params->lengths,
					   params->formats, 1) == 1;
	return PQsendQueryParams(conn->pg, sql, count, params->types, params->values, params->lengths,
				 params->formats, 1) == 1;
}

/* The name of a statement, and its text. */
static const char *sql_of(const struct query *query, bool together)
{
	return together ? query->together : query->sql[DIALECT_POSTGRES];
}

static const char *name_of(const struct query *query, bool together, char buf[STATEMENT_NAME_SIZE])
{
	snprintf(buf, STATEMENT_NAME_SIZE, "%s%s", together ? "together:" : "", query->name);
	return buf;
}

static bool send_filled(struct pg_conn *conn, const struct query *query, bool together,
			const struct pg_params *params)
{
	char name[STATEMENT_NAME_SIZE];

	if (conn->db->options.pooled)
		return send_unnamed(conn, sql_of(query, together), (int)query->in_count, params);
	return PQsendQueryPrepared(conn->pg, name_of(query, together, name), (int)query->in_count,
				   params->values, params->lengths, params->formats, 1) == 1;
}

bool pg_send(struct pg_conn *conn, const struct query *query, const void *in)
{
	struct pg_params params;

	pg_params_fill(&params, query, in);
	return send_filled(conn, query, false, &params);
}

bool pg_send_together(struct pg_conn *conn, const struct query *query, const void *const *ins, size_t count)
{
	struct pg_params params;

	return pg_arrays_fill(&params, query, ins, count, &conn->arrays, &conn->arrays_size) &&
	       send_filled(conn, query, true, &params);
}

bool pg_send_sql(struct pg_conn *conn, const char *sql)
{
	conn->unnamed = NULL;
	return PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 1) == 1;
}

/* Sends what is left to send, and takes in what comes. */
static bool move(struct pg_conn *conn)
{
	struct pollfd socket = {.fd = PQsocket(conn->pg), .events = POLLIN};
	int left = PQflush(conn->pg), ready;

	if (left < 0)
		return false;
	if (left > 0)
		socket.events |= POLLOUT;
	do {
		ready = poll(&socket, 1, conn->replica != NULL ? REPLICA_TIMEOUT_MS : ANSWER_TIMEOUT_MS);
	} while (ready < 0 && errno == EINTR);
	if (ready <= 0)
		LOG(ERROR, "PostgreSQL does not answer", LOG_TEXT("room", conn->db->set->name));
	return ready > 0 && PQconsumeInput(conn->pg) == 1;
}

/* False: lost. *ret may be NULL, which ends the results of one query. */
static bool next_result(struct pg_conn *conn, PGresult **ret)
{
	while (PQisBusy(conn->pg) == 1) {
		if (!move(conn))
			return false;
	}
	*ret = PQgetResult(conn->pg);
	if (PQstatus(conn->pg) == CONNECTION_OK)
		return true;
	PQclear(*ret);
	return false;
}

/*
 * A failure that only a new connection mends: the server ends this one; what was prepared holds no longer,
 * since a migration changed a column's type; or the server that we write to has become one that only reads.
 */
static bool ends_connection(const struct pg_conn *conn, const PGresult *result)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *where = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);

	if (state == NULL || severity == NULL)
		return false;
	if (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0 || strcmp(state, "26000") == 0)
		return true;
	if (strcmp(state, "0A000") == 0)
		return where != NULL && strcmp(where, "RevalidateCachedQuery") == 0;
	return conn->use == PG_WRITES && strcmp(state, "25006") == 0;
}

PGresult *pg_result(struct pg_conn *conn)
{
	PGresult *result, *end;

	if (!next_result(conn, &result) || result == NULL)
		return NULL;
	if (ends_connection(conn, result) || !next_result(conn, &end) || end != NULL) {
		PQclear(result);
		return NULL;
	}
	return result;
}

bool pg_synced(struct pg_conn *conn)
{
	PGresult *result;
	bool synced;

	if (!next_result(conn, &result))
		return false;
	synced = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
	PQclear(result);
	return synced;
}

/* --- Preparing ----------------------------------------------------------- */

static enum rc prepare_answer(struct pg_conn *conn, const struct query *query, bool together)
{
	PGresult *parsed = pg_result(conn), *described = parsed != NULL ? pg_result(conn) : NULL;
	bool again;
	enum rc rc = RC_STORE_DOWN;

	if (described != NULL && pg_synced(conn)) {
		if (PQresultStatus(parsed) != PGRES_COMMAND_OK)
			rc = pg_failed(parsed, query->name, &again);
		else if (PQresultStatus(described) != PGRES_COMMAND_OK)
			rc = pg_failed(described, query->name, &again);
		else
			rc = pg_columns_check(query, together, described);
	}
	PQclear(parsed);
	PQclear(described);
	return rc;
}

static bool fill_types(struct pg_conn *conn, struct pg_params *params, const struct query *query,
		       bool together)
{
	if (together)
		return pg_arrays_fill(params, query, NULL, 0, &conn->arrays, &conn->arrays_size);
	pg_params_fill(params, query, NULL);
	return true;
}

enum rc pg_prepare(struct pg_conn *conn, const struct query *query, bool together)
{
	struct pg_prepared *prepared = &conn->prepared[query->index];
	bool *done = together ? &prepared->together : &prepared->singly;
	char buf[STATEMENT_NAME_SIZE];
	const char *name = conn->db->options.pooled ? "" : name_of(query, together, buf);
	struct pg_params params;
	enum rc rc;

	if (*done)
		return RC_OK;
	if (!fill_types(conn, &params, query, together))
		return RC_NO_MEMORY;
	if (PQsendPrepare(conn->pg, name, sql_of(query, together), (int)query->in_count, params.types) != 1 ||
	    PQsendDescribePrepared(conn->pg, name) != 1 || PQpipelineSync(conn->pg) != 1)
		return RC_STORE_DOWN;
	rc = prepare_answer(conn, query, together);
	*done = rc == RC_OK;
	return rc;
}

/* --- Failures ------------------------------------------------------------ */

/*
 * By SQLSTATE, https://www.postgresql.org/docs/15/errcodes-appendix.html. Constraint names would carry the
 * numbers of shards on Citus.
 */
enum rc pg_failed(const PGresult *result, const char *what, bool *ret_again)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (state == NULL)
		state = "08006"; /* libpq's own: the connection */
	*ret_again = strcmp(state, "40001") == 0 || strcmp(state, "40P01") == 0;
	if (strncmp(state, "23", 2) == 0)
		return RC_STORE_CONSTRAINT;
	LOG(ERROR, "PostgreSQL failed", LOG_TEXT("what", what), LOG_TEXT("state", state),
	    LOG_TEXT("said", said != NULL ? said : PQresultErrorMessage(result)));
	if (*ret_again || strncmp(state, "08", 2) == 0 || strncmp(state, "53", 2) == 0 ||
	    strncmp(state, "57", 2) == 0 || strncmp(state, "58", 2) == 0 || strcmp(state, "55P03") == 0)
		return RC_STORE_DOWN;
	return RC_INTERNAL;
}
