/* See request_log.h. */
#include "http/request_log.h"

#include "base/log.h"
#include "http/req.h"

static bool is_refusal(int status)
{
	return status == 401 || status == 403;
}

static bool is_wanted(enum log_requests which, int status)
{
	if (status >= 500 || is_refusal(status))
		return true;
	return which == LOG_REQUESTS_ALL || (which == LOG_REQUESTS_ERRORS && status >= 400 && status != 429);
}

void request_log(enum log_requests which, const struct req *rq, const struct route *route, uint64_t ns)
{
	int status = rq->reply.status;
	enum log_level level = status >= 500 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
	char user[UUID_TEXT_LEN + 1];
	struct log_pair pairs[7];
	size_t count = 0;

	if (!is_wanted(which, status) || !log_wants(level))
		return;
	pairs[count++] = LOG_TEXT("operation", route != NULL ? route->id : "none");
	if (route != NULL)
		pairs[count++] = LOG_TEXT("route", route->path);
	pairs[count++] = LOG_NUMBER("status", status);
	pairs[count++] = LOG_NUMBER("duration_us", (int64_t)(ns / 1000));
	pairs[count++] = LOG_NUMBER("bytes", (int64_t)rq->reply.body.len);
	if (is_refusal(status))
		pairs[count++] = LOG_TEXT("user_id", uuid_text(user, &rq->cx.principal.user_id));
	/* Those that somebody should look at are few, and should not be lost with the process. */
	if (status >= 500)
		log_write(level, "request failed", pairs, count);
	else if (is_refusal(status))
		log_write(level, "refused", pairs, count);
	else
		log_write_soon(level, "request", pairs, count);
}
