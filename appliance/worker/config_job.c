/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/config_job.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "appliance/worker/apply.h"
#include "appliance/worker/config_lines.h"
#include "appliance/worker/era.h"
#include "appliance/worker/files.h"
#include "appliance/worker/handover.h"
#include "appliance/worker/identity.h"
#include "appliance/worker/stored.h"
#include "common/clock.h"

constexpr size_t SHA_SHORT = 12; /* hex digits by which a configuration can be named */
constexpr size_t LINES_MAX = 128 * 1024;

[[gnu::format(printf, 3, 4)]] static void finish(struct job_done *done, enum job_outcome outcome,
						 const char *format, ...)
{
	va_list args;

	done->outcome = outcome;
	va_start(args, format);
	(void)vsnprintf(done->text, sizeof(done->text), format, args);
	va_end(args);
}

static void fault(struct job_done *done, const char *what, int error)
{
	finish(done, JOB_FAULT, "%s: %s", what, strerrordesc_np(-error));
}

/* Open the state folder and look at what is stored. Returns whether to go on. */
static bool look(struct job_done *done, int *state, struct stored **ret)
{
	int r = files_open_folder(files_state(), state);

	if (r == 0)
		r = stored_look(*state, ret);
	if (r == 0 && (*ret)->text.len == 0)
		r = -ENOENT;
	if (r)
		fault(done, "the stored configuration could not be read", r);
	return r == 0;
}

/* --- reading ------------------------------------------------------------------------------------ */

static const char *offer_name(enum stored_offer offer)
{
	static const char *const NAMES[] = {
		[OFFER_NONE] = "none",
		[OFFER_SAME] = "same",
		[OFFER_DIFFERS] = "differs",
		[OFFER_INVALID] = "invalid",
	};

	return NAMES[offer];
}

/* The configuration as it is stored, indented for people; it can be given back to `edit`. */
static int add_show(const struct stored *stored, struct buf *ret)
{
	/* Without YYJSON_READ_INSITU the text is not written to, whatever the prototype says. */
	yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)stored->text.data, stored->text.len,
					   0, nullptr, nullptr);
	size_t len = 0;
	auto_free char *text =
		doc ? yyjson_write(doc, YYJSON_WRITE_PRETTY_TWO_SPACES, &len) : nullptr;

	yyjson_doc_free(doc);
	if (!text)
		return -ENOMEM;
	buf_add(ret, text, len);
	return buf_error(ret);
}

static int add_status(const struct stored *stored, struct buf *ret)
{
	buf_addf(ret,
		 "{\"sha256\":\"%s\",\"pinned\":%s,\"unconfirmed\":%s,\"offer\":\"%s\","
		 "\"offer_sha256\":\"%s\",\"offer_why\":",
		 stored->sha256, stored->pinned ? "true" : "false",
		 stored->trial ? "true" : "false", offer_name(stored->offer), stored->offer_sha256);
	buf_add_json(ret, stored->offer_why, strlen(stored->offer_why));
	buf_add_str(ret, "}");
	return buf_error(ret);
}

static int add_diff(const struct stored *stored, struct buf *ret)
{
	static const char *const NOTHING[] = {
		[OFFER_NONE] = "the launcher gives no configuration",
		[OFFER_SAME] = "the launcher's configuration means the same as the stored one",
	};

	if (stored->offer == OFFER_INVALID)
		buf_addf(ret, "the launcher's configuration is not valid: %s\n", stored->offer_why);
	else if (stored->offer != OFFER_DIFFERS)
		buf_addf(ret, "%s\n", NOTHING[stored->offer]);
	if (stored->offer != OFFER_DIFFERS)
		return buf_error(ret);
	buf_addf(ret, "- stored   SHA-256 %s\n+ launcher SHA-256 %s\n", stored->sha256,
		 stored->offer_sha256);
	return config_diff(&stored->config, &stored->offered, ret);
}

static const struct {
	const char *name;
	int (*add)(const struct stored *stored, struct buf *ret);
} READS[] = {
	{ "show", add_show },
	{ "status", add_status },
	{ "diff", add_diff },
};

void config_job_read(const struct job *job, struct job_done *done)
{
	cleanup(stored_free_at) struct stored *stored = nullptr;
	auto_buf struct buf text = buf_make(JOB_DATA_MAX - 1);
	auto_close int state = -1;

	if (!look(done, &state, &stored))
		return;
	for (size_t i = 0; i < countof(READS); i++) {
		if (strcmp(job->argument, READS[i].name) != 0)
			continue;
		int r = READS[i].add(stored, &text);
		const char *said = r == 0 ? buf_text(&text) : nullptr;

		if (!said) {
			fault(done, "the configuration could not be told", r ? r : -ENOMEM);
			return;
		}
		(void)snprintf(done->data, sizeof(done->data), "%s", said);
		finish(done, JOB_OK, "%s", "");
		return;
	}
	finish(done, JOB_REFUSED, "there is no such request");
}

/* --- changing ----------------------------------------------------------------------------------- */

/* One change on its way. */
struct change {
	int state;
	const struct stored *stored;
	const char *name;   /* of the setting, behind "set " */
	const char *second; /* the job's */
	struct job_done *done;
};

static int put_into_force(int state, const struct config *config)
{
	int r = apply(config);

	struct era era;

	era_look(state, &era);
	return r ? r : identity_certificates(state, config, &era);
}

/* Whether a change touches how its author reaches the appliance. */
static int is_risky(const struct config *from, const struct config *to)
{
	auto_buf struct buf diff = buf_make(LINES_MAX);
	int r = config_diff(from, to, &diff);
	const char *text = r ? nullptr : buf_text(&diff);

	if (!text)
		return r ? r : -ENOMEM;
	return strstr(text, " network") || strstr(text, " ssh.sources");
}

/* Make the swapped configuration hold; if it does not come into force, swap back. */
static int swap_and_apply(int state)
{
	cleanup(stored_free_at) struct stored *now = nullptr;
	int r = stored_swap(state);

	if (r == 0)
		r = stored_look(state, &now);
	if (r == 0)
		r = now->sound ? put_into_force(state, &now->config) : -EBADMSG;
	return r;
}

/* Store a configuration and put it into force, or leave everything as it was. */
static void take(const struct change *change, const struct buf *text)
{
	auto_free struct config *config = calloc(1, sizeof(*config));
	char why[CONFIG_ERROR];
	int r = config ? config_parse((const char *)text->data, text->len, config, why) : -ENOMEM;

	if (r == CONFIG_INVALID) {
		finish(change->done, JOB_REFUSED, "the configuration is not valid: %.380s", why);
		return;
	}
	int risky = r ? r : is_risky(&change->stored->config, config);
	r = risky < 0 ? risky : stored_write(change->state, text, risky == 1);
	if (r) {
		fault(change->done, "the configuration could not be stored; nothing was changed",
		      r);
		return;
	}
	r = put_into_force(change->state, config);
	if (r) {
		int back = swap_and_apply(change->state);

		finish(change->done, JOB_FAULT,
		       "the configuration did not come into force (%s); %s", strerrordesc_np(-r),
		       back ? "nor did the one before it" : "the one before it holds");
		return;
	}
	cleanup(stored_free_at) struct stored *now = nullptr;
	r = stored_look(change->state, &now);
	finish(change->done, JOB_OK, "the configuration SHA-256 %s holds, before it was %s%s",
	       r ? "?" : now->sha256, change->stored->sha256,
	       risky ? "; it is taken back in 5 minutes unless `config confirm` is said" : "");
}

static void do_edit(const struct change *change)
{
	auto_buf struct buf text = buf_make(JOB_ARGUMENT_MAX);

	buf_add_str(&text, change->second);
	if (buf_error(&text))
		fault(change->done, "nothing was changed", buf_error(&text));
	else
		take(change, &text);
}

static void do_accept(const struct change *change)
{
	const struct stored *stored = change->stored;
	size_t len = strlen(change->second);

	if (stored->offer != OFFER_DIFFERS && stored->offer != OFFER_SAME) {
		finish(change->done, JOB_REFUSED,
		       stored->offer == OFFER_NONE
			       ? "the launcher gives no configuration that could be accepted"
			       : "the launcher's configuration is not valid; nothing was changed");
		return;
	}
	if (len < SHA_SHORT || strncmp(stored->offer_sha256, change->second, len) != 0) {
		finish(change->done, JOB_REFUSED,
		       "say which: the launcher's configuration has SHA-256 %s (12 digits are "
		       "enough); `config diff` shows what it would change",
		       stored->offer_sha256);
		return;
	}
	take(change, &stored->offer_text);
}

static void do_pin(const struct change *change)
{
	bool pin = strcmp(change->name, "pin") == 0;
	int r = stored_pin(change->state, pin);

	if (r)
		fault(change->done, "nothing was changed", r);
	else
		finish(change->done, JOB_OK,
		       pin ? "what the launcher gives is compared, and taken only when accepted"
			   : "from the next boot on, what the launcher gives replaces what is stored");
}

static void do_confirm(const struct change *change)
{
	int r = stored_confirm(change->state);

	if (r)
		fault(change->done, "the change is not confirmed", r);
	else
		finish(change->done, JOB_OK, "the configuration SHA-256 %s stays",
		       change->stored->sha256);
}

static void do_rollback(const struct change *change)
{
	if (strcmp(change->name, "rollback-trial") == 0 && !change->stored->trial) {
		finish(change->done, JOB_OK, "the change has been confirmed");
		return;
	}
	int r = swap_and_apply(change->state);
	if (r == -ENOENT)
		finish(change->done, JOB_REFUSED, "there is no configuration before this one");
	else if (r)
		fault(change->done, "the configuration before this one is not in force", r);
	else
		finish(change->done, JOB_OK, "the configuration before SHA-256 %s holds again",
		       change->stored->sha256);
}

/* The words of a text with a line for each, as a JSON list. */
static yyjson_mut_val *list_of(yyjson_mut_doc *doc, const char *lines)
{
	yyjson_mut_val *list = yyjson_mut_arr(doc);

	while (*lines) {
		size_t len = strcspn(lines, "\n");

		(void)yyjson_mut_arr_add_strncpy(doc, list, lines, len);
		lines += len + (lines[len] == '\n');
	}
	return list;
}

/* Replace or add a member; a value of nullptr removes it. */
static bool put(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, yyjson_mut_val *value)
{
	(void)yyjson_mut_obj_remove_key(object, key);
	return !value || yyjson_mut_obj_add_val(doc, object, key, value);
}

/* Where a setting stands: object "" is the top. */
static const struct setting {
	const char *name, *object, *key;
	bool list;
	const char *off; /* the word that removes it, or nullptr */
} SETTINGS[] = {
	{ "hostname", "", "hostname", false, nullptr },
	{ "tls-names", "tls", "names", true, "none" },
	{ "dns", "network", "dns", true, "none" },
	{ "ntp", "network", "ntp", true, "none" },
	{ "ssh-sources", "ssh", "sources", true, "any" },
};

/* Change a setting in the JSON. False if that cannot be; says why if it is the person's fault. */
static bool set_in(yyjson_mut_doc *doc, const struct setting *setting, const struct change *change)
{
	yyjson_mut_val *top = yyjson_mut_doc_get_root(doc);
	yyjson_mut_val *object =
		setting->object[0] ? yyjson_mut_obj_get(top, setting->object) : top;
	bool off = setting->off && strcmp(change->second, setting->off) == 0;

	if (!object && strcmp(setting->object, "network") == 0) {
		finish(change->done, JOB_REFUSED,
		       "the network is by DHCP, which gives this too; `config edit` sets a static one");
		return false;
	}
	if (off && setting->object[0] && strcmp(setting->object, "network") != 0)
		return put(doc, top, setting->object, nullptr); /* its one key */
	if (!object) {
		object = yyjson_mut_obj(doc);
		if (!object || !put(doc, top, setting->object, object))
			return false;
	}
	yyjson_mut_val *value = off		? nullptr
				: setting->list ? list_of(doc, change->second)
						: yyjson_mut_strcpy(doc, change->second);
	return (off || value) && put(doc, object, setting->key, value);
}

static void do_set(const struct change *change)
{
	auto_buf struct buf text = buf_make(JOB_ARGUMENT_MAX);
	const struct setting *setting = nullptr;
	size_t len = 0;

	for (size_t i = 0; i < countof(SETTINGS); i++)
		if (strcmp(SETTINGS[i].name, change->name) == 0)
			setting = &SETTINGS[i];
	if (!setting) {
		finish(change->done, JOB_REFUSED,
		       "there is no setting \"%.40s\"; known are hostname, tls-names, dns, ntp and "
		       "ssh-sources, and `config edit` changes the rest",
		       change->name);
		return;
	}
	/* Without YYJSON_READ_INSITU the text is not written to, whatever the prototype says. */
	yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)change->stored->text.data,
					   change->stored->text.len, 0, nullptr, nullptr);
	yyjson_mut_doc *changed = doc ? yyjson_doc_mut_copy(doc, nullptr) : nullptr;
	auto_free char *json =
		changed && set_in(changed, setting, change)
			? yyjson_mut_write(changed, YYJSON_WRITE_PRETTY_TWO_SPACES, &len)
			: nullptr;
	yyjson_mut_doc_free(changed);
	yyjson_doc_free(doc);
	if (!json) {
		if (!change->done->text[0])
			fault(change->done, "nothing was changed", -ENOMEM);
		return;
	}
	buf_add(&text, json, len);
	if (buf_error(&text))
		fault(change->done, "nothing was changed", buf_error(&text));
	else
		take(change, &text);
}

static const struct {
	const char *name;
	void (*run)(const struct change *change);
} CHANGES[] = {
	{ "edit", do_edit },
	{ "accept", do_accept },
	{ "pin", do_pin },
	{ "unpin", do_pin },
	{ "confirm", do_confirm },
	{ "rollback", do_rollback },
	{ "rollback-trial", do_rollback },
};

void config_job_change(const struct job *job, struct job_done *done)
{
	cleanup(stored_free_at) struct stored *stored = nullptr;
	auto_close int state = -1;

	if (!look(done, &state, &stored))
		return;
	struct change change = { state, stored, job->argument, job->second, done };
	if (strncmp(job->argument, "set ", 4) == 0) {
		change.name += 4;
		do_set(&change);
		return;
	}
	for (size_t i = 0; i < countof(CHANGES); i++) {
		if (strcmp(job->argument, CHANGES[i].name) == 0) {
			CHANGES[i].run(&change);
			return;
		}
	}
	finish(done, JOB_REFUSED, "there is no such request");
}

/* --- for the status ----------------------------------------------------------------------------- */

/* A list of texts that is being written. */
struct texts {
	struct buf *to;
	const char *separator;
};

[[gnu::format(printf, 2, 3)]] static void add_text(struct texts *texts, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_add_str(texts->to, texts->separator);
	buf_add_json(texts->to, text, strlen(text));
	texts->separator = ",";
}

/* What the boot has left a note of: "config-taken", "config-restored". "" if it has not. */
static void read_note(const char *name, char ret[256])
{
	auto_buf struct buf text = buf_make(255);
	auto_close int run = -1;

	ret[0] = '\0';
	if (handover_open(&run) == 0 && files_read(run, name, &text) == 0 && buf_text(&text))
		(void)snprintf(ret, 256, "%s", buf_text(&text));
}

static void add_notices(const struct stored *stored, const char *taken, const char *restored,
			const struct era *era, struct texts *to)
{
	if (era->doubtful)
		add_text(to, "%s; if it is right, say `certificate renew`", era->text);
	if (stored->offer == OFFER_DIFFERS)
		add_text(to,
			 "the launcher's configuration differs and was not taken: `config diff`, "
			 "then `config accept %.12s`",
			 stored->offer_sha256);
	if (stored->offer == OFFER_INVALID)
		add_text(to, "the launcher's configuration is not valid and was not taken: %s",
			 stored->offer_why);
	if (!stored->pinned)
		add_text(to, "the configuration is not pinned: the launcher may replace it");
	if (taken[0])
		add_text(to, "the launcher's configuration replaced %.12s at this boot", taken);
	if (restored[0])
		add_text(to, "the last change of the configuration was taken back: %s", restored);
	if (stored->trial)
		add_text(to, "a change of the configuration waits for `config confirm`");
}

/* What belongs into the ledger, once: "CODE TEXT". */
static void add_events(const struct stored *stored, const char *taken, const char *restored,
		       const struct era *era, struct texts *to)
{
	char day[CLOCK_TEXT];

	if (era->doubtful) {
		clock_text_s(era->now_s * 1'000'000, day);
		add_text(to, "appliance.clock.doubtful %.10s: last seen or built at %llu", day,
			 (unsigned long long)era->floor_s);
	}
	if (stored->offer == OFFER_DIFFERS)
		add_text(to, "appliance.config.differs stored %s, launcher's %s, not taken",
			 stored->sha256, stored->offer_sha256);
	if (stored->offer == OFFER_INVALID)
		add_text(to, "appliance.config.invalid stored %s, launcher's %s, not taken: %s",
			 stored->sha256, stored->offer_sha256[0] ? stored->offer_sha256 : "none",
			 stored->offer_why);
	if (taken[0])
		add_text(to, "appliance.config.replaced launcher's %s in place of %s, not pinned",
			 stored->offer_sha256, taken);
	if (restored[0])
		add_text(to, "appliance.config.restored %s holds: %s", stored->sha256, restored);
}

void config_job_describe(int state, struct buf *ret)
{
	cleanup(stored_free_at) struct stored *stored = nullptr;
	struct texts texts = { ret, "" };
	char taken[256], restored[256];
	struct era era;

	if (stored_look(state, &stored) || stored->text.len == 0)
		return;
	era_look(state, &era);
	read_note("config-taken", taken);
	read_note("config-restored", restored);
	buf_addf(ret, ",\"config_trial\":%s,\"notices\":[", stored->trial ? "true" : "false");
	add_notices(stored, taken, restored, &era, &texts);
	buf_add_str(ret, "],\"events\":[");
	texts.separator = "";
	add_events(stored, taken, restored, &era, &texts);
	buf_add_str(ret, "]");
}
