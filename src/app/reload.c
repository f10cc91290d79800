/* See reload.h. */
#include "app/reload.h"

#include "app/posture.h"
#include "base/log.h"
#include "events/tasks.h"

/* What follows from the settings: made first, so that nothing is half taken over. */
struct taking {
	struct log_words log;
	struct cors *cors;
	struct rate_rules *rules;
};

static bool prepare(const struct config *config, struct taking *ret)
{
	*ret = (struct taking){.cors = NULL};
	if (posture_check(config, true) && app_log_words(config, &ret->log) &&
	    cors_create(config, &ret->cors) && rate_rules_create(config, &ret->rules))
		return true;
	cors_destroy(ret->cors);
	return false;
}

static void take_over(struct app *app, const struct config *config, const struct taking *taking)
{
	log_init(taking->log.level, taking->log.format);
	dispatcher_set_log_requests(app->dispatcher, taking->log.requests);
	cors_apply(&app->cors, taking->cors);
	rates_apply(app->rates, taking->rules);
	http_server_set_drain(app->server, config->drain_delay * 1000, config->drain_seconds * 1000);
}

static void tell_change(void *arg, const struct config_info *row)
{
	(void)arg;
	if (config_is_live(row))
		LOG(INFO, "a setting has changed", LOG_TEXT("setting", row->variable));
	else
		LOG(WARN, "a setting has changed that takes a restart", LOG_TEXT("setting", row->variable));
}

static void reload(struct app *app)
{
	/* What the command line said, and what takes a restart, is as it was. */
	struct config fresh, wanted = app->config;
	struct taking taking;
	bool good = config_read_again(&fresh);

	if (good) {
		config_take_live(&wanted, &fresh);
		good = prepare(&wanted, &taking);
	}
	if (!good) {
		LOG(ERROR, "the settings are not taken over, and nothing has changed; the lines before this "
			   "one say why");
		return;
	}
	take_over(app, &wanted, &taking);
	config_changes(&app->as_read, &fresh, tell_change, NULL);
	config_take_live(&app->as_read, &fresh);
	LOG(INFO, "settings reloaded");
}

static void reload_task(struct task *task, void *arg)
{
	while (!task_stopping(task))
		if (task_wait(task, -1))
			reload(arg);
}

enum rc app_reload_create(struct app *app, struct tasks *tasks)
{
	app->reload = tasks_add(tasks, reload_task, app);
	return app->reload != NULL ? RC_OK : RC_NO_MEMORY;
}

void app_reload_ask(const struct app *app)
{
	task_ring(app->reload);
}
