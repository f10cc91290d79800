/* `marca serve`: from the first setting to the last reply. What signals do is here too. */
#include "app/app.h"
#include "app/commands.h"
#include "app/handed_socket.h"
#include "app/reload.h"
#include "base/log.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* What is still under way so long after the end of a drain is left as it is: stores and streams survive that.
 */
#define DRAIN_GRACE_SECONDS 2

/* --- Signals ------------------------------------------------------------------ */

/* Signals bring no argument. */
static const struct app *serving;
static volatile sig_atomic_t stopping;

/* What may be done in a signal's handler. */
static void end_at_once(const char *why)
{
	ssize_t written = write(STDERR_FILENO, why, strlen(why));

	(void)written; /* nowhere left to tell it */
	_exit(1);
}

/* Or by on_alarm(). */
static void end_in_time(void)
{
	alarm((unsigned)(http_server_drain_ms(serving->server) / 1000 + DRAIN_GRACE_SECONDS));
}

static void on_stop(int signal)
{
	(void)signal;
	if (stopping)
		end_at_once("marca: told to stop once more; what was in hand is left\n");
	stopping = 1;
	end_in_time();
	http_server_stop(serving->server);
}

static void on_reload(int signal)
{
	(void)signal;
	if (!stopping)
		app_reload_ask(serving);
}

static void on_alarm(int signal)
{
	(void)signal;
	end_at_once("marca: it did not stop in MARCA_DRAIN_SECONDS; what was in hand is left\n");
}

static void catch_signals(const struct app *app)
{
	const struct sigaction stop = {.sa_handler = on_stop}, late = {.sa_handler = on_alarm};
	const struct sigaction ignore = {.sa_handler = SIG_IGN}, reload = {.sa_handler = on_reload};

	serving = app;
	/* Whoever runs it by hand and closes the terminal wants it to end. */
	if (isatty(STDIN_FILENO) != 1)
		sigaction(SIGHUP, &reload, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGALRM, &late, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

/* What a signal would reach is being taken apart. */
static void stopped(void)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigaction(SIGHUP, &ignore, NULL);
	if (stopping)
		return;
	stopping = 1; /* it has ended by itself: a thread did not start */
	end_in_time();
}

/* --- The command ------------------------------------------------------------------ */

static void greet(const struct app *app)
{
	const char *colon = strrchr(app->config.listen, ':');
	int host = (int)(colon != NULL ? colon - app->config.listen : 0);
	int port = http_server_port(app->server);

	printf("marca: listening on http://%.*s:%d\n", host, app->config.listen, port);
	if (isatty(STDOUT_FILENO) == 1)
		printf("\n  Open    http://%.*s:%d/\n"
		       "  Try     curl http://%.*s:%d/health\n"
		       "  Stop    Ctrl-C\n\n",
		       host, app->config.listen, port, host, app->config.listen, port);
	fflush(stdout);
}

static bool serve_options(struct config *config, int argc, char **argv)
{
	const struct command_option table[] = {
		{.name = "--listen", .text = &config->listen},
		{.name = "--data", .text = &config->data},
		{.name = "--service", .text = &config->services},
	};

	return COMMAND_OPTIONS(table, argc, argv);
}

int command_serve(const struct command *command, int argc, char **argv)
{
	struct handed_socket socket;
	struct config config, as_read;
	struct app app;
	bool good;

	if (!config_read(&config) || !handed_socket_take(&socket))
		return 1;
	as_read = config;
	if (!serve_options(&config, argc, argv))
		return command_usage(command);
	/* Who can reach it decides what it asks for (posture.h): so this is the address that counts. */
	if (socket.there)
		config.listen = socket.address;
	if (!app_init_to_serve(&app, &config))
		return 1;
	app.as_read = as_read;
	app.has_socket = socket.there;
	app.socket = socket.fd;
	good = app_start(&app);
	if (good) {
		log_complaints();
		catch_signals(&app);
		greet(&app);
		good = http_server_run(app.server) == RC_OK;
		stopped();
		LOG(INFO, "stopped");
	}
	app_finish(&app);
	return good ? 0 : 1;
}
