/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/cli/request.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <termios.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "tui/cli/verb.h"
#include "tui/model/method.h"

/* Decimal digits and nothing else. */
static bool parse_number(const char *text, uint64_t *ret)
{
	uint64_t number = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || number > (UINT64_MAX - 9) / 10)
			return false;
		number = number * 10 + (uint64_t)(*text - '0');
	}
	*ret = number;
	return true;
}

/* "90s", "2h", "7d". Returns whether it is one, and not nothing. */
static bool parse_age(const char *text, uint64_t *ret)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} UNITS[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t len = strlen(text);
	char digits[8];
	uint64_t number = 0;

	if (len < 2 || len > sizeof(digits))
		return false;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)(len - 1), text);
	for (size_t i = 0; i < countof(UNITS); i++)
		if (text[len - 1] == UNITS[i].unit && parse_number(digits, &number) && number > 0) {
			*ret = number * UNITS[i].seconds;
			return true;
		}
	return false;
}

struct parser {
	struct request *to;
	char *why;
	size_t room;
};

static int wrong(const struct parser *parser, const char *what, const char *which)
{
	(void)snprintf(parser->why, parser->room, "%s%s%s", what, *which ? ": " : "", which);
	return REQUEST_WRONG;
}

static bool is_allowed(const struct verb *verb, size_t option)
{
	return option == OPTION_JSON || option == OPTION_HELP || (verb->options & 1u << option);
}

static int set_option(const struct parser *parser, size_t option, const char *value)
{
	struct request *to = parser->to;

	to->value[option] = value;
	if (option == OPTION_ROLE) {
		if (to->n_roles == REQUEST_ROLES_MAX)
			return wrong(parser, "too many roles", "");
		to->role[to->n_roles++] = value;
	}
	if (option == OPTION_COUNT &&
	    (!parse_number(value, &to->count) || to->count < 1 || to->count > 500))
		return wrong(parser, "--count is a number from 1 to 500", value);
	if (option == OPTION_FROM && to->verb->input != INPUT_CHECKPOINT &&
	    !parse_number(value, &to->from))
		return wrong(parser, "--from is how many entries you have already", value);
	if (option == OPTION_MAX_AGE && !parse_age(value, &to->max_age_s))
		return wrong(parser, "--max-age is a number and s, m, h or d, such as 2h", value);
	if (option == OPTION_BEFORE && !parse_number(value, &to->before))
		return wrong(parser, "--before is the index of an entry", value);
	return 0;
}

/* One word that begins with --, and its value: after = or in the next word. */
static int parse_option(const struct parser *parser, char *const *word, size_t n, size_t *at)
{
	const char *name = word[*at];
	size_t len = strcspn(name, "=");

	for (size_t i = 0; i < OPTION_ID_COUNT; i++) {
		if (strlen(OPTIONS[i].name) != len || strncmp(OPTIONS[i].name, name, len) != 0)
			continue;
		if (!is_allowed(parser->to->verb, i))
			return wrong(parser, "this does not go with the verb", name);
		if (!OPTIONS[i].value)
			return name[len] ? wrong(parser, "this takes no value", name)
					 : set_option(parser, i, "");
		if (name[len])
			return set_option(parser, i, name + len + 1);
		if (*at + 1 >= n)
			return wrong(parser, "this wants a value after it", name);
		return set_option(parser, i, word[++*at]);
	}
	return wrong(parser, "there is no such option", name);
}

static int parse_word(const struct parser *parser, char *const *word, size_t n, size_t *at,
		      bool *no_more_options)
{
	struct request *to = parser->to;

	if (!*no_more_options && strcmp(word[*at], "--") == 0) {
		*no_more_options = true;
		return 0;
	}
	if (!*no_more_options && word[*at][0] == '-' && word[*at][1] != '\0')
		return parse_option(parser, word, n, at);
	if (to->n_args == REQUEST_ARGS_MAX)
		return wrong(parser, "too many arguments", "");
	to->arg[to->n_args++] = word[*at];
	return 0;
}

static int check_counts(const struct parser *parser)
{
	const struct request *to = parser->to;

	if (to->value[OPTION_HELP])
		return 0;
	if (to->n_args < to->verb->min)
		return wrong(parser, "something is missing after the verb", to->verb->args);
	if (to->n_args > to->verb->max)
		return wrong(parser, "this is one too many", to->arg[to->verb->max]);
	if (strpbrk(to->verb->fill, "rR") && to->n_roles == 0)
		return wrong(parser, "say which role: --role ROLE", "");
	if (strchr(to->verb->fill, 'r') && to->n_roles > 1)
		return wrong(parser, "only one role is possible here", to->role[1]);
	return 0;
}

int request_parse(char *const *word, size_t n, struct request *ret, char *why, size_t why_room)
{
	struct parser parser = { .to = ret, .why = why, .room = why_room };
	bool no_more_options = false;
	size_t at = 0;
	int r = 0;

	*ret = (struct request) { .input = buf_make(REQUEST_INPUT_MAX),
				  .count = 50,
				  .before = UINT64_MAX };
	ret->verb = verb_find(word, n, &at);
	if (!ret->verb)
		return wrong(&parser, "there is no such verb", n ? word[0] : "");
	for (; r == 0 && at < n; at++)
		r = parse_word(&parser, word, n, &at, &no_more_options);
	return r ? r : check_counts(&parser);
}

static bool looks_like_key(const char *word)
{
	return strncmp(word, "ssh-", 4) == 0 || strncmp(word, "sk-", 3) == 0 ||
	       strncmp(word, "ecdsa-", 6) == 0;
}

/* Arguments in front of the first word of an SSH key, if there is one. */
static size_t args_before_key(const struct request *request)
{
	size_t i = 0;

	while (i < request->n_args && !looks_like_key(request->arg[i]))
		i++;
	return i;
}

/* Read until the end, or the end of the line. */
static int read_all(struct buf *into, int fd, bool one_line)
{
	for (;;) {
		uint8_t *at = buf_reserve(into, 1024);
		if (!at)
			return buf_error(into);

		ssize_t got = read(fd, at, 1024);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return neg_errno();
		into->len += (size_t)got;
		if (got == 0 || (one_line && memchr(at, '\n', (size_t)got)))
			return 0;
	}
}

static int read_unseen(struct buf *into, int fd)
{
	struct termios before;
	if (tcgetattr(fd, &before) < 0)
		return read_all(into, fd, true);

	struct termios quiet = before;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	(void)tcsetattr(fd, TCSAFLUSH, &quiet);
	(void)dprintf(STDERR_FILENO, "Recovery key: ");
	int r = read_all(into, fd, true);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	(void)dprintf(STDERR_FILENO, "\n");
	return r;
}

/* Cut the private key out of a PEM text, so that chain and key go separate ways. */
static int split_pem(struct request *request, const struct parser *parser)
{
	static const char BEGIN[] = "-----BEGIN ";
	auto text = (char *)request->input.data;

	for (char *at = text; (at = strstr(at, BEGIN)); at++) {
		size_t line = strcspn(at, "\n");
		const char *kind = memmem(at, line, "PRIVATE KEY-----", 16);
		char *end = kind ? strstr(at + line, "-----END ") : nullptr;

		if (!end)
			continue;
		end += strcspn(end, "\n");
		request->private_key = strndup(at, (size_t)(end - at));
		if (!request->private_key)
			return -ENOMEM;
		memmove(at, end, strlen(end) + 1);
		return 0;
	}
	return wrong(parser, "there is no PRIVATE KEY block in the input", "");
}

static void add_key_words(struct request *request)
{
	for (size_t i = args_before_key(request); i < request->n_args; i++) {
		buf_add_str(&request->input, request->input.len ? " " : "");
		buf_add_str(&request->input, request->arg[i]);
	}
}

/* The checkpoint in the file that --from names. */
static int read_checkpoint(struct request *request, int fd, const struct parser *parser)
{
	const char *path = request->value[OPTION_FROM];
	bool is_stdin = strcmp(path, "-") == 0;
	auto_close int opened = is_stdin ? -1 : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (!is_stdin && opened < 0)
		return wrong(parser, strerrordesc_np(errno), path);
	int r = read_all(&request->input, is_stdin ? fd : opened, false);
	if (r == -EMSGSIZE || (r == 0 && request->input.len == 0))
		return wrong(parser, "this is not a checkpoint", path);
	if (r == 0 && !buf_text(&request->input))
		return -ENOMEM;
	return r;
}

int request_input(struct request *request, int fd, char *why, size_t why_room)
{
	struct parser parser = { .to = request, .why = why, .room = why_room };
	struct buf *input = &request->input;
	enum input kind = request->verb->input;
	int r = 0;

	if (kind == INPUT_NONE || (kind == INPUT_CURRENT_KEY && !request->value[OPTION_CURRENT]))
		return 0;
	if (kind == INPUT_CHECKPOINT)
		return request->value[OPTION_FROM] ? read_checkpoint(request, fd, &parser) : 0;
	if (kind == INPUT_KEY_LINE)
		add_key_words(request);
	if (input->len == 0)
		r = kind == INPUT_SECRET || kind == INPUT_CURRENT_KEY
			    ? read_unseen(input, fd)
			    : read_all(input, fd, kind == INPUT_KEY_LINE);
	if (r == -EMSGSIZE)
		return wrong(&parser, "the input is too long", "");
	if (r)
		return r;
	while (input->len && strchr("\r\n ", input->data[input->len - 1]))
		input->len--;
	if (input->len == 0 || memchr(input->data, '\0', input->len))
		return wrong(&parser, "nothing that makes sense came on standard input", "");
	buf_add(input, "", 1);
	if (buf_error(input))
		return -ENOMEM;
	return kind == INPUT_PEM ? split_pem(request, &parser) : 0;
}

static const char *owner_of(const struct request *request)
{
	const char *owner = request->value[OPTION_OWNER];

	return owner ? owner : request->value[OPTION_ALL] ? "*" : "";
}

static const char *person_of(const struct request *request)
{
	size_t before = request->verb->input == INPUT_KEY_LINE ? args_before_key(request)
							       : request->n_args - 1;

	return before > 0 ? request->arg[0] : "";
}

static const char *or_nothing(const char *text)
{
	return text ? text : "";
}

/* The text that a letter of verb->fill stands for. */
static const char *text_for(const struct request *request, char letter)
{
	switch (letter) {
	case 'l':
		return request->arg[request->n_args - 1];
	case 'p':
		return person_of(request);
	case 'r':
		return request->role[0];
	case 'e':
		return or_nothing(request->value[OPTION_EXPIRES]);
	case 'f':
		return or_nothing(request->value[OPTION_FILTER]);
	case 'o':
		return owner_of(request);
	case '=':
		return request->verb->constant;
	case 'i':
		return or_nothing((const char *)request->input.data);
	case 'I':
		return request->private_key;
	default: /* a digit */
		return or_nothing(request->arg[letter - '0']);
	}
}

static int add_items(struct call *call, const char *const *item, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = call_add_item(call, item[i]);
	return r;
}

int request_call(const struct request *request, struct call *ret)
{
	auto_call struct call call = { .method = request->verb->method };
	size_t texts = 0;
	size_t numbers = 0;
	int r = 0;

	for (const char *letter = request->verb->fill; *letter && r == 0; letter++) {
		if (*letter == 'R')
			r = add_items(&call, request->role, request->n_roles);
		else if (*letter == '+')
			r = add_items(&call, request->arg + 1, request->n_args - 1);
		else if (*letter == 'b')
			call.number[numbers++] = request->before;
		else if (*letter == 'c')
			call.number[numbers++] = request->count;
		else if (*letter == 'a')
			call.number[numbers++] = request->max_age_s;
		else if (*letter == 'N')
			call.number[numbers++] = request->from;
		else if (*letter == 'n')
			r = parse_number(request->arg[0], &call.number[numbers++]) ? 0
										   : REQUEST_WRONG;
		else
			r = call_set_text(&call, texts++, text_for(request, *letter));
	}
	if (r)
		return r;

	*ret = call;
	call = (struct call) {};
	return 0;
}

void request_done(struct request *request)
{
	if (request->input.data)
		explicit_bzero(request->input.data, request->input.room);
	buf_done(&request->input);
	if (request->private_key)
		explicit_bzero(request->private_key, strlen(request->private_key));
	free(request->private_key);
	request->private_key = nullptr;
}
