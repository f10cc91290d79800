/* The edges of each block of address.c. */
#include "http/address.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const public[] = {
	"1.0.0.0",	   "9.255.255.255",   "11.0.0.0",	 "100.63.255.255", "100.128.0.0",
	"126.255.255.255", "128.0.0.0",	      "169.253.255.255", "169.255.0.0",	   "172.15.255.255",
	"172.32.0.0",	   "192.0.1.0",	      "192.167.255.255", "192.169.0.0",	   "198.17.255.255",
	"198.20.0.0",	   "223.255.255.255", "8.8.8.8",	 "2000::1",	   "2001:200::1",
	"2606:4700::1111", "2003::1",	      "3ffe:ffff::1",	 "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
};

static const char *const special[] = {
	"0.0.0.0",
	"0.255.255.255",
	"10.0.0.0",
	"10.255.255.255",
	"100.64.0.0",
	"100.127.255.255",
	"127.0.0.1",
	"127.255.255.255",
	"169.254.0.0",
	"169.254.169.254",
	"169.254.255.255",
	"172.16.0.0",
	"172.31.255.255",
	"192.0.0.0",
	"192.0.0.170",
	"192.0.2.1",
	"192.88.99.1",
	"192.168.0.0",
	"192.168.255.255",
	"198.18.0.0",
	"198.19.255.255",
	"198.51.100.1",
	"203.0.113.1",
	"224.0.0.0",
	"239.255.255.255",
	"240.0.0.0",
	"255.255.255.255",
	"::",
	"::1",
	"::8.8.8.8",
	"::ffff:10.0.0.1",
	"::ffff:169.254.169.254",
	"::ffff:0:8.8.8.8",
	"64:ff9b::127.0.0.1",
	"64:ff9b:1::8.8.8.8",
	"100::1",
	"1fff:ffff::1",
	"2001::1",
	"2001:1ff:ffff::1",
	"2001:db8::1",
	"2002:808:808::1",
	"3fff::1",
	"3fff:fff:ffff::1",
	"4000::1",
	"5f00::1",
	"fc00::1",
	"fd00:ec2::254",
	"fe80::1",
	"febf:ffff::1",
	"fec0::1",
	"ff02::1",
};

static const char *const loopback[] = {"127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"};
static const char *const elsewhere[] = {"126.255.255.255", "128.0.0.0", "0.0.0.0", "10.0.0.1", "::", "::2",
					"::ffff:10.0.0.1"};

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage ret = {0};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		memcpy(&ret, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		memcpy(&ret, &v6, sizeof(v6));
	else
		fail_msg("%s is no address", text);
	return ret;
}

static void expect(bool (*is)(const struct sockaddr *), const char *const *texts, size_t count, bool answer)
{
	for (size_t i = 0; i < count; i++) {
		struct sockaddr_storage here = address(texts[i]);

		if (is((const struct sockaddr *)&here) != answer)
			fail_msg("%s: not %d", texts[i], answer);
	}
}

static void blocks(void **state)
{
	(void)state;
	expect(address_is_public, public, ARRAY_LEN(public), true);
	expect(address_is_public, special, ARRAY_LEN(special), false);
	expect(address_is_loopback, loopback, ARRAY_LEN(loopback), true);
	expect(address_is_loopback, elsewhere, ARRAY_LEN(elsewhere), false);
}

static void other_families(void **state)
{
	const struct sockaddr local = {.sa_family = AF_UNIX};

	(void)state;
	assert_false(address_is_public(&local));
	assert_false(address_is_loopback(&local));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks),
		cmocka_unit_test(other_families),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
