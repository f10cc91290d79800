/* Tables of good and bad e-mail addresses, host names, URLs and colours. */
#include "json/shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEN "abcdefghij"
#define L60 TEN TEN TEN TEN TEN TEN

struct row {
	const char *text;
	bool good;
};

static void check(const struct format *format, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (format->valid(str_from(rows[i].text)) != rows[i].good)
			fail_msg("\"%s\" should be %s", rows[i].text, rows[i].good ? "taken" : "refused");
	assert_false(format->valid((struct str){NULL, 0}));
}

static const struct row emails[] = {
	{"ana@exemplo.com", true},
	{"a@b.co", true},
	{"ana.maria+agenda@sub.exemplo.com.br", true},
	{"o'brien!#$%&*/=?^_`{|}~-@exemplo.com", true},
	{"jo\xc3\xa3o@exemplo.com", true},
	{"1@2.3", true},
	{L60 "abcd@exemplo.com", true},
	{L60 "abcde@exemplo.com", false},
	{"a@" L60 "." L60 "." L60 "." L60 ".com", true},
	{"a@" L60 "." L60 "." L60 "." L60 ".abcdefghijk", false},
	{"", false},
	{"ana", false},
	{"@exemplo.com", false},
	{"ana@", false},
	{"ana@exemplo", false},
	{"ana@@exemplo.com", false},
	{"ana@b@exemplo.com", false},
	{".ana@exemplo.com", false},
	{"ana.@exemplo.com", false},
	{"a..na@exemplo.com", false},
	{"ana maria@exemplo.com", false},
	{"ana@exemplo..com", false},
	{"ana@.exemplo.com", false},
	{"ana@exemplo.com.", false},
	{"ana@-exemplo.com", false},
	{"ana@exemplo_.com", false},
	{"ana@exemplo.com\n", false},
	{" ana@exemplo.com", false},
	{"\"ana\"@exemplo.com", false},
	{"Ana <ana@exemplo.com>", false},
	{"ana,bia@exemplo.com", false},
	{"ana@exemplo.com,bia@exemplo.com", false},
	{"ana@[127.0.0.1]", false},
	{"ana\r\nBcc:x@exemplo.com", false},
};

static const struct row hosts[] = {
	{"academia-fit.com", true},
	{"ACADEMIA.Com", true},
	{"localhost", true},
	{"a", true},
	{"1.2.3.4", true},
	{"xn--joo-hoa.com", true},
	{"a--b.c", true},
	{L60 "abc.com", true},
	{L60 "abcd.com", false},
	{L60 "." L60 "." L60 "." L60 ".abcdefghi", true},
	{L60 "." L60 "." L60 "." L60 ".abcdefghij", false},
	{"", false},
	{".", false},
	{".com", false},
	{"com.", false},
	{"a..b", false},
	{"-a.com", false},
	{"a-.com", false},
	{"a.com-", false},
	{"a_b.com", false},
	{"a b.com", false},
	{"a.com/", false},
	{"a.com:80", false},
	{"http://a.com", false},
	{"jo\xc3\xa3o.com", false},
	{"a.com\n", false},
	{"*.com", false},
};

static const struct row urls[] = {
	{"https://exemplo.com/logo.png", true},
	{"http://exemplo.com", true},
	{"HTTPS://EXEMPLO.com/", true},
	{"https://a/?q=1&r=%20#x", true},
	{"https://a?x", true},
	{"https://a#x", true},
	{"http://localhost:8000/a", true},
	{"http://a:1", true},
	{"http://1.2.3.4:65535/", true},
	{"", false},
	{"http://", false},
	{"https://", false},
	{"https:///a", false},
	{"https://?x", false},
	{"ftp://exemplo.com", false},
	{"javascript:alert(1)", false},
	{"data:image/png;base64,AA==", false},
	{"//exemplo.com", false},
	{"exemplo.com", false},
	{"https:/exemplo.com", false},
	{" https://exemplo.com", false},
	{"https://exemplo.com/a b", false},
	{"https://exemplo.com/\n", false},
	{"https://exemplo.com/\"onload", false},
	{"https://exemplo.com/<x>", false},
	{"https://exemplo.com/\xc3\xa1", false},
	{"https://exemplo.com/\x7f", false},
	{"https://ana:senha@exemplo.com/", false},
	{"https://exemplo.com:/", false},
	{"https://exemplo.com:80a/", false},
	{"https://exemplo.com:123456/", false},
	{"https://-a.com", false},
	{"https://a..b", false},
};

static const struct row colours[] = {
	{"#FFF", true},
	{"#ff5722", true},
	{"#0aF", true},
	{"#09afAF", true},
	{"", false},
	{"#", false},
	{"FFF", false},
	{"FF5722", false},
	{"#FF", false},
	{"#FFFF", false},
	{"#FFFFF", false},
	{"#FF57222", false},
	{"#GGG", false},
	{"#FF572G", false},
	{"#ff 722", false},
	{"##FF572", false},
	{"red", false},
	{"#FFF\n", false},
	{" #FFF", false},
	{"#\xc3\xa1"
	 "a",
	 false},
};

static const struct row days_or_times[] = {
	{"2025-12-05", true},
	{"2024-02-29", true},
	{"2025-12-05T14:00", true},
	{"2025-12-05T14:00:00.5-03:00", true},
	{"2025-12-05T14:00Z", true},
	{"", false},
	{"2025-02-29", false},
	{"2025-12", false},
	{"14:00", false},
	{"2025-12-05T25:00", false},
	{"2025-12-05 ", false},
	{"today", false},
};

static void email_table(void **state)
{
	(void)state;
	check(&format_email, emails, ARRAY_LEN(emails));
}

static void host_table(void **state)
{
	(void)state;
	check(&format_host, hosts, ARRAY_LEN(hosts));
}

static void url_table(void **state)
{
	(void)state;
	check(&format_url, urls, ARRAY_LEN(urls));
}

static void colour_table(void **state)
{
	(void)state;
	check(&format_color, colours, ARRAY_LEN(colours));
}

static void day_or_time_table(void **state)
{
	(void)state;
	check(&format_day_or_time, days_or_times, ARRAY_LEN(days_or_times));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(email_table),	     cmocka_unit_test(host_table),
		cmocka_unit_test(url_table),	     cmocka_unit_test(colour_table),
		cmocka_unit_test(day_or_time_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
