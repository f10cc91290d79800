/* The body of every refusal: problem details (RFC 9457) that also carry the members older clients know. */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "http/req.h"

/* Fills rq->reply for that failure. When even that fails for lack of memory, with a fixed text. */
void problem_reply(struct req *rq, enum rc rc);

/* "Not found": what all errors of a status share. Aborts for a status that errors.def does not have. */
const char *problem_title(int status, enum lang lang);

/* The best of what Accept-Language asks for; Portuguese when it says nothing that we speak. */
enum lang lang_from(struct str accept_language);

#endif
