/*
 * The formats of shape.h. Each says no to what no such thing can look like; whether a mailbox or a host
 * exists is not asked here.
 */
#include "json/shape.h"

#include <ctype.h>

static bool is_alnum(char c)
{
	return isalnum((unsigned char)c) && (unsigned char)c < 0x80;
}

/* RFC 1123: labels of 1-63 letters, digits and inner hyphens; 253 characters in all. */
static bool host_valid(struct str text)
{
	size_t label = 0;

	if (text.len == 0 || text.len > 253)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (c == '.') {
			if (label == 0 || text.p[i - 1] == '-')
				return false;
			label = 0;
		} else {
			if (!is_alnum(c) && (c != '-' || label == 0))
				return false;
			if (++label > 63)
				return false;
		}
	}
	return label > 0 && text.p[text.len - 1] != '-';
}

/* The addr-spec of RFC 5321 with a dot-atom local part (UTF-8 letters allowed, RFC 6531) and a dotted host.
 */
static bool email_valid(struct str text)
{
	const char *at = text.len > 0 ? memchr(text.p, '@', text.len) : NULL;
	struct str local, host;

	if (at == NULL || text.len > 254)
		return false;
	local = (struct str){text.p, (size_t)(at - text.p)};
	host = (struct str){at + 1, text.len - local.len - 1};
	if (local.len == 0 || local.len > 64 || local.p[0] == '.' || local.p[local.len - 1] == '.')
		return false;
	for (size_t i = 0; i < local.len; i++) {
		unsigned char c = (unsigned char)local.p[i];

		if (c <= 0x20 || c == 0x7f || strchr("()<>[]:;@\\,\"", c) != NULL)
			return false;
		if (c == '.' && local.p[i - 1] == '.')
			return false;
	}
	return host_valid(host) && memchr(host.p, '.', host.len) != NULL;
}

/* http or https, a host, an optional port; the rest printable ASCII without blanks. */
static bool url_valid(struct str text)
{
	struct str rest = text;
	size_t host = 0;
	size_t scheme;

	if (text.len > 8 && str_equal_nocase((struct str){text.p, 8}, STR("https://")))
		scheme = 8;
	else if (text.len > 7 && str_equal_nocase((struct str){text.p, 7}, STR("http://")))
		scheme = 7;
	else
		return false;
	rest.p += scheme;
	rest.len -= scheme;
	for (size_t i = 0; i < rest.len; i++)
		if (!isgraph((unsigned char)rest.p[i]) || strchr("\"<>\\^`{|}", rest.p[i]) != NULL)
			return false;
	while (host < rest.len && strchr(":/?#", rest.p[host]) == NULL)
		host++;
	if (!host_valid((struct str){rest.p, host}))
		return false;
	if (host < rest.len && rest.p[host] == ':') {
		size_t digits = ++host;

		while (host < rest.len && rest.p[host] >= '0' && rest.p[host] <= '9')
			host++;
		if (host == digits || host - digits > 5)
			return false;
	}
	return host == rest.len || strchr("/?#", rest.p[host]) != NULL;
}

static bool color_valid(struct str text)
{
	if ((text.len != 4 && text.len != 7) || text.p[0] != '#')
		return false;
	for (size_t i = 1; i < text.len; i++)
		if (!isxdigit((unsigned char)text.p[i]))
			return false;
	return true;
}

static bool day_or_time_valid(struct str text)
{
	struct wire_time when;
	int64_t days;

	return utime_parse_date(text, &days) || utime_parse(text, &when);
}

const struct format format_email = {.name = "email", .valid = email_valid, .issue = ISSUE_BAD_EMAIL};
const struct format format_host = {.name = "hostname", .valid = host_valid, .issue = ISSUE_BAD_HOST};
const struct format format_url = {.name = "uri",
				  .pattern = "^[Hh][Tt][Tt][Pp][Ss]?://",
				  .valid = url_valid,
				  .issue = ISSUE_BAD_URL};
const struct format format_color = {.pattern = "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$",
				    .valid = color_valid,
				    .issue = ISSUE_BAD_COLOR};
const struct format format_day_or_time = {.valid = day_or_time_valid, .issue = ISSUE_NOT_TIME};
