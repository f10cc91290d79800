/* See rates.h. */
#include "app/rates.h"

enum rc app_rates_share(const struct app *app, struct tasks *tasks, struct rate_share **ret)
{
	const struct rate_share_options options = {
		.table = rates_table(app->rates),
		.tasks = tasks,
		.redis_url = app->config.redis_url,
		.redis_ca = app->config.redis_ca,
	};

	*ret = NULL;
	return app->config.redis_url != NULL ? rate_share_create(&options, ret) : RC_OK;
}
