/* The services that other processes run: which they are, how they are asked, and what this process answers
 * them. */
#ifndef APP_NEIGHBOURS_H
#define APP_NEIGHBOURS_H

#include "app/app.h"

struct neighbour;

/* POST /internal/reads */
extern const struct service neighbour_service;

/* For the dispatcher. */
enum rc app_neighbour_verify(const struct req *rq) MUST_USE;

/* After the stores that are here: app->dbs of the rooms that are not. On failure says why, and
 * app_neighbours_close(), after the stores are closed, takes what there is. */
bool app_neighbours_open(struct app *app) MUST_USE;
void app_neighbours_close(struct app *app);
/* Who has that room; NULL: it is here, or nowhere. */
struct neighbour *app_neighbour(const struct app *app, enum room room);

#endif
