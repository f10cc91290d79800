/*
 * Once it has what it needs, the process gives up all else: docs/security/shell.md. MARCA_CONFINE says how
 * strictly.
 */
#ifndef APP_CONFINE_H
#define APP_CONFINE_H

#include "app/app.h"

/* Before the first thread: privileges, files, the port to listen on. False, where MARCA_CONFINE=required and
 * the kernel cannot; it has said so on the log. */
bool confine_begin(struct app *app) MUST_USE;

/* When everything is open and every thread runs: system calls. */
bool confine_finish(const struct app *app) MUST_USE;

#endif
