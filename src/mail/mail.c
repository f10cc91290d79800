/* A letter as it travels: RFC 5322 with MIME. */
#include "mail/mail.h"

#include <sodium.h>

#define LINE_BYTES 54 /* of text in a line of base64: 72 characters */
#define WORD_BYTES                                                                              \
	39 /* of text in an encoded word: 52 characters, in a line of 76 at most (RFC 2047, 2.) \
	    */

/* RFC 5322, 3.3 */
static const char *date_text(struct arena *arena, utime at)
{
	static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int64_t day = at / UTIME_DAY, second = at % UTIME_DAY / UTIME_SECOND, year;
	unsigned month, of_month;

	utime_civil_from_days(day, &year, &month, &of_month);
	return arena_printf(arena, "%s, %u %s %d %02d:%02d:%02d +0000", days[day % 7], of_month,
			    months[month - 1], (int)year, (int)(second / 3600), (int)(second / 60 % 60),
			    (int)(second % 60));
}

static char *base64(struct arena *arena, const char *bytes, size_t len)
{
	size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *text = arena_alloc(arena, size);

	return text == NULL ? NULL
			    : sodium_bin2base64(text, size, (const unsigned char *)bytes, len,
						sodium_base64_VARIANT_ORIGINAL);
}

/* At most `most` bytes, without cutting a character in two. */
static size_t piece_len(struct str text, size_t most)
{
	size_t len = text.len < most ? text.len : most;

	while (len > 0 && len < text.len && ((unsigned char)text.p[len] & 0xc0) == 0x80)
		len--;
	return len;
}

/* RFC 2047: encoded words, one a line. */
static const char *subject_text(struct arena *arena, const char *subject)
{
	struct str rest = str_from(subject);
	const char *text = "";

	while (rest.len > 0 && text != NULL) {
		size_t len = piece_len(rest, WORD_BYTES);
		const char *word = base64(arena, rest.p, len);

		if (word == NULL)
			return NULL;
		text = arena_printf(arena, "%s%s=?UTF-8?B?%s?=", text, *text != '\0' ? "\r\n " : "", word);
		rest.p += len;
		rest.len -= len;
	}
	return text;
}

/* The text in lines of base64, its own ends of lines as \r\n (RFC 2049, 4.). */
static const char *body_text(struct arena *arena, const char *text)
{
	size_t len = strlen(text), size = 0, at = 0, lines;
	char *crlf = arena_alloc(arena, 2 * len + 1), *to, *body;

	if (crlf == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			crlf[size++] = '\r';
		crlf[size++] = text[i];
	}
	lines = size / LINE_BYTES + 1;
	body = to = arena_alloc(arena, lines * (LINE_BYTES / 3 * 4 + 2) + 1);
	for (; body != NULL && at < size; at += LINE_BYTES) {
		size_t left = size - at;

		sodium_bin2base64(to, LINE_BYTES / 3 * 4 + 1, (const unsigned char *)crlf + at,
				  left < LINE_BYTES ? left : LINE_BYTES, sodium_base64_VARIANT_ORIGINAL);
		to += strlen(to);
		memcpy(to, "\r\n", 3);
		to += 2;
	}
	return body;
}

/* Of the sender's host: nobody else makes ids there. */
static const char *host_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at != NULL ? at + 1 : "localhost";
}

enum rc mail_write(struct arena *arena, const struct mail *mail, struct str *ret)
{
	const char *date = date_text(arena, mail->date);
	const char *subject = subject_text(arena, mail->subject);
	const char *body = body_text(arena, mail->text);
	char id[UUID_TEXT_LEN + 1];
	const char *text;

	if (date == NULL || subject == NULL || body == NULL)
		return RC_NO_MEMORY;
	text = arena_printf(arena,
			    "Date: %s\r\n"
			    "From: <%s>\r\n"
			    "To: <%s>\r\n"
			    "Subject: %s\r\n"
			    "Message-ID: <%s@%s>\r\n"
			    "Auto-Submitted: auto-generated\r\n" /* RFC 3834: let no robot answer */
			    "MIME-Version: 1.0\r\n"
			    "Content-Type: text/plain; charset=utf-8\r\n"
			    "Content-Transfer-Encoding: base64\r\n"
			    "\r\n"
			    "%s",
			    date, mail->from, mail->to, subject, uuid_text(id, &mail->id),
			    host_of(mail->from), body);
	if (text == NULL)
		return RC_NO_MEMORY;
	*ret = str_from(text);
	return RC_OK;
}
