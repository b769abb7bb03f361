/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt: the command line of the appliance. It has the rights of the person who runs it, asks the
 * services over the bus, and prints what they say.
 */

#include <locale.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base.h"
#include "common/sandbox.h"
#include "tui/cli/request.h"
#include "tui/cli/run.h"
#include "tui/cli/verb.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/session.h"

constexpr size_t WHY = 512;

static void print_verb(const struct verb *verb)
{
	char usage[128];

	(void)snprintf(usage, sizeof(usage), "%s%s%s%s", verb->name, *verb->args ? " " : "",
		       verb->args, verb->fill && strpbrk(verb->fill, "rR") ? " --role ROLE" : "");
	printf("  %-38s  %s\n", usage, verb->help);
}

static void print_option(size_t i)
{
	char usage[64];

	(void)snprintf(usage, sizeof(usage), "%s%s%s", OPTIONS[i].name, OPTIONS[i].value ? " " : "",
		       OPTIONS[i].value ? OPTIONS[i].value : "");
	printf("  %-38s  %s\n", usage, OPTIONS[i].help);
}

/* Help for all verbs, or for those that begin with the words. Returns how many there were. */
static size_t print_help(const char *prefix)
{
	uint32_t options = 0;
	size_t found = 0;

	printf("usage: redoubt VERB [ARGUMENT...] [--json]\n\n");
	for (size_t i = 0; i < VERBS_COUNT; i++) {
		if (strncmp(VERBS[i].name, prefix, strlen(prefix)) != 0)
			continue;
		print_verb(&VERBS[i]);
		options |= VERBS[i].options;
		found++;
	}
	if (*prefix == '\0')
		print_verb(&(struct verb) {
			.name = "help", .args = "[VERB]", .help = "say what the verbs do" });
	printf("\noptions:\n");
	for (size_t i = 0; i < OPTION_ID_COUNT; i++)
		if (i == OPTION_JSON || i == OPTION_HELP || options & 1u << i)
			print_option(i);
	printf("\nExit code: 0 done, 1 failed, 2 not understood, 3 denied, 4 not found.\n");
	return found;
}

static int help(char *const *word, size_t n)
{
	char prefix[128] = "";

	if (n > 0)
		(void)snprintf(prefix, sizeof(prefix), "%s%s%s", word[0], n > 1 ? " " : "",
			       n > 1 ? word[1] : "");
	return print_help(prefix) > 0 ? EXIT_OK : EXIT_USAGE;
}

/* Whether nobody is to be asked: the ledger is in a folder or file of the caller's. */
static bool is_offline(const struct request *request)
{
	return request->value[OPTION_VKEY] && request->n_args > 0;
}

/* What is not needed is given up before anybody is asked: all but the bus, or the ledger's folder. */
static int restrict_self(const struct request *request)
{
	bool offline = is_offline(request);
	const struct sandbox_path folder = { request->arg[0], SANDBOX_READ };
	const struct sandbox table = { .path = &folder,
				       .n_paths = offline,
				       .calls = offline ? SANDBOX_FILES : SANDBOX_UNIX_SOCKETS };
	struct rlimit none = {};

	(void)umask(0077);
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return neg_errno();
	return sandbox_enter(&table);
}

/* Exit statuses 2 to 4 of `audit verify` are verdicts: what is not understood is 1 there. */
static int usage_code(const struct request *request)
{
	return request->verb && request->verb->run == run_verify ? EXIT_FAILED : EXIT_USAGE;
}

static int complain(const char *why, int code)
{
	(void)fprintf(stderr, "redoubt: %s\n", why);
	return code;
}

/* A verb that comes by ssh is a session, as short as it is. A failure shows in what the verb itself is answered. */
static void open_session(struct client *client, const struct session *session, const char *verb)
{
	auto_call struct call call = { .method = METHOD_SESSION_OPEN };
	const char *const text[] = { session->fingerprint, session->terminal, session->connection,
				     verb };
	auto_reply struct reply reply = {};

	for (size_t i = 0; i < countof(text); i++)
		if (call_set_text(&call, i, text[i]))
			return;
	client_ask(client, &call, &reply);
	if (reply.result == RESULT_AUDIT_UNAVAILABLE)
		(void)complain(reply.message, EXIT_FAILED);
}

static int run(struct request *request)
{
	cleanup(client_free_at) struct client *client = nullptr;
	struct session session;
	char why[WHY] = "";

	session_find_origin(&session); /* before its file is out of reach */
	int r = request_input(request, STDIN_FILENO, why, sizeof(why));
	if (r > 0)
		return complain(why, usage_code(request));
	if (r == 0)
		r = restrict_self(request);
	if (r == 0)
		r = client_new(nullptr, &client);
	if (r < 0)
		return complain(strerrordesc_np(-r), EXIT_FAILED);
	if (session.connection[0] && !is_offline(request))
		open_session(client, &session, request->verb->name);
	return request->verb->run(client, request);
}

int main(int argc, char **argv)
{
	auto word = argv + 1;
	size_t n = argc > 0 ? (size_t)argc - 1 : 0;
	struct request request;
	char why[WHY] = "";

	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* for the width of characters in tables */
	if (n == 0)
		return print_help("") > 0 ? EXIT_USAGE : EXIT_FAILED;
	if (strcmp(word[0], "help") == 0 || strcmp(word[0], "--help") == 0)
		return help(word + 1, n - 1);
	if (strcmp(word[0], "--version") == 0)
		return printf("redoubt 0.1\n") > 0 ? EXIT_OK : EXIT_FAILED;

	int r = request_parse(word, n, &request, why, sizeof(why));
	if (r) {
		(void)complain(why, EXIT_USAGE);
		if (request.verb)
			print_verb(request.verb);
		else
			(void)fprintf(stderr, "`redoubt help` lists what there is.\n");
		return usage_code(&request);
	}
	if (request.value[OPTION_HELP])
		return print_help(request.verb->name) > 0 ? EXIT_OK : EXIT_FAILED;
	r = run(&request);
	request_done(&request);
	return r;
}
