/* See problem.h. */
#include "http/problem.h"

#include <stdlib.h>

static const struct {
	int status;
	const char *title[LANG_COUNT];
} titles[] = {
	{400, {"Requisição inválida", "Bad request"}},
	{401, {"Não autenticado", "Unauthorized"}},
	{403, {"Proibido", "Forbidden"}},
	{404, {"Não encontrado", "Not found"}},
	{405, {"Método não permitido", "Method not allowed"}},
	{408, {"Tempo esgotado", "Request timeout"}},
	{409, {"Conflito", "Conflict"}},
	{412, {"Pré-condição falhou", "Precondition failed"}},
	{413, {"Corpo grande demais", "Content too large"}},
	{414, {"Endereço longo demais", "URI too long"}},
	{415, {"Tipo de mídia não suportado", "Unsupported media type"}},
	{422, {"Dados inválidos", "Invalid data"}},
	{429, {"Requisições demais", "Too many requests"}},
	{431, {"Cabeçalhos grandes demais", "Headers too large"}},
	{500, {"Erro interno", "Internal error"}},
	{501, {"Não implementado", "Not implemented"}},
	{503, {"Serviço indisponível", "Service unavailable"}},
	{505, {"Versão não suportada", "Version not supported"}},
};

const char *problem_title(int status, enum lang lang)
{
	for (size_t i = 0; i < ARRAY_LEN(titles); i++)
		if (titles[i].status == status)
			return titles[i].title[lang];
	abort(); /* errors.def has a status that this table lacks; the unit test goes over all rows */
}

static void write_text_member(struct writer *w, const char *name, const char *text)
{
	write_raw(w, STR(",\""));
	write_raw(w, str_from(name));
	write_raw(w, STR("\":"));
	write_text(w, str_from(text));
}

static void write_loc(struct writer *w, const struct loc *loc)
{
	if (loc->up != NULL) {
		write_loc(w, loc->up);
		write_char(w, ',');
	}
	if (loc->name != NULL)
		write_text(w, str_from(loc->name));
	else
		write_int(w, (int64_t)loc->index);
}

static void write_issues(struct writer *w, const struct issues *issues, enum lang lang)
{
	write_raw(w, STR(",\"errors\":["));
	for (const struct issue *i = issues->first; i != NULL; i = i->next) {
		if (i != issues->first)
			write_char(w, ',');
		write_raw(w, STR("{\"loc\":["));
		write_loc(w, i->loc);
		write_raw(w, STR("],\"msg\":"));
		write_filled(w, issue_table[i->kind].text[lang], i->arg);
		write_raw(w, STR(",\"type\":\""));
		write_raw(w, str_from(issue_table[i->kind].type));
		write_raw(w, STR("\"}"));
	}
	write_char(w, ']');
}

static void write_problem(struct writer *w, const struct req *rq, const struct error_info *error,
			  bool with_issues)
{
	write_raw(w, STR("{\"type\":\"urn:marca:error:"));
	write_raw(w, str_from(error->code));
	write_raw(w, STR("\",\"title\":"));
	write_text(w, str_from(problem_title(error->status, rq->lang)));
	write_raw(w, STR(",\"status\":"));
	write_int(w, error->status);
	write_raw(w, STR(",\"detail\":"));
	write_filled(w, error->text[rq->lang], rq->cx.error_args[0]);
	write_raw(w, STR(",\"instance\":"));
	write_text(w, rq->http->path);
	write_raw(w, STR(",\"success\":false"));
	write_text_member(w, "error", error->code);
	write_raw(w, STR(",\"message\":"));
	write_filled(w, error->text[rq->lang], rq->cx.error_args[0]);
	write_text_member(w, "trace_id", rq->cx.trace_id);
	if (with_issues)
		write_issues(w, &rq->issues, rq->lang);
	if (rq->extra_name != NULL) {
		write_raw(w, STR(",\""));
		write_raw(w, str_from(rq->extra_name));
		write_raw(w, STR("\":"));
		write_list(w, rq->extra_shape, rq->extra.items, rq->extra.count);
	}
	write_char(w, '}');
}

/* RFC 6750, section 3: an error where a token was sent, and none where nothing was. */
static const char *challenge(const struct req *rq, enum rc rc)
{
	bool sent = rc == RC_UNAUTHENTICATED && http_header(rq->http, "Authorization").p != NULL;

	return sent ? "Bearer realm=\"marca\", error=\"invalid_token\"" : "Bearer realm=\"marca\"";
}

void problem_reply(struct req *rq, enum rc rc)
{
	const struct error_info *error = &error_table[rc];
	struct writer w;

	rq->reply.status = error->status;
	rq->reply.content_type = STR("application/problem+json; charset=utf-8");
	if (error->status == 503)
		req_header(rq, "Retry-After", "1");
	if (error->status == 401)
		req_header(rq, "WWW-Authenticate", challenge(rq, rc));
	req_header(rq, "Content-Language", rq->lang == LANG_PT ? "pt-BR" : "en");
	writer_init(&w, rq->cx.arena, 512);
	write_problem(&w, rq, error, rc == RC_INVALID);
	if (writer_take(&w, &rq->reply.body))
		return;
	rq->reply.status = 503;
	rq->reply.body = STR("{\"type\":\"urn:marca:error:out_of_memory\",\"status\":503,\"success\":false,"
			     "\"error\":\"out_of_memory\"}");
}

/* --- Language ----------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* str_cut(), without outer blanks. */
static struct str part(struct str *rest, char end)
{
	struct str text = str_cut(rest, end);

	for (; text.len > 0 && is_blank(text.p[0]); text.p++)
		text.len--;
	while (text.len > 0 && is_blank(text.p[text.len - 1]))
		text.len--;
	return text;
}

/* "q=0.8" in thousandths (RFC 9110, 12.4.2); 0 when it is none. */
static int quality(struct str weight)
{
	int value, scale = 100;

	if (weight.len == 0)
		return 1000;
	if (weight.len < 3 || (weight.p[0] != 'q' && weight.p[0] != 'Q') || weight.p[1] != '=' ||
	    weight.p[2] < '0' || weight.p[2] > '1')
		return 0;
	value = (weight.p[2] - '0') * 1000;
	for (size_t i = 4; i < weight.len && weight.p[i] >= '0' && weight.p[i] <= '9' && scale > 0; i++) {
		value += (weight.p[i] - '0') * scale;
		scale /= 10;
	}
	return value > 1000 ? 1000 : value;
}

/* "pt" and "pt-BR" are `primary` "pt"; "pta" is another language. */
static bool speaks(struct str range, struct str primary)
{
	return range.len >= primary.len && str_equal_nocase((struct str){range.p, primary.len}, primary) &&
	       (range.len == primary.len || range.p[primary.len] == '-');
}

enum lang lang_from(struct str accept)
{
	int best[LANG_COUNT] = {0};

	while (accept.len > 0) {
		struct str item = part(&accept, ',');
		struct str range = part(&item, ';');
		int q = quality(part(&item, ';'));

		if (speaks(range, STR("pt")) && q > best[LANG_PT])
			best[LANG_PT] = q;
		if (speaks(range, STR("en")) && q > best[LANG_EN])
			best[LANG_EN] = q;
	}
	return best[LANG_EN] > best[LANG_PT] ? LANG_EN : LANG_PT;
}
