/*
 * Mail, out through the server of SMTP_URL. A fiber hands over one letter and waits for what became of it;
 * one thread carries them, one after the other, so that a slow server holds up nothing but mail. Nothing is
 * kept here: who sends decides what is tried again.
 */
#ifndef MAIL_MAIL_H
#define MAIL_MAIL_H

#include "base/arena.h"
#include "base/errors.h"
#include "base/utime.h"
#include "base/uuid.h"

/* Addresses are such as format_email lets through: without spaces and control characters. */
struct mail {
	const char *from, *to;
	const char *subject, *text; /* UTF-8; lines of the text end in \n */
	struct uuid id;		    /* Message-ID: the same for each try of one letter */
	utime date;
};

/* As it travels (RFC 5322, MIME): plain text in UTF-8, base64. RC_NO_MEMORY. */
enum rc mail_write(struct arena *arena, const struct mail *mail, struct str *ret) MUST_USE;

enum mail_outcome {
	MAIL_SENT,
	MAIL_LATER,   /* no connection, no answer, or a 4xx one: it may go another time */
	MAIL_REFUSED, /* 5xx: this server will never take it */
};

struct mailer; /* one a process; safe from any thread */

struct mailer_options {
	const char *url;     /* smtp://[user:password@]host:port, smtps:// */
	const char *ca_file; /* certificates to trust; NULL: the system's */
};

/* NULL when memory is short. The thread starts with the first letter. */
struct mailer *mailer_create(const struct mailer_options *options) MUST_USE;
/* What is under way is given up, MAIL_LATER, and so is all that comes from now on. */
void mailer_stop(struct mailer *mailer);
/* No fiber may be waiting. NULL is fine. */
void mailer_destroy(struct mailer *mailer);

/* On a fiber: waits. *ret_why: what the server or libcurl said, in the arena; for the log. RC_NO_MEMORY. */
enum rc mailer_send(struct mailer *mailer, struct arena *arena, const struct mail *mail,
		    enum mail_outcome *ret, const char **ret_why) MUST_USE;

#endif
