/* See mail.h. libcurl's multi interface with one transfer: so that a stop need not wait for a server. */
#include "mail/mail.h"

#include "base/fiber.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define CONNECT_MS 10000
#define SEND_MS	   30000
#define REST_MS	   60000 /* libcurl keeps its own deadlines */

/* What a fiber waits for; it lies on that fiber's stack. */
struct sending {
	struct sending *next;
	struct fiber *fiber;
	const struct mail *mail;
	struct str text;
	size_t read; /* so much of the text is on its way */
	int socket;  /* -1: none was opened */
	CURLcode code;
	long answer; /* the server's last; 0: none */
	char why[CURL_ERROR_SIZE];
};

struct mailer {
	struct mailer_options options;
	CURLM *multi;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool started, stopping;
	struct sending *oldest, **end;
};

/* --- The thread --------------------------------------------------------------- */

static size_t give_text(char *to, size_t one, size_t most, void *arg)
{
	struct sending *sending = arg;
	size_t left = sending->text.len - sending->read;
	size_t len = left < most ? left : most;

	(void)one;
	memcpy(to, sending->text.p + sending->read, len);
	sending->read += len;
	return len;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct sending *sending = arg;

	(void)purpose;
	sending->socket = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	return sending->socket;
}

static bool set(const struct mailer *mailer, CURL *easy, struct sending *sending, struct curl_slist *to)
{
	CURLcode code = CURLE_OK;

#define SET(option, value) (code = code != CURLE_OK ? code : curl_easy_setopt(easy, (option), (value)))
	SET(CURLOPT_URL, mailer->options.url);
	SET(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	/* smtp:// is for this machine alone, where it is not for tests (app/posture.c); smtps:// is TLS. */
	SET(CURLOPT_USE_SSL, (long)CURLUSESSL_TRY);
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (mailer->options.ca_file != NULL)
		SET(CURLOPT_CAINFO, mailer->options.ca_file);
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	SET(CURLOPT_TIMEOUT_MS, (long)SEND_MS);
	SET(CURLOPT_FORBID_REUSE, 1L); /* mail is seldom; a server need not keep a connection for us */
	SET(CURLOPT_OPENSOCKETFUNCTION, open_socket);
	SET(CURLOPT_OPENSOCKETDATA, sending);
	SET(CURLOPT_MAIL_FROM, sending->mail->from);
	SET(CURLOPT_MAIL_RCPT, to);
	SET(CURLOPT_UPLOAD, 1L);
	SET(CURLOPT_READFUNCTION, give_text);
	SET(CURLOPT_READDATA, sending);
	SET(CURLOPT_ERRORBUFFER, sending->why);
#undef SET
	return code == CURLE_OK;
}

static bool is_stopping(struct mailer *mailer)
{
	bool stopping;

	pthread_mutex_lock(&mailer->lock);
	stopping = mailer->stopping;
	pthread_mutex_unlock(&mailer->lock);
	return stopping;
}

/* Until it is done, or the mailer stops: then the connection is cut, or libcurl would say good-bye to a
 * server and wait for its answer. */
static CURLcode carry(struct mailer *mailer, CURL *easy, const struct sending *sending)
{
	CURLcode code = CURLE_ABORTED_BY_CALLBACK;
	int running = 1, left;

	if (curl_multi_add_handle(mailer->multi, easy) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	while (running > 0 && !is_stopping(mailer)) {
		const CURLMsg *message;

		if (curl_multi_perform(mailer->multi, &running) != CURLM_OK)
			break;
		if (running > 0)
			curl_multi_poll(mailer->multi, NULL, 0, REST_MS, NULL);
		else if ((message = curl_multi_info_read(mailer->multi, &left)) != NULL)
			code = message->data.result;
	}
	if (running > 0 && sending->socket >= 0)
		shutdown(sending->socket, SHUT_RDWR);
	curl_multi_remove_handle(mailer->multi, easy);
	return code;
}

static void send_one(struct mailer *mailer, struct sending *sending)
{
	char to_text[300];
	struct curl_slist *to;
	CURL *easy = curl_easy_init();

	snprintf(to_text, sizeof(to_text), "<%s>", sending->mail->to);
	to = curl_slist_append(NULL, to_text);
	sending->code = CURLE_OUT_OF_MEMORY;
	if (easy != NULL && to != NULL && set(mailer, easy, sending, to)) {
		sending->code = carry(mailer, easy, sending);
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &sending->answer);
	}
	if (sending->code != CURLE_OK && sending->why[0] == '\0')
		snprintf(sending->why, sizeof(sending->why), "%s", curl_easy_strerror(sending->code));
	curl_easy_cleanup(easy);
	curl_slist_free_all(to);
}

/* The next; NULL when the mailer stops and none is left. */
static struct sending *take(struct mailer *mailer)
{
	struct sending *sending;

	pthread_mutex_lock(&mailer->lock);
	while (mailer->oldest == NULL && !mailer->stopping)
		pthread_cond_wait(&mailer->changed, &mailer->lock);
	sending = mailer->oldest;
	if (sending != NULL) {
		mailer->oldest = sending->next;
		if (mailer->oldest == NULL)
			mailer->end = &mailer->oldest;
	}
	pthread_mutex_unlock(&mailer->lock);
	return sending;
}

static void *work(void *arg)
{
	struct mailer *mailer = arg;
	struct sending *sending;

	while ((sending = take(mailer)) != NULL) {
		send_one(mailer, sending);
		fiber_wake(sending->fiber); /* from here on it may be gone */
	}
	return NULL;
}

/* --- The asking side ------------------------------------------------------------ */

static bool enqueue(struct mailer *mailer, struct sending *sending)
{
	bool taken;

	pthread_mutex_lock(&mailer->lock);
	if (!mailer->started && !mailer->stopping)
		mailer->started = pthread_create(&mailer->thread, NULL, work, mailer) == 0;
	taken = mailer->started && !mailer->stopping;
	if (taken) {
		*mailer->end = sending;
		mailer->end = &sending->next;
		pthread_cond_signal(&mailer->changed);
	}
	pthread_mutex_unlock(&mailer->lock);
	return taken;
}

/* An answer of 5xx is for ever (RFC 5321, 4.2.1); but to who we are (530, 535) it is the operator's to mend.
 */
static enum mail_outcome outcome(const struct sending *sending)
{
	if (sending->code == CURLE_OK)
		return MAIL_SENT;
	if (sending->code == CURLE_LOGIN_DENIED || sending->answer == 530)
		return MAIL_LATER;
	return sending->answer >= 500 && sending->answer < 600 ? MAIL_REFUSED : MAIL_LATER;
}

enum rc mailer_send(struct mailer *mailer, struct arena *arena, const struct mail *mail,
		    enum mail_outcome *ret, const char **ret_why)
{
	struct sending sending = {.fiber = fiber_self(), .mail = mail, .socket = -1};
	enum rc rc = mail_write(arena, mail, &sending.text);
	const char *why;

	if (rc != RC_OK)
		return rc;
	if (enqueue(mailer, &sending)) {
		fiber_wait();
	} else {
		sending.code = CURLE_ABORTED_BY_CALLBACK;
		snprintf(sending.why, sizeof(sending.why), "stopping");
	}
	why = arena_text(arena, str_from(sending.why));
	if (why == NULL)
		return RC_NO_MEMORY;
	*ret = outcome(&sending);
	*ret_why = why;
	return RC_OK;
}

/* --- Life ------------------------------------------------------------------------ */

struct mailer *mailer_create(const struct mailer_options *options)
{
	struct mailer *mailer;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return NULL;
	mailer = calloc(1, sizeof(*mailer));
	if (mailer != NULL)
		mailer->multi = curl_multi_init();
	if (mailer == NULL || mailer->multi == NULL) {
		free(mailer);
		curl_global_cleanup();
		return NULL;
	}
	mailer->options = *options;
	mailer->end = &mailer->oldest;
	pthread_mutex_init(&mailer->lock, NULL);
	pthread_cond_init(&mailer->changed, NULL);
	return mailer;
}

void mailer_stop(struct mailer *mailer)
{
	if (mailer == NULL)
		return;
	pthread_mutex_lock(&mailer->lock);
	mailer->stopping = true;
	pthread_cond_signal(&mailer->changed);
	pthread_mutex_unlock(&mailer->lock);
	curl_multi_wakeup(mailer->multi);
}

void mailer_destroy(struct mailer *mailer)
{
	if (mailer == NULL)
		return;
	mailer_stop(mailer);
	if (mailer->started)
		pthread_join(mailer->thread, NULL);
	curl_multi_cleanup(mailer->multi);
	pthread_cond_destroy(&mailer->changed);
	pthread_mutex_destroy(&mailer->lock);
	free(mailer);
	curl_global_cleanup();
}
