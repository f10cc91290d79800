/* See return_address.h. */
#include "auth/return_address.h"

#define PORT_DIGITS 5

static bool starts(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool in_host(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

static bool rest_good(const char *rest)
{
	if (*rest != '\0' && *rest != '/' && *rest != '?')
		return false;
	for (; *rest != '\0'; rest++)
		if (*rest <= ' ' || *rest > '~' || strchr("\\#\"<>^`{|}", *rest) != NULL)
			return false;
	return true;
}

bool return_address_parse(const char *url, struct return_address *ret)
{
	struct return_address found = {.secure = starts(url, "https://"), .plain_port = true};
	const char *host = url + (found.secure ? 8 : 7), *at = host;
	size_t digits = 0;

	if (strlen(url) > RETURN_ADDRESS_MAX || (!found.secure && !starts(url, "http://")))
		return false;
	while (in_host(*at))
		at++;
	found.host = (struct str){host, (size_t)(at - host)};
	if (found.host.len == 0 || *host == '.' || *host == '-')
		return false;
	if (*at == ':') {
		found.plain_port = false;
		for (at++; *at >= '0' && *at <= '9'; at++)
			digits++;
		if (digits == 0 || digits > PORT_DIGITS)
			return false;
	}
	found.origin = (struct str){url, (size_t)(at - url)};
	if (!rest_good(at))
		return false;
	*ret = found;
	return true;
}
