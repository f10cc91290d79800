/* See post.h. */
#include "auth/post.h"

#include "auth/message.h"
#include "auth/password.h"
#include "base/log.h"
#include "events/tasks.h"
#include "mail/mail.h"
#include "tenant/client.h"
#include "user/queries.h"

#include <stdlib.h>

#define LOOK_MS	    1000
#define ROUND	    20 /* messages */
#define PEOPLE_MAX  3  /* of one address, where no tenant was named: as many as a login tries */
#define CLAIM	    (5 * UTIME_MINUTE) /* more than all tries of one message take */
#define RETRY_FIRST (5 * UTIME_SECOND)
#define RETRY_LAST  (10 * UTIME_MINUTE)

struct post {
	const struct config *config;
	struct mailer *mailer;
};

/* --- What a mail says ------------------------------------------------------------ */

/* The subject follows on the tenant's name; in the text that name, and the link or the time, stand between
 * its three parts. */
static const struct {
	const char *subject[LANG_COUNT], *text[LANG_COUNT][3];
} words[message_kind_count] = {
	[message_kind_password_link] =
		{
			{"nova senha", "new password"},
			{{"Alguém pediu uma nova senha para a sua conta em ",
			  ".\n\nPara escolhê-la, abra este endereço dentro de 30 minutos:\n\n",
			  "\n\nEle serve uma única vez. Se não foi você, ignore esta mensagem: nada muda.\n"},
			 {"Somebody asked for a new password for your account at ",
			  ".\n\nTo choose it, open this address within 30 minutes:\n\n",
			  "\n\nIt works once. If it was not you, ignore this message: nothing changes.\n"}},
		},
	[message_kind_password_changed] =
		{
			{"sua senha foi trocada", "your password was changed"},
			{{"A senha da sua conta em ", " foi trocada em ",
			  ".\n\nTodas as sessões abertas foram encerradas. Se não foi você, peça ajuda a "
			  "quem administra a conta.\n"},
			 {"The password of your account at ", " was changed at ",
			  ".\n\nAll open sessions were ended. If it was not you, ask whoever runs the "
			  "place for help.\n"}},
		},
};

/* The link, or when it was. */
static enum rc make_detail(const struct post *post, struct ctx *cx, const struct message *message,
			   const struct person *person, const char **ret)
{
	char *text;
	utime expires;

	if (message->kind == message_kind_password_link)
		return link_make(cx, person, post->config->public_url, ret, &expires);
	text = arena_alloc(cx->arena, UTIME_TEXT_MAX);
	if (text == NULL)
		return RC_NO_MEMORY;
	utime_text(text, message->created_at, 0, true);
	*ret = text;
	return RC_OK;
}

static enum rc make_mail(const struct post *post, struct ctx *cx, const struct message *message,
			 const struct person *person, struct mail *ret)
{
	const char *tenant, *detail, *const *text;
	enum rc rc = tenant_name(cx, &person->tenant_id, &tenant);

	if (rc == RC_OK)
		rc = make_detail(post, cx, message, person, &detail);
	if (rc != RC_OK)
		return rc;
	text = words[message->kind].text[message->language];
	*ret = (struct mail){
		.from = post->config->smtp_from,
		.to = person->email,
		.subject = arena_printf(cx->arena, "%s: %s", tenant,
					words[message->kind].subject[message->language]),
		.text = arena_printf(cx->arena, "%s%s%s%s%s", text[0], tenant, text[1], detail, text[2]),
		.id = message->id,
		.date = cx->now,
	};
	return ret->subject != NULL && ret->text != NULL ? RC_OK : RC_NO_MEMORY;
}

/* --- To whom ------------------------------------------------------------------------ */

static enum rc find_people(struct ctx *cx, const struct message *message, struct person **ret,
			   size_t *ret_count)
{
	const struct q_people_by_email_in anywhere = {.email_key = message->recipient, .limit = PEOPLE_MAX};
	const struct q_person_by_email_in there = {.tenant_id = message->tenant_id,
						   .email_key = message->recipient};
	enum rc rc;

	if (uuid_is_none(&message->tenant_id))
		return q_people_by_email(cx, &anywhere, ret, ret_count);
	rc = q_person_by_email(cx, &there, ret);
	if (rc == RC_OK)
		*ret_count = *ret != NULL;
	return rc;
}

/* Of a tenant that is gone, or not active, nobody logs in. */
static enum rc is_served(struct ctx *cx, const struct person *person, bool *ret)
{
	struct tenant_rules tenant;
	enum rc rc = tenant_rules(cx, &person->tenant_id, &tenant);

	*ret = rc == RC_OK && tenant.is_active;
	return rc == RC_TENANT_UNKNOWN ? RC_OK : rc;
}

/* --- Sending ------------------------------------------------------------------------- */

/* Who it went to is not for the log; the message's id is in the mail, and in the mail server's own log. */
static void tell(const struct message *message, enum mail_outcome how, const char *why)
{
	char id[UUID_TEXT_LEN + 1];

	uuid_text(id, &message->id);
	if (how == MAIL_SENT)
		LOG(INFO, "mail sent", LOG_TEXT("message", id),
		    LOG_TEXT("kind", message_kind_names.text[message->kind]));
	else
		LOG(WARN,
		    how == MAIL_LATER ? "mail could not be sent; it is tried again"
				      : "mail was refused; it is not tried again",
		    LOG_TEXT("message", id), LOG_TEXT("kind", message_kind_names.text[message->kind]),
		    LOG_TEXT("why", why), LOG_NUMBER("attempts", message->attempts + 1));
}

static enum rc send_to(const struct post *post, struct ctx *cx, const struct message *message,
		       const struct person *person, bool *ret_later)
{
	enum mail_outcome how = MAIL_SENT;
	const char *why = "";
	bool served;
	struct mail mail;
	enum rc rc = is_served(cx, person, &served);

	if (rc != RC_OK || !served)
		return rc;
	rc = make_mail(post, cx, message, person, &mail);
	if (rc == RC_OK)
		rc = mailer_send(post->mailer, cx->arena, &mail, &how, &why);
	if (rc != RC_OK)
		return rc;
	tell(message, how, why);
	*ret_later |= how == MAIL_LATER;
	return RC_OK;
}

static enum rc run_query(struct ctx *cx, const struct query *query, const struct message *message,
			 size_t *ret_rows)
{
	struct script script;
	struct step *step;
	enum rc rc;

	script_init(&script, cx, ROOM_user, &message->tenant_id, &message->tenant_id);
	step = script_add(&script, query, message);
	rc = db_write(&script);
	if (rc == RC_OK)
		*ret_rows = step->rows.count;
	return rc;
}

static utime retry_at(const struct ctx *cx, int64_t attempts)
{
	utime wait = RETRY_FIRST;

	for (; attempts > 0 && wait < RETRY_LAST; attempts--)
		wait *= 2;
	return cx->now + (wait < RETRY_LAST ? wait : RETRY_LAST);
}

/* Nothing of it stays where there is nobody: that is for the purge to let go, as it does with what was sent.
 */
static enum rc handle(const struct post *post, struct ctx *cx, struct message *message)
{
	struct person *people;
	size_t count = 0, rows;
	bool later = false;
	enum rc rc;

	message->claimed_until = cx->now + CLAIM;
	rc = run_query(cx, &q_message_claim_query, message, &rows);
	if (rc != RC_OK || rows == 0)
		return rc;
	rc = find_people(cx, message, &people, &count);
	for (size_t i = 0; rc == RC_OK && i < count; i++)
		rc = send_to(post, cx, message, &people[i], &later);
	message->retry_at = rc == RC_OK && !later ? UTIME_NONE : retry_at(cx, message->attempts);
	return run_query(cx, &q_message_end_query, message, &rows);
}

/* --- The task --------------------------------------------------------------------------- */

static void look(const struct post *post, struct task *task)
{
	struct message *messages;
	size_t count = 0;
	struct arena arena;
	struct ctx cx;
	enum rc rc;

	task_arena(task, &arena);
	arena.wipe = true; /* links */
	task_begin(task, &arena, &cx);
	rc = q_messages_due(&cx, &(struct q_messages_due_in){.now = cx.now, .limit = ROUND}, &messages,
			    &count);
	for (size_t i = 0; rc == RC_OK && i < count && !task_stopping(task); i++)
		rc = handle(post, &cx, &messages[i]);
	arena_finish(&arena);
}

static void run(struct task *task, void *arg)
{
	for (; !task_stopping(task); task_sleep(task, LOOK_MS))
		look(arg, task);
}

enum rc post_create(const struct config *config, struct tasks *tasks, struct post **ret)
{
	const struct mailer_options options = {.url = config->smtp_url, .ca_file = config->smtp_ca};
	struct post *post;

	*ret = NULL;
	if (config->smtp_url == NULL)
		return RC_OK;
	post = calloc(1, sizeof(*post));
	if (post == NULL)
		return RC_NO_MEMORY;
	post->config = config;
	post->mailer = mailer_create(&options);
	if (post->mailer == NULL || tasks_add(tasks, run, post) == NULL) {
		post_destroy(post);
		return RC_NO_MEMORY;
	}
	*ret = post;
	return RC_OK;
}

void post_stop(struct post *post)
{
	if (post != NULL)
		mailer_stop(post->mailer);
}

void post_destroy(struct post *post)
{
	if (post == NULL)
		return;
	mailer_destroy(post->mailer);
	free(post);
}
