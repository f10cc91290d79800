/* See head.h. Lines are cut at CRLF only; every other control byte but TAB ends the matter. */
#include "http/head.h"

#define METHOD_MAX 32

/* Bytes of the request line besides its target: method, two blanks, "HTTP/1.1", CR. */
#define LINE_REST (METHOD_MAX + 2 + 8 + 1)

enum byte_class {
	TOKEN = 1,  /* RFC 9110 tchar: methods and header names */
	TARGET = 2, /* RFC 3986 path and query; brackets too, which browsers leave as they are in a query */
	HOST = 4,   /* RFC 3986 authority without userinfo */
};

/* clang-format off */
static const uint8_t classes[256] = {
	['0' ... '9'] = TOKEN | TARGET | HOST,
	['A' ... 'Z'] = TOKEN | TARGET | HOST,
	['a' ... 'z'] = TOKEN | TARGET | HOST,
	['!'] = TOKEN | TARGET | HOST,  ['$'] = TOKEN | TARGET | HOST,  ['%'] = TOKEN | TARGET | HOST,
	['&'] = TOKEN | TARGET | HOST,  ['\''] = TOKEN | TARGET | HOST, ['*'] = TOKEN | TARGET | HOST,
	['+'] = TOKEN | TARGET | HOST,  ['-'] = TOKEN | TARGET | HOST,  ['.'] = TOKEN | TARGET | HOST,
	['_'] = TOKEN | TARGET | HOST,  ['~'] = TOKEN | TARGET | HOST,
	['('] = TARGET | HOST, [')'] = TARGET | HOST, [','] = TARGET | HOST, [';'] = TARGET | HOST,
	['='] = TARGET | HOST, [':'] = TARGET | HOST, ['['] = TARGET | HOST, [']'] = TARGET | HOST,
	['/'] = TARGET, ['?'] = TARGET, ['@'] = TARGET,
	['#'] = TOKEN, ['^'] = TOKEN, ['`'] = TOKEN, ['|'] = TOKEN,
};
/* clang-format on */

static bool all_of(struct str s, enum byte_class class)
{
	for (size_t i = 0; i < s.len; i++)
		if ((classes[(uint8_t)s.p[i]] & class) == 0)
			return false;
	return true;
}

static struct str before(struct str s, char delimiter)
{
	const char *at = s.len > 0 ? memchr(s.p, delimiter, s.len) : NULL;

	return (struct str){s.p, at != NULL ? (size_t)(at - s.p) : s.len};
}

static struct str skip(struct str s, size_t count)
{
	return count < s.len ? (struct str){s.p + count, s.len - count} : (struct str){s.p + s.len, 0};
}

static enum rc version(struct head *head, struct str text)
{
	head->http_11 = str_equal(text, STR("HTTP/1.1"));
	if (head->http_11 || str_equal(text, STR("HTTP/1.0")))
		return RC_OK;
	return text.len > 5 && memcmp(text.p, "HTTP/", 5) == 0 ? RC_BAD_VERSION : RC_MALFORMED;
}

static enum rc request_line(struct head *head, const struct head_limits *limits, struct str line)
{
	struct str method = before(line, ' ');
	struct str target = before(skip(line, method.len + 1), ' ');
	struct str rest = skip(line, method.len + 1 + target.len + 1);
	enum rc rc;

	if (method.len == 0 || method.len > METHOD_MAX || !all_of(method, TOKEN))
		return RC_MALFORMED;
	if (target.len > limits->target)
		return RC_URI_TOO_LONG;
	rc = version(head, rest);
	if (rc != RC_OK)
		return rc;
	if (!all_of(target, TARGET) || target.len == 0)
		return RC_MALFORMED;
	if (target.p[0] != '/' && !(str_equal(target, STR("*")) && str_equal(method, STR("OPTIONS"))))
		return RC_MALFORMED;
	head->method_len = method.len;
	head->target_at = head->start + method.len + 1;
	head->target_len = target.len;
	return RC_OK;
}

static enum rc content_length(struct head *head, struct str value)
{
	uint64_t sum = 0;

	if (value.len == 0 || head->lengths++ > 0)
		return RC_MALFORMED;
	for (size_t i = 0; i < value.len; i++)
		if (value.p[i] < '0' || value.p[i] > '9')
			return RC_MALFORMED;
	for (size_t i = 0; i < value.len; i++)
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(value.p[i] - '0'), &sum))
			return RC_BODY_TOO_LARGE;
	head->content_length = sum;
	return RC_OK;
}

static enum rc transfer_encoding(struct head *head, struct str value)
{
	const struct str chunked = STR("chunked");
	struct str tail, codings;

	if (head->encodings++ > 0)
		return RC_MALFORMED;
	head->chunked = str_equal_nocase(value, chunked);
	if (head->chunked || value.len <= chunked.len)
		return RC_OK;
	tail = skip(value, value.len - chunked.len);
	codings = str_trim((struct str){value.p, value.len - chunked.len});
	head->chunked_last =
		str_equal_nocase(tail, chunked) && codings.len > 1 && codings.p[codings.len - 1] == ',';
	return RC_OK;
}

static enum rc header_line(struct head *head, const struct head_limits *limits, struct str line)
{
	struct str name = before(line, ':');
	struct str value = str_trim(skip(line, name.len + 1));

	/* A folded line begins with a blank, which is in no name. */
	if (name.len == 0 || name.len == line.len || !all_of(name, TOKEN))
		return RC_MALFORMED;
	if (++head->headers > limits->headers)
		return RC_HEAD_TOO_LARGE;
	if (str_equal_nocase(name, STR("content-length")))
		return content_length(head, value);
	if (str_equal_nocase(name, STR("transfer-encoding")))
		return transfer_encoding(head, value);
	if (str_equal_nocase(name, STR("host")))
		return head->hosts++ > 0 || !all_of(value, HOST) ? RC_MALFORMED : RC_OK;
	return RC_OK;
}

/* RFC 9112 section 6.3: whatever leaves the length of the body open to two readings is refused. */
static enum rc framing(const struct head *head)
{
	if (head->http_11 && head->hosts != 1)
		return RC_MALFORMED;
	if (head->encodings == 0)
		return RC_OK;
	if (head->lengths > 0 || !head->http_11)
		return RC_MALFORMED;
	if (head->chunked_last)
		return RC_NOT_IMPLEMENTED;
	return head->chunked ? RC_OK : RC_MALFORMED;
}

static enum rc take_line(struct head *head, const struct head_limits *limits, struct str line)
{
	enum rc rc;

	if (head->method_len > 0 && line.len > 0)
		return header_line(head, limits, line);
	if (head->method_len > 0) {
		rc = framing(head);
		head->done = rc == RC_OK;
		return rc;
	}
	if (line.len > 0)
		return request_line(head, limits, line);
	if (head->start > 0)
		return RC_MALFORMED;
	head->start = 2;
	return RC_OK;
}

static enum rc over(const struct head *head, const struct head_limits *limits, size_t len)
{
	if (head->method_len == 0 && len - head->line > limits->target + LINE_REST)
		return RC_URI_TOO_LONG;
	if (head->done ? head->at > limits->bytes : len >= limits->bytes)
		return RC_HEAD_TOO_LARGE;
	return RC_OK;
}

enum rc head_scan(struct head *head, const struct head_limits *limits, const char *bytes, size_t len)
{
	size_t at = head->at;
	enum rc rc;

	while (at < len && !head->done) {
		at += str_printable((struct str){bytes + at, len - at});
		if (at == len)
			break;
		if (bytes[at] == '\t') {
			at++;
			continue;
		}
		if (bytes[at] != '\r')
			return RC_MALFORMED;
		if (at + 1 == len)
			break;
		if (bytes[at + 1] != '\n')
			return RC_MALFORMED;
		rc = take_line(head, limits, (struct str){bytes + head->line, at - head->line});
		if (rc != RC_OK)
			return rc;
		at += 2;
		head->line = at;
	}
	head->at = at;
	return over(head, limits, len);
}
