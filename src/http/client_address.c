/* See client_address.h. */
#include "http/client_address.h"

#include <arpa/inet.h>
#include <stdlib.h>

#define V4_BITS 96 /* that stand before an IPv4 address */

static const unsigned char v4_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool address_parse(struct str text, struct address *ret)
{
	char copy[INET6_ADDRSTRLEN];
	struct address address;

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.p, '\0', text.len) != NULL)
		return false;
	memcpy(copy, text.p, text.len);
	copy[text.len] = '\0';
	if (memchr(text.p, ':', text.len) != NULL) {
		if (inet_pton(AF_INET6, copy, address.b) != 1)
			return false;
	} else {
		memcpy(address.b, v4_prefix, sizeof(v4_prefix));
		if (inet_pton(AF_INET, copy, address.b + sizeof(v4_prefix)) != 1)
			return false;
	}
	*ret = address;
	return true;
}

bool address_is_v4(const struct address *address)
{
	return memcmp(address->b, v4_prefix, sizeof(v4_prefix)) == 0;
}

/* --- Proxies ------------------------------------------------------------------ */

/* The digits after '/', or all bits where there is none. */
static bool parse_bits(struct str text, bool v4, int *ret)
{
	int bits = 0, most = v4 ? 128 - V4_BITS : 128;

	if (text.p == NULL) {
		*ret = 128;
		return true;
	}
	if (text.len == 0 || text.len > 3)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		bits = bits * 10 + (text.p[i] - '0');
	}
	*ret = v4 ? V4_BITS + bits : bits;
	return bits <= most;
}

static bool network_parse(struct str text, struct network *ret)
{
	const char *slash = text.len > 0 ? memchr(text.p, '/', text.len) : NULL;
	struct str bits = {NULL, 0};

	if (slash != NULL) {
		bits = (struct str){slash + 1, text.len - (size_t)(slash + 1 - text.p)};
		text.len = (size_t)(slash - text.p);
	}
	return address_parse(text, &ret->address) &&
	       parse_bits(bits, address_is_v4(&ret->address), &ret->bits);
}

bool proxies_parse(struct str list, struct proxies *ret, struct str *ret_bad)
{
	struct proxies proxies = {.count = 0};

	while (list.len > 0) {
		struct str item = str_trim(str_cut(&list, ','));

		if (proxies.count == PROXIES_MAX || !network_parse(item, &proxies.networks[proxies.count])) {
			*ret_bad = item;
			return false;
		}
		proxies.count++;
	}
	*ret = proxies;
	return true;
}

static bool network_has(const struct network *network, const struct address *address)
{
	size_t bytes = (size_t)network->bits / 8;
	int rest = network->bits % 8;

	if (memcmp(network->address.b, address->b, bytes) != 0)
		return false;
	return rest == 0 || (network->address.b[bytes] ^ address->b[bytes]) >> (8 - rest) == 0;
}

static bool is_proxy(const struct proxies *proxies, const struct address *address)
{
	for (size_t i = 0; i < proxies->count; i++)
		if (network_has(&proxies->networks[i], address))
			return true;
	return false;
}

/* --- The client --------------------------------------------------------------- */

/* What stands behind the last ',', which is cut off. */
static struct str cut_last(struct str *list)
{
	size_t at = list->len;
	struct str item;

	while (at > 0 && list->p[at - 1] != ',')
		at--;
	item = str_trim((struct str){list->p + at, list->len - at});
	list->len = at > 0 ? at - 1 : 0;
	return item;
}

/* Walks one line from its right end. True: the client was found, or what stands there leads no further, and
 * tells of nobody. */
static bool walk(const struct proxies *proxies, struct str line, struct address *address, bool *ret_told)
{
	while (line.len > 0) {
		struct address next;

		*ret_told = address_parse(cut_last(&line), &next);
		if (!*ret_told)
			return true;
		*address = next;
		if (!is_proxy(proxies, &next))
			return true;
	}
	return false;
}

static void write_peer(struct http_exchange *exchange, const struct address *address)
{
	_Static_assert(sizeof(exchange->peer) >= INET6_ADDRSTRLEN, "any address fits");
	if (address_is_v4(address))
		inet_ntop(AF_INET, address->b + sizeof(v4_prefix), exchange->peer, sizeof(exchange->peer));
	else
		inet_ntop(AF_INET6, address->b, exchange->peer, sizeof(exchange->peer));
}

struct address client_address(const struct proxies *proxies, struct http_exchange *exchange)
{
	struct address address;
	bool found = false;

	if (!address_parse(str_from(exchange->peer), &address))
		return (struct address){{0}};
	if (!is_proxy(proxies, &address))
		return address;
	/* Several lines are one list (RFC 9110, 5.3). */
	for (size_t i = exchange->header_count; i-- > 0 && !found;) {
		const struct http_header *header = &exchange->headers[i];

		if (str_equal_nocase(header->name, STR("X-Forwarded-For")))
			found = walk(proxies, header->value, &address, &exchange->by_proxy);
	}
	write_peer(exchange, &address);
	return address;
}
