/* See rates.h. */
#include "app/rates.h"

#include "json/write.h"

#include <inttypes.h>

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

void app_rates_metrics(const struct app *app, const struct rate_share *share, struct writer *w)
{
	write_format(w, "# HELP marca_rate_limited_total Requests refused by a limit.\n"
			"# TYPE marca_rate_limited_total counter\n");
	for (int policy = 0; policy < RATE_POLICIES; policy++)
		write_format(w, "marca_rate_limited_total{limit=\"%s\"} %" PRIu64 "\n",
			     rate_policy_name(policy), rates_refused(app->rates, policy));
	if (share == NULL)
		return;
	write_format(w, "# HELP marca_rates_shared 1: Redis took part when it was last told of requests.\n"
			"# TYPE marca_rates_shared gauge\n");
	write_format(w, "marca_rates_shared %d\n", rate_share_works(share));
}
