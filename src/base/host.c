/* See host.h. */
#include "base/host.h"

bool host_is_loopback(struct str host)
{
	if (str_equal_nocase(host, STR("localhost")) || str_equal(host, STR("::1")))
		return true;
	if (host.len < 5 || memcmp(host.p, "127.", 4) != 0)
		return false;
	/* 127.example.com is a name. */
	for (size_t i = 0; i < host.len; i++)
		if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9'))
			return false;
	return true;
}
