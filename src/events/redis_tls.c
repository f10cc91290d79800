/* See redis_tls.h. OpenSSL between two BIOs of memory: it never sees a socket. */
#include "events/redis_tls.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

struct tls_trust {
	SSL_CTX *ctx;
};

struct tls {
	SSL *ssl;
	BIO *in, *out; /* the SSL's */
	char why[160];
};

static bool trust_set(SSL_CTX *ctx, const char *ca_file)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1)
		return false;
	if (ca_file != NULL)
		return SSL_CTX_load_verify_file(ctx, ca_file) == 1;
	return SSL_CTX_set_default_verify_paths(ctx) == 1;
}

static const char *reason_of(unsigned long error, const char *otherwise)
{
	const char *reason =
		ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);

	return reason != NULL ? reason : otherwise;
}

struct tls_trust *tls_trust_create(const char *ca_file)
{
	struct tls_trust *trust = calloc(1, sizeof(*trust));

	if (trust == NULL)
		return NULL;
	ERR_clear_error();
	trust->ctx = SSL_CTX_new(TLS_client_method());
	if (trust->ctx != NULL && trust_set(trust->ctx, ca_file))
		return trust;
	fprintf(stderr, "marca: REDIS_CA_FILE=%s: cannot be used for TLS: %s\n",
		ca_file != NULL ? ca_file : "", reason_of(ERR_peek_error(), "out of memory"));
	tls_trust_destroy(trust);
	return NULL;
}

void tls_trust_destroy(struct tls_trust *trust)
{
	if (trust == NULL)
		return;
	SSL_CTX_free(trust->ctx);
	free(trust);
}

/* The name that the certificate must bear; a server of many names is told it too. */
static bool expect(SSL *ssl, const struct redis_host *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (!host->is_name)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host->name) == 1;
	return X509_VERIFY_PARAM_set1_host(param, host->name, 0) == 1 &&
	       SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
			(void *)(uintptr_t)host->name) == 1;
}

struct tls *tls_create(const struct tls_trust *trust, const struct redis_host *host)
{
	struct tls *tls = calloc(1, sizeof(*tls));

	if (tls == NULL)
		return NULL;
	tls->ssl = SSL_new(trust->ctx);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (tls->ssl == NULL || tls->in == NULL || tls->out == NULL) {
		BIO_free(tls->in);
		BIO_free(tls->out);
		SSL_free(tls->ssl);
		free(tls);
		return NULL;
	}
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	SSL_set_connect_state(tls->ssl);
	if (!expect(tls->ssl, host)) {
		tls_destroy(tls);
		return NULL;
	}
	return tls;
}

void tls_destroy(struct tls *tls)
{
	if (tls == NULL)
		return;
	SSL_free(tls->ssl);
	free(tls);
}

/* --- Bytes ------------------------------------------------------------------------ */

size_t tls_take(struct tls *tls, char *to, size_t size)
{
	int count = BIO_read(tls->out, to, size < INT_MAX ? (int)size : INT_MAX);

	return count > 0 ? (size_t)count : 0;
}

bool tls_put(struct tls *tls, const char *bytes, size_t len)
{
	size_t written;

	return BIO_write_ex(tls->in, bytes, len, &written) == 1 && written == len;
}

/* What a call of the SSL's gave that did not succeed. */
static enum tls_state state_of(struct tls *tls, int result)
{
	int error = SSL_get_error(tls->ssl, result);
	long verified = SSL_get_verify_result(tls->ssl);

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return TLS_WAITS;
	if (verified != X509_V_OK)
		snprintf(tls->why, sizeof(tls->why), "its certificate is not good: %s",
			 X509_verify_cert_error_string(verified));
	else if (error == SSL_ERROR_ZERO_RETURN)
		snprintf(tls->why, sizeof(tls->why), "it closed the connection");
	else
		snprintf(tls->why, sizeof(tls->why), "TLS failed: %s",
			 reason_of(ERR_peek_error(), "the connection ended"));
	return TLS_FAILED;
}

enum tls_state tls_greet(struct tls *tls)
{
	int result;

	ERR_clear_error();
	result = SSL_do_handshake(tls->ssl);
	return result == 1 ? TLS_GOOD : state_of(tls, result);
}

enum tls_state tls_read(struct tls *tls, char *to, size_t size, size_t *ret_len)
{
	int result;

	ERR_clear_error();
	result = SSL_read_ex(tls->ssl, to, size, ret_len);
	return result == 1 ? TLS_GOOD : state_of(tls, result);
}

bool tls_write(struct tls *tls, const char *bytes, size_t len)
{
	size_t written;
	int result;

	ERR_clear_error();
	result = SSL_write_ex(tls->ssl, bytes, len, &written);
	if (result == 1 && written == len)
		return true;
	(void)state_of(tls, result);
	return false;
}

const char *tls_why(const struct tls *tls)
{
	return tls->why;
}
