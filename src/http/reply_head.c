/* See reply_head.h. One allocation of the right size, then copies. */
#include "http/reply_head.h"

#include <stdio.h>

struct status_line {
	int status;
	struct str text;
};

/* clang-format off */
#define LINE(status, reason) {status, {"HTTP/1.1 " #status " " reason "\r\n", sizeof("HTTP/1.1 " #status " " reason "\r\n") - 1}}
static const struct status_line lines[] = {
	LINE(200, "OK"),
	LINE(201, "Created"),
	LINE(202, "Accepted"),
	LINE(204, "No Content"),
	LINE(304, "Not Modified"),
	LINE(400, "Bad Request"),
	LINE(401, "Unauthorized"),
	LINE(403, "Forbidden"),
	LINE(404, "Not Found"),
	LINE(405, "Method Not Allowed"),
	LINE(408, "Request Timeout"),
	LINE(409, "Conflict"),
	LINE(411, "Length Required"),
	LINE(412, "Precondition Failed"),
	LINE(413, "Content Too Large"),
	LINE(414, "URI Too Long"),
	LINE(415, "Unsupported Media Type"),
	LINE(422, "Unprocessable Content"),
	LINE(429, "Too Many Requests"),
	LINE(431, "Request Header Fields Too Large"),
	LINE(500, "Internal Server Error"),
	LINE(501, "Not Implemented"),
	LINE(503, "Service Unavailable"),
	LINE(505, "HTTP Version Not Supported"),
};
/* clang-format on */

/* Any other status: RFC 9112 lets the reason be empty. */
#define LINE_MAX_OTHER sizeof("HTTP/1.1 -2147483648 \r\n")

/* All that is written besides the caller's own values. */
#define FIXED_MAX 256

void http_date_set(struct http_date *date, utime now)
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int64_t second = floor_div(now, UTIME_SECOND), day = floor_div(second, 86400), year;
	unsigned in_day = (unsigned)(second - day * 86400), month, month_day;

	if (second == date->second)
		return;
	date->second = second;
	utime_civil_from_days(day, &year, &month, &month_day);
	/* 1970-01-01 was a Thursday. */
	snprintf(date->text, sizeof(date->text), "%s, %02u %s %04u %02u:%02u:%02u GMT",
		 days[day - floor_div(day + 4, 7) * 7 + 4], month_day % 100, months[month - 1],
		 (unsigned)year % 10000, in_day / 3600 % 24, in_day / 60 % 60, in_day % 60);
}

bool reply_has_body(const struct http_reply *reply)
{
	return reply->status != 204 && reply->status != 304;
}

static char *put(char *at, struct str text)
{
	if (text.len > 0)
		memcpy(at, text.p, text.len);
	return at + text.len;
}

/* The last wall against a reply split in two: no control byte of a handler's value leaves this process. */
static char *put_value(char *at, struct str value)
{
	char *end = put(at, value);

	for (size_t i = str_printable(value); i < value.len; i++)
		at[i] = (uint8_t)at[i] < 0x20 ? ' ' : at[i];
	return end;
}

static char *put_header(char *at, struct str name, struct str value)
{
	at = put(at, name);
	at = put(at, STR(": "));
	at = put_value(at, value);
	return put(at, STR("\r\n"));
}

static char *put_number(char *at, size_t number)
{
	char digits[20];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (count > 0)
		*at++ = digits[--count];
	return at;
}

static char *put_status(char *at, int status)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (lines[i].status == status)
			return put(at, lines[i].text);
	return at + snprintf(at, LINE_MAX_OTHER, "HTTP/1.1 %d \r\n", status);
}

static size_t room_for(const struct http_reply *reply)
{
	size_t room = FIXED_MAX + reply->content_type.len;

	for (size_t i = 0; i < HTTP_REPLY_LINES_MAX; i++)
		room += reply->lines[i].len;
	for (size_t i = 0; i < reply->header_count; i++)
		room += reply->headers[i].name.len + reply->headers[i].value.len + sizeof(": \r\n") - 1;
	return room;
}

struct str reply_head(struct arena *arena, const struct http_reply *reply, const struct http_date *date,
		      enum reply_connection connection)
{
	char *head = arena_room(arena, room_for(reply)), *at = head;

	if (head == NULL)
		return (struct str){NULL, 0};
	at = put_status(at, reply->status);
	at = put_header(at, STR("Date"), (struct str){date->text, HTTP_DATE_LEN});
	if (reply_has_body(reply)) {
		at = put(at, STR("Content-Length: "));
		at = put_number(at, reply->body.len);
		at = put(at, STR("\r\n"));
	}
	if (reply->content_type.len > 0)
		at = put_header(at, STR("Content-Type"), reply->content_type);
	if (connection == REPLY_CLOSES)
		at = put(at, STR("Connection: close\r\n"));
	else if (connection == REPLY_KEEPS_10)
		at = put(at, STR("Connection: keep-alive\r\n"));
	for (size_t i = 0; i < reply->header_count; i++)
		at = put_header(at, reply->headers[i].name, reply->headers[i].value);
	for (size_t i = 0; i < HTTP_REPLY_LINES_MAX; i++)
		at = put(at, reply->lines[i]);
	at = put(at, STR("\r\n"));
	return (struct str){head, (size_t)(at - head)};
}
