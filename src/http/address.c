/* See address.h. */
#include "http/address.h"

#include <netinet/in.h>

struct network4 {
	uint32_t address;
	unsigned bits;
};

struct network6 {
	uint8_t address[16];
	unsigned bits;
};

/* clang-format off */
#define V4(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static const struct network4 loopback4 = {V4(127, 0, 0, 0), 8};

static const struct network4 special4[] = {
	{V4(0, 0, 0, 0), 8},        /* this network */
	{V4(10, 0, 0, 0), 8},       /* private */
	{V4(100, 64, 0, 0), 10},    /* carriers' NAT */
	{V4(127, 0, 0, 0), 8},      /* loopback */
	{V4(169, 254, 0, 0), 16},   /* link-local: metadata of clouds */
	{V4(172, 16, 0, 0), 12},    /* private */
	{V4(192, 0, 0, 0), 24},     /* protocols */
	{V4(192, 0, 2, 0), 24},     /* documentation */
	{V4(192, 88, 99, 0), 24},   /* 6to4 relays, gone */
	{V4(192, 168, 0, 0), 16},   /* private */
	{V4(198, 18, 0, 0), 15},    /* benchmarks */
	{V4(198, 51, 100, 0), 24},  /* documentation */
	{V4(203, 0, 113, 0), 24},   /* documentation */
	{V4(224, 0, 0, 0), 4},      /* multicast */
	{V4(240, 0, 0, 0), 4},      /* reserved, broadcast */
};

static const struct network6 mapped = {{[10] = 0xff, [11] = 0xff}, 96};
static const struct network6 nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};
static const struct network6 loopback6 = {{[15] = 1}, 128};

/* The only block from which addresses are given out, and what is not public in it. */
static const struct network6 global6 = {{0x20}, 3};
static const struct network6 special6[] = {
	{{0x20, 0x01, 0x00}, 23},             /* protocols: Teredo, ORCHID, benchmarks */
	{{0x20, 0x01, 0x0d, 0xb8}, 32},       /* documentation */
	{{0x20, 0x02}, 16},                   /* 6to4: any IPv4 address inside */
	{{0x3f, 0xff}, 20},                   /* documentation */
};
/* clang-format on */

static bool within4(uint32_t address, const struct network4 *network)
{
	return (address ^ network->address) >> (32 - network->bits) == 0;
}

static bool within6(const uint8_t *address, const struct network6 *network)
{
	unsigned whole = network->bits / 8, rest = network->bits % 8;

	if (memcmp(address, network->address, whole) != 0)
		return false;
	return rest == 0 || (address[whole] ^ network->address[whole]) >> (8 - rest) == 0;
}

static bool is_public4(uint32_t address)
{
	for (size_t i = 0; i < ARRAY_LEN(special4); i++)
		if (within4(address, &special4[i]))
			return false;
	return true;
}

static uint32_t last_four(const uint8_t *address)
{
	return V4((uint32_t)address[12], (uint32_t)address[13], (uint32_t)address[14], (uint32_t)address[15]);
}

static bool is_public6(const uint8_t *address)
{
	if (within6(address, &mapped) || within6(address, &nat64))
		return is_public4(last_four(address));
	for (size_t i = 0; i < ARRAY_LEN(special6); i++)
		if (within6(address, &special6[i]))
			return false;
	return within6(address, &global6);
}

/* The bytes of either family; a copy, since a sockaddr may lie anywhere. */

static uint32_t bytes4(const struct sockaddr *address)
{
	struct sockaddr_in in;

	memcpy(&in, address, sizeof(in));
	return ntohl(in.sin_addr.s_addr);
}

static void bytes6(const struct sockaddr *address, uint8_t ret[16])
{
	struct sockaddr_in6 in;

	memcpy(&in, address, sizeof(in));
	memcpy(ret, in.sin6_addr.s6_addr, 16);
}

bool address_is_public(const struct sockaddr *address)
{
	uint8_t bytes[16];

	if (address->sa_family == AF_INET)
		return is_public4(bytes4(address));
	if (address->sa_family != AF_INET6)
		return false;
	bytes6(address, bytes);
	return is_public6(bytes);
}

bool address_is_loopback(const struct sockaddr *address)
{
	uint8_t bytes[16];

	if (address->sa_family == AF_INET)
		return within4(bytes4(address), &loopback4);
	if (address->sa_family != AF_INET6)
		return false;
	bytes6(address, bytes);
	return within6(bytes, &loopback6) ||
	       (within6(bytes, &mapped) && within4(last_four(bytes), &loopback4));
}
