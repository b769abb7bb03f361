/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/view/setup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/names.h"
#include "tui/model/client.h"
#include "tui/model/method.h"
#include "tui/model/rows.h"
#include "tui/view/form.h"
#include "tui/view/grid.h"
#include "tui/view/view.h"

constexpr size_t CONFIG_MAX = 16384; /* docs/architecture.md, section 4 */
constexpr size_t KEY_LINE_MAX = 12288;
constexpr size_t ADDRESS_MAX = 64;
constexpr size_t LIST_MAX = 256;
constexpr size_t PASSPHRASE_MAX = 512;

/* --- first configuration ----------------------------------------------------------------------- */

static bool is_address(const char *text)
{
	struct in6_addr any;

	return inet_pton(AF_INET, text, &any) == 1 || inet_pton(AF_INET6, text, &any) == 1;
}

static bool is_ip(const char *text, size_t len)
{
	(void)len;
	return is_address(text);
}

/* An address and the length of its network: 10.0.0.5/24. */
static bool is_network(const char *text, size_t len)
{
	char address[ADDRESS_MAX + 1];
	const char *slash = memchr(text, '/', len);
	size_t digits = slash ? strlen(slash + 1) : 0;

	if (!slash || digits < 1 || digits > 3 || strspn(slash + 1, "0123456789") != digits)
		return false;
	(void)snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	return is_address(address) &&
	       strtoul(slash + 1, nullptr, 10) <= (strchr(address, ':') ? 128 : 32);
}

/* The next word of a list with blanks or commas between. Returns its length, 0 at the end. */
static size_t next_word(const char **at)
{
	*at += strspn(*at, " ,");
	return strcspn(*at, " ,");
}

static bool is_ip_list(const char *text, size_t len)
{
	char word[ADDRESS_MAX + 1];
	(void)len;

	for (size_t n = next_word(&text); n > 0; n = next_word(&text)) {
		(void)snprintf(word, sizeof(word), "%.*s", (int)n, text);
		if (n > ADDRESS_MAX || !is_address(word))
			return false;
		text += n;
	}
	return true;
}

static bool is_key_line(const char *text, size_t len)
{
	return len > 16 && (strncmp(text, "ssh-", 4) == 0 || strncmp(text, "sk-", 3) == 0) &&
	       strchr(text, ' ');
}

static const struct form_field FIRST_FIELDS[SETUP_FIELDS] = {
	[SETUP_HOST] = { .label = "Host name",
			 .hint = "What this machine is called.",
			 .max = NAME_HOST_MAX,
			 .start = "redoubt-1",
			 .is_valid = name_is_host,
			 .wrong = "Labels of letters, digits and -, joined by dots." },
	[SETUP_NAME] = { .label = "Admin's name",
			 .hint = "The first person, who lets in the others.",
			 .max = NAME_PERSON_MAX,
			 .is_valid = name_is_person,
			 .wrong = "A name starts with a-z and has a-z 0-9 - _." },
	[SETUP_EMAIL] = { .label = "Admin's e-mail",
			  .hint = "Where to reach the first person.",
			  .max = NAME_EMAIL_MAX,
			  .is_valid = name_is_email,
			  .wrong = "This is no e-mail address." },
	[SETUP_SSH_KEY] = { .label = "SSH public key",
			    .hint = "The whole line: ssh-ed25519 AAAA... name. Paste it.",
			    .max = KEY_LINE_MAX,
			    .is_valid = is_key_line,
			    .wrong = "The line of a .pub file: ssh-ed25519 AAAA... name" },
	[SETUP_ADDRESS] = { .label = "Address",
			    .hint = "Like 10.0.0.5/24. Empty: DHCP.",
			    .max = ADDRESS_MAX,
			    .is_valid = is_network,
			    .wrong = "Address and length of the network: 10.0.0.5/24.",
			    .is_optional = true },
	[SETUP_GATEWAY] = { .label = "Gateway",
			    .hint = "Only with an address.",
			    .max = ADDRESS_MAX,
			    .is_valid = is_ip,
			    .wrong = "An address like 10.0.0.1.",
			    .is_optional = true },
	[SETUP_DNS] = { .label = "Name servers",
			.hint = "Addresses with blanks between. Only with an address.",
			.max = LIST_MAX,
			.is_valid = is_ip_list,
			.wrong = "Addresses like 10.0.0.1 10.0.0.2.",
			.is_optional = true },
};

static void add_member(struct buf *out, const char *before, const char *text)
{
	buf_add_str(out, before);
	buf_add_json(out, text, strlen(text));
}

static void add_network(const char *const text[SETUP_FIELDS], struct buf *out)
{
	const char *dns = text[SETUP_DNS];
	bool first = true;

	add_member(out, ", \"network\": { \"address\": ", text[SETUP_ADDRESS]);
	if (*text[SETUP_GATEWAY])
		add_member(out, ", \"gateway\": ", text[SETUP_GATEWAY]);
	for (size_t n = next_word(&dns); n > 0; n = next_word(&dns)) {
		buf_add_str(out, first ? ", \"dns\": [" : ", ");
		buf_add_json(out, dns, n);
		dns += n;
		first = false;
	}
	buf_add_str(out, first ? " }" : "] }");
}

void setup_json(const char *const text[SETUP_FIELDS], struct buf *out)
{
	buf_add_str(out, "{ \"version\": 1");
	add_member(out, ", \"hostname\": ", text[SETUP_HOST]);
	add_member(out, ", \"admin\": { \"name\": ", text[SETUP_NAME]);
	add_member(out, ", \"email\": ", text[SETUP_EMAIL]);
	add_member(out, ", \"ssh_key\": ", text[SETUP_SSH_KEY]);
	buf_add_str(out, " }");
	if (*text[SETUP_ADDRESS])
		add_network(text, out);
	buf_add_str(out, " }");
}

static int make_first(const struct form *form, struct call *ret, const char **ret_wrong)
{
	auto_buf struct buf json = buf_make(CONFIG_MAX);
	const char *text[SETUP_FIELDS];

	for (size_t i = 0; i < SETUP_FIELDS; i++)
		text[i] = form_text(form, i);
	if (!*text[SETUP_ADDRESS] && (*text[SETUP_GATEWAY] || *text[SETUP_DNS])) {
		*ret_wrong = "A gateway and name servers need an address.";
		return 1;
	}
	setup_json(text, &json);
	const char *config = buf_text(&json);
	if (!config)
		return -ENOMEM;
	ret->method = METHOD_PROVISION;
	return call_set_text(ret, 0, config);
}

static void say_text(struct view *view, struct reply *reply)
{
	const char *text = rows_text(reply->rows, 0, "text");

	if (*text)
		view_say(view, STYLE_GOOD, text);
}

static const struct form_spec FIRST_FORM = {
	.title = "First configuration",
	.field = FIRST_FIELDS,
	.n = SETUP_FIELDS,
	.submit = "Set up",
	.done = "The appliance is set up.",
	.make = make_first,
	.answered = say_text,
};

void setup_first(struct view *view)
{
	form_open(view->app, &(struct form_arg) { .spec = &FIRST_FORM });
}

/* --- unlocking --------------------------------------------------------------------------------- */

static int make_unlock(const struct form *form, struct call *ret, const char **ret_wrong)
{
	(void)ret_wrong;
	ret->method = METHOD_UNLOCK;
	return call_set_text(ret, 0, form_text(form, 0));
}

static const struct form_field UNLOCK_FIELDS[] = {
	{ .label = "Recovery key",
	  .hint = "The recovery key or passphrase of the data volume.",
	  .kind = FORM_SECRET,
	  .max = PASSPHRASE_MAX },
};

static const struct form_spec UNLOCK_FORM = {
	.title = "Open the data volume",
	.field = UNLOCK_FIELDS,
	.n = countof(UNLOCK_FIELDS),
	.submit = "Open",
	.done = "The data volume is open.",
	.make = make_unlock,
	.answered = say_text,
};

void setup_unlock(struct view *view)
{
	form_open(view->app, &(struct form_arg) { .spec = &UNLOCK_FORM });
}

/* --- the recovery key, the TPM ------------------------------------------------------------------ */

static int make_confirm(const struct form *form, struct call *ret, const char **ret_wrong)
{
	(void)ret_wrong;
	ret->method = METHOD_CONFIRM_RECOVERY_KEY;
	return call_set_text(ret, 0, form_text(form, 0));
}

static const struct form_field CONFIRM_FIELDS[] = {
	{ .label = "Its last group",
	  .hint = "The last six characters. Esc: it stays here, and K shows it again.",
	  .max = PASSPHRASE_MAX },
};

static const struct form_spec CONFIRM_FORM = {
	.title = "You have the recovery key: it is erased here",
	.field = CONFIRM_FIELDS,
	.n = countof(CONFIRM_FIELDS),
	.submit = "I have it",
	.done = "The recovery key is erased here.",
	.make = make_confirm,
	.answered = say_text,
};

void setup_confirm_key(struct view *view)
{
	form_open(view->app, &(struct form_arg) { .spec = &CONFIRM_FORM });
}

static int make_bind(const struct form *form, struct call *ret, const char **ret_wrong)
{
	(void)ret_wrong;
	ret->method = METHOD_BIND_TPM;
	return call_set_text(ret, 0, form_text(form, 0));
}

static const struct form_field BIND_FIELDS[] = {
	{ .label = "Recovery key",
	  .hint = "This machine's TPM opens the volume then, and no other one.",
	  .kind = FORM_SECRET,
	  .max = PASSPHRASE_MAX },
};

static const struct form_spec BIND_FORM = {
	.title = "Give the data volume's key to this TPM",
	.field = BIND_FIELDS,
	.n = countof(BIND_FIELDS),
	.submit = "Bind",
	.done = "This machine's TPM opens the data volume.",
	.make = make_bind,
	.answered = say_text,
};

void setup_bind_tpm(struct view *view)
{
	form_open(view->app, &(struct form_arg) { .spec = &BIND_FORM });
}

/* --- power ------------------------------------------------------------------------------------- */

static const char *const POWER[] = { "restart", "power off" };

static int make_power(const struct form *form, struct call *ret, const char **ret_wrong)
{
	const char *wanted = *form_subject(form) ? form_subject(form) : "yes";

	if (strcmp(form_text(form, 1), wanted) != 0) {
		*ret_wrong =
			*form_subject(form) ? "Type the host name to agree." : "Type yes to agree.";
		return 1;
	}
	ret->method = form_is_chosen(form, 0, 0) ? METHOD_REBOOT : METHOD_POWER_OFF;
	return 0;
}

static const struct form_field POWER_FIELDS[] = {
	{ .label = "What", .hint = "Left and Right choose.", .kind = FORM_ONE },
	{ .label = "Host name",
	  .hint = "Type it to agree (yes, if there is none yet).",
	  .max = NAME_HOST_MAX },
};

static const struct form_spec POWER_FORM = {
	.title = "Power:",
	.field = POWER_FIELDS,
	.n = countof(POWER_FIELDS),
	.submit = "Do it",
	.done = "The appliance is going down.",
	.make = make_power,
};

void setup_power(struct view *view)
{
	form_open(view->app, &(struct form_arg) { .spec = &POWER_FORM,
						  .subject = view_hostname(view),
						  .option = POWER,
						  .n_options = countof(POWER) });
}
