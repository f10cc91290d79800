/* See security_headers.h. The names are of OWASP's secure headers project; ASVS 5, chapter V3.4. */
#include "http/security_headers.h"

#define LINE(text) text "\r\n"

#define ALWAYS                                  \
	LINE("X-Content-Type-Options: nosniff") \
	LINE("Cross-Origin-Resource-Policy: same-origin")

/* Swagger UI's style sheet holds its icons as data: URLs. Styles that scripts set by the DOM are not inline.
 */
#define PAGE                                                                                            \
	ALWAYS                                                                                          \
	LINE("Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "       \
	     "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri " \
	     "'none'; "                                                                                 \
	     "frame-ancestors 'none'")                                                                  \
	LINE("Referrer-Policy: no-referrer")                                                            \
	LINE("X-Frame-Options: DENY")                                                                   \
	LINE("Cross-Origin-Opener-Policy: same-origin")                                                 \
	LINE("Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()")

#define OTHER  ALWAYS LINE("Content-Security-Policy: default-src 'none'; frame-ancestors 'none'")
#define SECRET LINE("Cache-Control: no-store")
#define HSTS   LINE("Strict-Transport-Security: max-age=31536000; includeSubDomains")

/*
 * "Not modified" says nothing of what a page may do: a browser would take it for the page that it keeps
 * (RFC 9111, 4.3.4).
 */
enum kind { IS_PAGE, IS_OTHER, IS_SECRET, IS_UNCHANGED, KINDS };

static const struct str lines[2][KINDS] = {
	{[IS_PAGE] = STR(PAGE),
	 [IS_OTHER] = STR(OTHER),
	 [IS_SECRET] = STR(OTHER SECRET),
	 [IS_UNCHANGED] = STR(ALWAYS)},
	{[IS_PAGE] = STR(PAGE HSTS),
	 [IS_OTHER] = STR(OTHER HSTS),
	 [IS_SECRET] = STR(OTHER SECRET HSTS),
	 [IS_UNCHANGED] = STR(ALWAYS HSTS)},
};

static bool says_how_to_keep(const struct http_reply *reply)
{
	for (size_t i = 0; i < reply->header_count; i++)
		if (str_equal_nocase(reply->headers[i].name, STR("Cache-Control")))
			return true;
	return false;
}

struct str security_headers(const struct http_reply *reply, bool https)
{
	static const struct str html = STR("text/html");
	enum kind kind;

	if (reply->status == 304)
		kind = IS_UNCHANGED;
	else if (reply->content_type.len >= html.len && memcmp(reply->content_type.p, html.p, html.len) == 0)
		kind = IS_PAGE;
	else
		kind = says_how_to_keep(reply) ? IS_OTHER : IS_SECRET;
	return lines[https][kind];
}
