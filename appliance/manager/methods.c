/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/manager/methods.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <yyjson.h>

#include "appliance/manager/errand.h"
#include "appliance/manager/manager.h"
#include "appliance/manager/status.h"
#include "common/buf.h"
#include "common/log.h"

constexpr uint32_t IN_READY = 1u << STATE_READY;
constexpr uint32_t IN_UNCONFIGURED = 1u << STATE_UNCONFIGURED;
constexpr uint32_t IN_LOCKED = 1u << STATE_LOCKED;
constexpr uint32_t IN_ANY = (1u << STATE_COUNT) - 1;
constexpr size_t SETTING_MAX = 128;
constexpr size_t CA_MAX = 16 * 1024;
static const char CONSOLE[] = "console"; /* whom redoubt-tty stands for */

static void wipe_text(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static struct errand *errand_free(struct errand *op)
{
	if (!op)
		return nullptr;
	wipe_text(op->argument);
	wipe_text(op->second);
	free(op);
	return nullptr;
}
CLEANUP_FN(struct errand, errand_free)

int errand_record(struct errand *op, enum audit_decision decision, enum audit_outcome outcome,
		  const char *text, uint64_t *ret_index)
{
	const struct ledger_event event = {
		.code = op->rule->code,
		.person = op->person[0] ? op->person : "unknown",
		.target = op->rule->on_query ? op->argument : "appliance",
		.text = text,
		.decision = decision,
		.outcome = outcome,
		.intent = outcome == AUDIT_INTENT ? AUDIT_NO_INTENT : op->intent,
	};

	return ledger_record(op->manager->ledger, &event, ret_index);
}

/* Which bus error an outcome is. */
static enum bus_error error_of(enum job_outcome outcome)
{
	static const enum bus_error ERRORS[] = {
		[JOB_OK] = BUS_FAILED, /* not asked for */
		[JOB_NEEDS_CONFIG] = BUS_INVALID,
		[JOB_LOCKED] = BUS_LOCKED,
		[JOB_FOREIGN_DATA] = BUS_FAILED,
		[JOB_NO_DISK] = BUS_FAILED,
		[JOB_REFUSED] = BUS_INVALID,
		[JOB_FAULT] = BUS_FAILED,
	};
	static_assert(countof(ERRORS) == JOB_OUTCOME_COUNT);

	return ERRORS[outcome];
}

/* The job has ended: record, answer, free. */
static void on_done(void *userdata, const struct job_done *done)
{
	cleanup(errand_free_at) struct errand *op = userdata;
	bool good = done->outcome == JOB_OK;

	if (op->rule->code && errand_record(op, AUDIT_NO_DECISION, good ? AUDIT_DONE : AUDIT_FAILED,
					    done->text, nullptr) != LEDGER_OK)
		log_event(LOG_ERR, EVENT_LEDGER, 0, "an outcome is not in the ledger",
			  op->rule->code);
	op->rule->answer(op, done);
}

/* What reading by a rule is called in the ledger. */
static const char *read_code(const struct method_rule *rule);

/* Allowed: record that it is about to be done, and do it. */
static void go_ahead(struct errand *op)
{
	static const struct job_done NOTHING = { .outcome = JOB_OK };
	cleanup(errand_free_at) struct errand *owned = op;
	const struct method_rule *rule = op->rule;

	if (rule->code &&
	    errand_record(op, AUDIT_ALLOW, AUDIT_INTENT, "", &op->intent) != LEDGER_OK) {
		bus_fail(op->call, BUS_AUDIT_UNAVAILABLE,
			 "The ledger does not take the event, so nothing was done.");
		return;
	}
	if (rule->job == JOB_KIND_COUNT) {
		if (!rule->code)
			ledger_read(op->manager->ledger, bus_sender(op->call), read_code(rule),
				    op->person);
		rule->answer(op, &NOTHING);
		return;
	}
	int r = worker_link_submit(op->manager->worker, rule->job, op->argument, op->second,
				   on_done, op);
	if (r) {
		bus_fail(op->call, r == -EMSGSIZE ? BUS_INVALID : BUS_FAILED, "%s",
			 r == -EMSGSIZE ? "An argument is longer than 24 KiB."
			 : r == -EBUSY	? "Too many jobs are waiting; try again in a moment."
					: "The job could not be started.");
		return;
	}
	if (rule->job == JOB_PROVISION || rule->job == JOB_UNLOCK)
		op->manager->opening = true;
	owned = nullptr; /* on_done() has it now */
}

static void refuse(struct errand *op)
{
	cleanup(errand_free_at) struct errand *owned = op;

	/* Reading is refused by accounts, which records it; a refusal of ours goes in if there is a ledger. */
	if (op->rule->code && errand_record(op, AUDIT_DENY, AUDIT_FAILED, "", nullptr) != LEDGER_OK)
		log_event(LOG_WARNING, EVENT_LEDGER, 0, "a refusal is not in the ledger",
			  op->rule->code);
	bus_fail(op->call, BUS_DENIED, "You may not do this%s%s%s.",
		 op->rule->privilege ? "; it takes the privilege " : "",
		 op->rule->privilege ? op->rule->privilege : "",
		 op->rule->privilege ? "" : ": only the machine's own console can");
}

static void on_authorized(void *userdata, bool allowed, const char *person)
{
	struct errand *op = userdata;

	(void)snprintf(op->person, sizeof(op->person), "%s", person);
	if (allowed)
		go_ahead(op);
	else
		refuse(op);
}

/* A call for which the state is wrong: what the state is, and what that means. */
static void wrong_state(struct errand *op)
{
	cleanup(errand_free_at) struct errand *owned = op;
	struct manager *manager = op->manager;

	if (op->rule->states == IN_READY)
		bus_fail(op->call, BUS_LOCKED, "The appliance is %s%s%s.",
			 state_name(manager->state), manager->text[0] ? ": " : "", manager->text);
	else
		bus_fail(op->call, BUS_INVALID,
			 "This can be done only while the appliance is %s; it is %s.",
			 op->rule->states == IN_LOCKED ? "locked" : "unconfigured",
			 state_name(manager->state));
}

/* Whether the call may go on, must wait for accounts, or is refused. */
static void decide(struct errand *op, uint32_t uid)
{
	struct manager *manager = op->manager;
	bool console = uid == manager->tty_uid && uid != UINT32_MAX;

	if (console)
		(void)snprintf(op->person, sizeof(op->person), "%s", CONSOLE);
	if (!op->rule->privilege && !console) {
		refuse(op);
		return;
	}
	if (!(op->rule->states & (1u << manager->state))) {
		wrong_state(op);
		return;
	}
	if (console && op->rule->console) {
		go_ahead(op);
		return;
	}
	int r = bus_authorize(manager->bus, uid, op->rule->privilege, "", on_authorized, op);
	if (r)
		refuse(op);
}

/* Begin a call: its rule, its arguments. */
static void begin(struct bus_call *call, struct manager *manager, const struct method_rule *rule,
		  const char *argument, const char *second)
{
	struct errand *op = calloc(1, sizeof(*op));

	if (op) {
		op->argument = strdup(argument);
		op->second = strdup(second);
	}
	if (!op || !op->argument || !op->second) {
		op = errand_free(op);
		bus_fail(call, BUS_FAILED, "There is no memory left for this.");
		return;
	}
	op->manager = manager;
	op->call = call;
	op->rule = rule;
	op->intent = AUDIT_NO_INTENT;
	decide(op, bus_uid(call));
}

/* --- answers -------------------------------------------------------------------------------- */

/* The job's sentence, or the error it amounts to. */
static void answer_text(struct errand *op, const struct job_done *done)
{
	if (done->outcome != JOB_OK) {
		bus_fail(op->call, error_of(done->outcome), "%s", done->text);
		return;
	}
	bus_answer_str(op->call, done->text);
	bus_reply(op->call);
}

static void answer_nothing(struct errand *op, const struct job_done *done)
{
	if (done->outcome != JOB_OK)
		bus_fail(op->call, error_of(done->outcome), "%s", done->text);
	else
		bus_reply(op->call);
}

static void answer_provision(struct errand *op, const struct job_done *done)
{
	/* A configuration that is not valid leaves the state as it was: the console asks again. */
	if (done->outcome == JOB_REFUSED) {
		op->manager->opening = false;
		manager_set(op->manager, STATE_UNCONFIGURED, done->text);
	} else {
		manager_opened(op->manager, done, op->argument);
	}
	answer_text(op, done);
}

static void answer_unlock(struct errand *op, const struct job_done *done)
{
	/* A wrong key leaves the reason for being locked in the text. */
	if (done->outcome == JOB_OK || done->outcome == JOB_LOCKED)
		manager_opened(op->manager, done, nullptr);
	else
		op->manager->opening = false;
	answer_text(op, done);
}

static void answer_recovery_key(struct errand *op, const struct job_done *done)
{
	if (done->outcome != JOB_OK) {
		bus_fail(op->call, error_of(done->outcome), "%s", done->text);
		return;
	}
	manager_refresh_details(op->manager);
	bus_answer_str(op->call, done->data);
	bus_reply(op->call);
	bus_changed(op->manager->bus);
}

/* Slots or a key that waits have changed. */
static void answer_slots(struct errand *op, const struct job_done *done)
{
	manager_refresh_details(op->manager);
	answer_text(op, done);
}

static void answer_certificate(struct errand *op, const struct job_done *done)
{
	if (done->outcome == JOB_OK)
		manager_refresh_details(op->manager);
	answer_text(op, done);
}

/* One JSON line {id, title, result, detail} as a row. */
static void put_check(struct bus_call *call, const char *line, size_t len)
{
	static const char *const KEYS[] = { "id", "title", "result", "detail" };
	/* Without YYJSON_READ_INSITU the text is not written to, whatever the prototype says. */
	yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)line, len, 0, nullptr, nullptr);
	yyjson_val *root = yyjson_doc_get_root(doc);

	if (yyjson_is_obj(root)) {
		bus_row_begin(call);
		for (size_t i = 0; i < countof(KEYS); i++) {
			const char *text = yyjson_get_str(yyjson_obj_get(root, KEYS[i]));

			bus_put_str(call, KEYS[i], text ? text : "");
		}
		bus_row_end(call);
	}
	yyjson_doc_free(doc);
}

static void answer_checks(struct errand *op, const struct job_done *done)
{
	if (done->outcome != JOB_OK) {
		bus_fail(op->call, error_of(done->outcome), "%s", done->text);
		return;
	}
	bus_rows_begin(op->call);
	for (const char *line = done->data; *line;) {
		size_t len = strcspn(line, "\n");

		put_check(op->call, line, len);
		line += len + (line[len] == '\n');
	}
	bus_rows_end(op->call);
	bus_reply(op->call);
}

/* A job's text as it is: the configuration, or how it differs. */
static void answer_data(struct errand *op, const struct job_done *done)
{
	if (done->outcome != JOB_OK) {
		bus_fail(op->call, error_of(done->outcome), "%s", done->text);
		return;
	}
	bus_answer_str(op->call, done->data);
	bus_reply(op->call);
}

static void answer_config_status(struct errand *op, const struct job_done *done)
{
	if (done->outcome != JOB_OK) {
		bus_fail(op->call, error_of(done->outcome), "%s", done->text);
		return;
	}
	bus_row_begin(op->call);
	status_put_config(op->call, done->data);
	bus_row_end(op->call);
	bus_reply(op->call);
}

static void answer_config_change(struct errand *op, const struct job_done *done)
{
	/* A new change starts its five minutes anew. */
	op->manager->trial = loop_source_free(op->manager->trial);
	manager_refresh_details(op->manager);
	answer_text(op, done);
}

static void answer_ca(struct errand *op, const struct job_done *done)
{
	auto_close int fd = open("/var/lib/redoubt/ca/ca.pem", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char pem[CA_MAX / 4];
	ssize_t n = fd < 0 ? -1 : read(fd, pem, sizeof(pem) - 1);

	(void)done;
	if (n <= 0) {
		bus_fail(op->call, BUS_FAILED, "The CA's certificate could not be read.");
		return;
	}
	pem[n] = '\0';
	bus_answer_str(op->call, pem);
	bus_reply(op->call);
}

static void answer_status(struct errand *op, const struct job_done *done)
{
	(void)done;
	bus_row_begin(op->call);
	status_put(op->call, op->manager);
	bus_row_end(op->call);
	bus_reply(op->call);
}

/* --- the table ------------------------------------------------------------------------------ */

enum method {
	METHOD_STATUS,
	METHOD_PROVISION,
	METHOD_UNLOCK,
	METHOD_TAKE_RECOVERY_KEY,
	METHOD_CA_CERTIFICATE,
	METHOD_INSTALL_CERTIFICATE,
	METHOD_CHECK_HARDENING,
	METHOD_RENEW_CERTIFICATE,
	METHOD_CONFIG_READ,
	METHOD_CONFIG_STATUS,
	METHOD_CONFIG_ACCEPT,
	METHOD_CONFIG_PIN,
	METHOD_CONFIG_EDIT,
	METHOD_CONFIG_SET,
	METHOD_CONFIG_CONFIRM,
	METHOD_CONFIG_ROLLBACK,
	METHOD_POWER_OFF,
	METHOD_REBOOT,
	METHOD_OWN_QUERIES,
	METHOD_ALL_QUERIES,
	METHOD_KILL_OWN,
	METHOD_KILL_ANY,
	METHOD_CONFIRM_RECOVERY_KEY,
	METHOD_NEW_RECOVERY_KEY,
	METHOD_BIND_TPM,
};

/* clang-format off */
static const struct method_rule RULES[] = {
	[METHOD_STATUS]              = { "APPLIANCE_READ", true, IN_ANY, JOB_KIND_COUNT, nullptr, answer_status },
	[METHOD_PROVISION]           = { nullptr, true, IN_UNCONFIGURED, JOB_PROVISION, "appliance.provision", answer_provision },
	[METHOD_UNLOCK]              = { nullptr, true, IN_LOCKED, JOB_UNLOCK, "appliance.unlock", answer_unlock },
	[METHOD_TAKE_RECOVERY_KEY]   = { "RECOVERY_KEY_TAKE", false, IN_READY, JOB_TAKE_RECOVERY_KEY, "appliance.recovery-key.take", answer_recovery_key },
	[METHOD_CA_CERTIFICATE]      = { "APPLIANCE_READ", false, IN_READY, JOB_KIND_COUNT, nullptr, answer_ca },
	[METHOD_INSTALL_CERTIFICATE] = { "CERTIFICATE_WRITE", false, IN_READY, JOB_INSTALL_CERTIFICATE, "appliance.certificate.install", answer_certificate },
	[METHOD_CHECK_HARDENING]     = { "APPLIANCE_READ", false, IN_READY, JOB_CHECK_HARDENING, "appliance.hardening.check", answer_checks },
	[METHOD_RENEW_CERTIFICATE]   = { "CERTIFICATE_WRITE", false, IN_READY, JOB_RENEW_CERTIFICATE, "appliance.certificate.renew", answer_certificate },
	[METHOD_CONFIG_READ]         = { "APPLIANCE_READ", false, IN_READY, JOB_CONFIG_READ, nullptr, answer_data },
	[METHOD_CONFIG_STATUS]       = { "APPLIANCE_READ", false, IN_READY, JOB_CONFIG_READ, nullptr, answer_config_status },
	[METHOD_CONFIG_ACCEPT]       = { "CONFIG_WRITE", false, IN_READY, JOB_CONFIG_CHANGE, "appliance.config.accept", answer_config_change },
	[METHOD_CONFIG_PIN]          = { "CONFIG_WRITE", false, IN_READY, JOB_CONFIG_CHANGE, "appliance.config.pin", answer_config_change },
	[METHOD_CONFIG_EDIT]         = { "CONFIG_WRITE", false, IN_READY, JOB_CONFIG_CHANGE, "appliance.config.edit", answer_config_change },
	[METHOD_CONFIG_SET]          = { "CONFIG_WRITE", false, IN_READY, JOB_CONFIG_CHANGE, "appliance.config.set", answer_config_change },
	[METHOD_CONFIG_CONFIRM]      = { "CONFIG_WRITE", false, IN_READY, JOB_CONFIG_CHANGE, "appliance.config.confirm", answer_config_change },
	[METHOD_CONFIG_ROLLBACK]     = { "CONFIG_WRITE", false, IN_READY, JOB_CONFIG_CHANGE, "appliance.config.rollback", answer_config_change },
	[METHOD_POWER_OFF]           = { "APPLIANCE_CONTROL", true, IN_ANY, JOB_POWER_OFF, "appliance.power-off", answer_nothing },
	[METHOD_REBOOT]              = { "APPLIANCE_CONTROL", true, IN_ANY, JOB_REBOOT, "appliance.reboot", answer_nothing },
	[METHOD_OWN_QUERIES]         = { "API_KEYS_OWN", false, IN_READY, JOB_KIND_COUNT, nullptr, queries_own },
	[METHOD_ALL_QUERIES]         = { "APPLIANCE_CONTROL", false, IN_READY, JOB_KIND_COUNT, nullptr, queries_all },
	[METHOD_KILL_OWN]            = { "API_KEYS_OWN", false, IN_READY, JOB_KIND_COUNT, "query.kill", queries_kill_own, .on_query = true },
	[METHOD_KILL_ANY]            = { "APPLIANCE_CONTROL", false, IN_READY, JOB_KIND_COUNT, "query.kill", queries_kill_any, .on_query = true },
	[METHOD_CONFIRM_RECOVERY_KEY] = { "RECOVERY_KEY_TAKE", false, IN_READY, JOB_CONFIRM_RECOVERY_KEY, "appliance.recovery-key.confirm", answer_slots },
	[METHOD_NEW_RECOVERY_KEY]    = { "RECOVERY_KEY_TAKE", false, IN_READY, JOB_NEW_RECOVERY_KEY, "appliance.recovery-key.new", answer_recovery_key },
	/* The recovery key is the proof: the local console may, too. */
	[METHOD_BIND_TPM]            = { "RECOVERY_KEY_TAKE", true, IN_READY, JOB_BIND_TPM, "appliance.tpm.bind", answer_slots },
};
/* clang-format on */

static const char *read_code(const struct method_rule *rule)
{
	if (rule == &RULES[METHOD_OWN_QUERIES] || rule == &RULES[METHOD_ALL_QUERIES])
		return "query.list";
	return rule == &RULES[METHOD_CA_CERTIFICATE] ? "appliance.ca" : "appliance.status";
}

static void on_status(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_STATUS], "", "");
}

static void on_provision(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_PROVISION], bus_arg_str(call), "");
}

static void on_unlock(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_UNLOCK], bus_arg_str(call), "");
}

static void on_take_recovery_key(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_TAKE_RECOVERY_KEY], "", "");
}

static void on_ca_certificate(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_CA_CERTIFICATE], "", "");
}

static void on_install_certificate(struct bus_call *call, void *service)
{
	const char *chain = bus_arg_str(call);

	begin(call, service, &RULES[METHOD_INSTALL_CERTIFICATE], chain, bus_arg_str(call));
}

static void on_check_hardening(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_CHECK_HARDENING], "", "");
}

static void on_renew_certificate(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_RENEW_CERTIFICATE], "", "");
}

static void on_show_config(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_CONFIG_READ], "show", "");
}

static void on_diff_config(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_CONFIG_READ], "diff", "");
}

static void on_config_status(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_CONFIG_STATUS], "status", "");
}

static void on_accept_config(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_CONFIG_ACCEPT], "accept", bus_arg_str(call));
}

static void on_pin_config(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_CONFIG_PIN], "pin", "");
}

static void on_unpin_config(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_CONFIG_PIN], "unpin", "");
}

static void on_edit_config(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_CONFIG_EDIT], "edit", bus_arg_str(call));
}

static void on_set_config(struct bus_call *call, void *service)
{
	auto_buf struct buf argument = buf_make(SETTING_MAX), lines = buf_make(JOB_ARGUMENT_MAX);
	const char *value[BUS_STRV_MAX];

	buf_addf(&argument, "set %s", bus_arg_str(call));
	size_t n = bus_arg_strv(call, value);
	for (size_t i = 0; i < n && n <= BUS_STRV_MAX; i++)
		buf_addf(&lines, "%s%s", i ? "\n" : "", value[i]);
	const char *setting = buf_text(&argument), *values = buf_text(&lines);
	if (!setting || !values || n == 0 || n > BUS_STRV_MAX)
		bus_fail(call, BUS_INVALID, "There are no values, or too many.");
	else
		begin(call, service, &RULES[METHOD_CONFIG_SET], setting, values);
}

static void on_confirm_config(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_CONFIG_CONFIRM], "confirm", "");
}

static void on_rollback_config(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_CONFIG_ROLLBACK], "rollback", "");
}

static void on_power_off(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_POWER_OFF], "", "");
}

static void on_reboot(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_REBOOT], "", "");
}

/* Whose: "" one's own, "*" all. Returns whether it is one of these; if not, the call is answered. */
static bool whose(struct bus_call *call, bool *ret_all)
{
	const char *owner = bus_arg_str(call);

	*ret_all = strcmp(owner, "*") == 0;
	if (*ret_all || !*owner)
		return true;
	bus_fail(call, BUS_INVALID, "Whose queries: your own (\"\") or all (\"*\").");
	return false;
}

static void on_list_queries(struct bus_call *call, void *service)
{
	bool all;

	if (whose(call, &all))
		begin(call, service, &RULES[all ? METHOD_ALL_QUERIES : METHOD_OWN_QUERIES], "", "");
}

static void on_kill_query(struct bus_call *call, void *service)
{
	char number[24], target[40];
	bool all;

	if (!whose(call, &all))
		return;
	(void)snprintf(number, sizeof(number), "%" PRIu64, bus_arg_number(call));
	(void)snprintf(target, sizeof(target), "query %s", number);
	begin(call, service, &RULES[all ? METHOD_KILL_ANY : METHOD_KILL_OWN], target, number);
}

static void on_confirm_recovery_key(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_CONFIRM_RECOVERY_KEY], bus_arg_str(call), "");
}

static void on_new_recovery_key(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_NEW_RECOVERY_KEY], bus_arg_str(call), "");
}

static void on_bind_tpm(struct bus_call *call, void *service)
{
	begin(call, service, &RULES[METHOD_BIND_TPM], bus_arg_str(call), "");
}

static const struct bus_method METHODS[] = {
	{ "Status", "", "a{sv}", on_status },
	{ "Provision", "s", "s", on_provision },
	{ "Unlock", "s", "s", on_unlock },
	{ "TakeRecoveryKey", "", "s", on_take_recovery_key },
	{ "CaCertificate", "", "s", on_ca_certificate },
	{ "InstallCertificate", "ss", "s", on_install_certificate },
	{ "CheckHardening", "", "aa{sv}", on_check_hardening },
	{ "RenewCertificate", "", "s", on_renew_certificate },
	{ "ShowConfig", "", "s", on_show_config },
	{ "DiffConfig", "", "s", on_diff_config },
	{ "ConfigStatus", "", "a{sv}", on_config_status },
	{ "AcceptConfig", "s", "s", on_accept_config },
	{ "PinConfig", "", "s", on_pin_config },
	{ "UnpinConfig", "", "s", on_unpin_config },
	{ "EditConfig", "s", "s", on_edit_config },
	{ "SetConfig", "sas", "s", on_set_config },
	{ "ConfirmConfig", "", "s", on_confirm_config },
	{ "RollbackConfig", "", "s", on_rollback_config },
	{ "PowerOff", "", "", on_power_off },
	{ "Reboot", "", "", on_reboot },
	{ "ListQueries", "s", "aa{sv}", on_list_queries },
	{ "KillQuery", "st", "", on_kill_query },
	{ "ConfirmRecoveryKey", "s", "s", on_confirm_recovery_key },
	{ "NewRecoveryKey", "s", "s", on_new_recovery_key },
	{ "BindTpm", "s", "s", on_bind_tpm },
};

int methods_offer(struct manager *manager, struct bus **ret)
{
	return bus_new(manager->loop, "org.redoubt.Appliance1", "/org/redoubt/Appliance1", METHODS,
		       countof(METHODS), manager, ret);
}
