/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/frontlink.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "appliance/accounts/access.h"
#include "appliance/accounts/accounts.h"
#include "appliance/accounts/apikey.h"
#include "appliance/accounts/rate.h"
#include "appliance/accounts/store.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/channel.h"
#include "common/clock.h"
#include "common/crypto/crypto.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/msg.h"
#include "common/proto/access.h"
#include "common/proto/audit.h"
#include "common/proto/operations.h"

constexpr uint64_t RETRY_FIRST_US = 200'000; /* front leaves and comes anew once a boot */
constexpr uint64_t RETRY_MAX_US = 5'000'000;
constexpr uint64_t USED_EVERY_US = 60'000'000; /* last_used is written at most so often */
constexpr uint64_t TELL_EVERY_US = 5'000'000;
constexpr uint32_t CHECK_MAX = sizeof(struct access_check) + 64;

struct frontlink {
	struct loop_source *tell;
	struct accounts *accounts;
	struct channel *channel;
	struct loop_source *retry;
	uint64_t retry_us;
	bool missed; /* that front is not there has been logged */
};

/* Why a request is refused; the first match decides. */
enum refusal {
	ALLOWED,
	KEY_MISSING,
	KEY_MALFORMED,
	KEY_UNKNOWN,
	KEY_SUSPENDED,
	KEY_EXPIRED,
	OWNER_SUSPENDED,
	NOT_PRIVILEGED,
	TOO_MANY,
	FAULT,
	NOT_FOUND, /* granted, and front answers 404 or 405 */
	REFUSAL_COUNT,
};

static const struct {
	uint16_t http_status;
	const char *error_type;
	const char *message; /* for people; "" where it names the privilege */
} REFUSALS[REFUSAL_COUNT] = {
	[ALLOWED] = { 200, "", "" },
	[KEY_MISSING] = { 401, "AUTHEXCEPTION",
			  "No API key: send the header \"Authorization: ApiKey <key>\"." },
	[KEY_MALFORMED] = { 401, "AUTHEXCEPTION",
			    "This is not an API key of this appliance; it may be mistyped or cut off." },
	[KEY_UNKNOWN] = { 401, "AUTHEXCEPTION",
			  "The API key is not known here; it may have been deleted." },
	[KEY_SUSPENDED] = { 401, "AUTHEXCEPTION",
			    "The API key is suspended; its owner can make it active again." },
	[KEY_EXPIRED] = { 401, "AUTHEXCEPTION", "The API key has expired; make a new one." },
	[OWNER_SUSPENDED] = { 401, "AUTHEXCEPTION", "The owner of the API key is suspended." },
	[NOT_PRIVILEGED] = { 403, "FORBIDDEN", "" },
	[TOO_MANY] = { 429, "RATELIMITEXCEEDED",
		       "Too many refused requests from this network or with this key; try again in a minute." },
	[FAULT] = { 503, "SERVICEUNAVAILABLE",
		    "Access cannot be checked right now; try again in a moment." },
	[NOT_FOUND] = { 404, "NOTFOUND", "" },
};

static const char MANY_CODE[] = "access.denied";
static const char LEDGER_DOWN[] =
	"The audit ledger cannot record requests right now, so nothing is "
	"allowed; try again in a moment.";

/* Whom the key belongs to, as far as that is known. */
struct found {
	struct api_key_row key;
	struct person owner;
	struct access_who who;
};

/* Look the key up. Fills ret as far as it gets. */
static enum refusal find_key(struct accounts *accounts, const char *text, struct found *ret)
{
	uint8_t hash[CRYPTO_HASH];
	size_t len = strlen(text);

	if (len == 0)
		return KEY_MISSING;
	if (!apikey_is_sound(text, len))
		return KEY_MALFORMED;

	int r = apikey_hash(text, len, hash);
	if (r == 0)
		r = store_api_key_by_hash(accounts->store, hash, &ret->key);
	if (r == STORE_NOT_FOUND)
		return KEY_UNKNOWN;
	if (r == 0)
		r = store_person(accounts->store, ret->key.owner, &ret->owner);
	if (r) {
		accounts_store_fault(accounts, r < 0 ? r : -EIO, "API key not looked up");
		return FAULT;
	}
	ret->who = (struct access_who) { .roles = ret->owner.roles,
					 .by_key = true,
					 .key_role = ret->key.role };
	return ALLOWED;
}

static enum refusal decide(struct accounts *accounts, const struct access_check *check,
			   struct found *ret)
{
	enum refusal refusal = find_key(accounts, check->api_key, ret);

	if (refusal != ALLOWED)
		return refusal;
	if (ret->key.state != API_KEY_ACTIVE)
		return KEY_SUSPENDED;
	if (ret->key.expires_us > 0 && ret->key.expires_us <= clock_wall_us())
		return KEY_EXPIRED;
	if (ret->owner.state != PERSON_ACTIVE)
		return OWNER_SUSPENDED;
	if (!access_check(&ret->who, OPERATIONS[check->op].privilege, check->workspace))
		return NOT_PRIVILEGED;
	return ALLOWED;
}

/* Start the event about a request. */
static void start_event(struct accounts *accounts, const struct access_check *check,
			const struct found *found)
{
	bool known = found->key.owner[0] != '\0';
	char actor[ACCESS_NAME_MAX] = "";

	if (known)
		(void)snprintf(actor, sizeof(actor), "%s/%s", found->key.owner, found->key.id);

	struct audit_event *event = accounts_event(accounts, OPERATIONS[check->op].code,
						   known ? "api-key" : "anonymous", actor);
	accounts_field(event->source, sizeof(event->source), check->source);
	accounts_field(event->target, sizeof(event->target), check->workspace);
	accounts_field(event->request_id, sizeof(event->request_id), check->request_id);
}

static void set_denied(struct access_denied *ret, enum refusal refusal, const char *message)
{
	ret->http_status = REFUSALS[refusal].http_status;
	(void)snprintf(ret->error_type, sizeof(ret->error_type), "%s",
		       REFUSALS[refusal].error_type);
	(void)snprintf(ret->message, sizeof(ret->message), "%s", message);
}

/* Count a refusal against its network and its key. Returns it, or TOO_MANY. */
static enum refusal count(struct accounts *accounts, const struct access_check *check,
			  const struct found *found, enum refusal refusal)
{
	uint64_t now_us = clock_mono_us();
	uint8_t key[RATE_KEY];

	if (refusal == FAULT)
		return refusal;
	rate_key_address(check->source, key);
	bool many = rate_count(&accounts->rate, key, now_us) != RATE_COUNTED;
	if (found->key.id[0]) {
		rate_key_api_key(found->key.id, key);
		many |= rate_count(&accounts->rate, key, now_us) != RATE_COUNTED;
	}
	return many ? TOO_MANY : refusal;
}

/* Record refusals of a kind that were counted. Returns 0 or as accounts_record(). */
static int tell_counted(struct accounts *accounts, const struct denial *denial)
{
	char number[24], first[CLOCK_TEXT], last[CLOCK_TEXT];
	const char *const detail[] = { "reason",
				       denial->reason == NOT_PRIVILEGED
					       ? privilege_name(OPERATIONS[denial->op].privilege)
					       : REFUSALS[denial->reason].message,
				       "count",
				       number,
				       "first",
				       first,
				       "last",
				       last };
	const char *code = denial->reason == TOO_MANY ? MANY_CODE : OPERATIONS[denial->op].code;
	struct audit_event *event = accounts_event(
		accounts, code, denial->actor[0] ? "api-key" : "anonymous", denial->actor);

	(void)snprintf(number, sizeof(number), "%llu", (unsigned long long)denial->count);
	clock_text_us(denial->first_us, first);
	clock_text_us(denial->last_us, last);
	accounts_field(event->source, sizeof(event->source), denial->source);
	accounts_field(event->target, sizeof(event->target), denial->target);
	accounts_detail(accounts, detail, 4);
	return accounts_record(accounts, denial->allowed ? AUDIT_ALLOW : AUDIT_DENY, AUDIT_FAILED,
			       AUDIT_NO_INTENT, nullptr);
}

void frontlink_tell(struct accounts *accounts, bool all)
{
	struct denial *denial;

	/* What the ledger does not take now is told later. */
	while ((denial = denials_due(&accounts->denials, clock_mono_us(), all)) &&
	       tell_counted(accounts, denial) == 0)
		*denial = (struct denial) {};
}

/* Record a refusal, or count it with others of its kind. Returns 0 or as accounts_record(). */
static int tell(struct accounts *accounts, const struct access_check *check,
		const struct found *found, enum refusal refusal, const char *message)
{
	struct denial like = { .reason = (uint8_t)refusal,
			       .op = refusal == TOO_MANY ? (uint16_t)OP_NONE : check->op,
			       .allowed = refusal == NOT_FOUND };
	const char *const detail[] = { "reason", message, "user_agent", check->user_agent };
	struct denial older;

	if (found->key.owner[0])
		(void)snprintf(like.actor, sizeof(like.actor), "%s/%s", found->key.owner,
			       found->key.id);
	rate_key_address(check->source, like.network);
	accounts_field(like.source, sizeof(like.source), check->source);
	accounts_field(like.target, sizeof(like.target), check->workspace);
	bool first =
		denials_note(&accounts->denials, &like, clock_mono_us(), clock_wall_us(), &older);
	/* If that cannot be recorded, so can nothing now; the journal has it. */
	if (older.count > 0)
		(void)!tell_counted(accounts, &older);
	if (!first)
		return 0;

	start_event(accounts, check, found);
	if (refusal == TOO_MANY)
		accounts_field(accounts->event.code, sizeof(accounts->event.code), MANY_CODE);
	if (!like.allowed)
		accounts_detail(accounts, detail, 2);
	int r = accounts_record(accounts, like.allowed ? AUDIT_ALLOW : AUDIT_DENY, AUDIT_FAILED,
				AUDIT_NO_INTENT, nullptr);
	if (r)
		denials_forget(&accounts->denials, &like);
	return r;
}

/* Say the refusal, or what else it is when the ledger has not taken it. */
static void say_denied(struct access_denied *ret, enum refusal refusal, int recorded,
		       const char *message)
{
	if (recorded == AUDIT_TOO_MUCH)
		set_denied(ret, TOO_MANY, REFUSALS[TOO_MANY].message);
	else if (recorded)
		set_denied(ret, FAULT, LEDGER_DOWN);
	else
		set_denied(ret, refusal, message);
}

/* Count the refusal, record it, and say it. */
static void deny(struct accounts *accounts, const struct access_check *check,
		 const struct found *found, enum refusal refusal, struct access_denied *ret)
{
	const char *privilege = privilege_name(OPERATIONS[check->op].privilege);
	char message[ACCESS_NAME_MAX];

	refusal = count(accounts, check, found, refusal);
	(void)snprintf(message, sizeof(message), "%s", REFUSALS[refusal].message);
	if (refusal == NOT_PRIVILEGED)
		(void)snprintf(message, sizeof(message),
			       "The API key's role, or its owner's, lacks the privilege %s.",
			       privilege);
	int r = tell(accounts, check, found, refusal, message);
	say_denied(ret, refusal, r, message);
}

/* Who may do this one request, as of now. */
static void set_grant(struct grant *ret, const struct access_check *check,
		      const struct found *found)
{
	*ret = (struct grant) { .op = check->op,
				.privileges = access_rights(&found->who),
				.issued_us = clock_mono_us() };
	(void)snprintf(ret->workspace, sizeof(ret->workspace), "%s", check->workspace);
	(void)snprintf(ret->request_id, sizeof(ret->request_id), "%s", check->request_id);
	(void)snprintf(ret->person, sizeof(ret->person), "%s", found->owner.name);
	(void)snprintf(ret->email, sizeof(ret->email), "%s", found->owner.email);
	(void)snprintf(ret->key_id, sizeof(ret->key_id), "%s", found->key.id);
	(void)snprintf(ret->key_name, sizeof(ret->key_name), "%s", found->key.name);
	(void)snprintf(ret->role, sizeof(ret->role), "%s", access_role_name(found->key.role));
	(void)snprintf(ret->source, sizeof(ret->source), "%s", check->source);
	(void)snprintf(ret->user_agent, sizeof(ret->user_agent), "%s", check->user_agent);
}

/* Note, at most once a minute, that the key is in use. Failing at it does not fail the request. */
static void note_use(struct accounts *accounts, const struct found *found)
{
	uint64_t now = clock_wall_us();

	if (now - found->key.last_used_us < USED_EVERY_US && now >= found->key.last_used_us)
		return;
	int r = store_api_key_used(accounts->store, found->key.row, now);
	if (r < 0)
		accounts_store_fault(accounts, r, "use of an API key not noted");
}

uint16_t frontlink_decide(struct accounts *accounts, const struct access_check *check,
			  struct grant *ret_grant, struct access_denied *ret_denied)
{
	struct found found = {};
	enum refusal refusal = decide(accounts, check, &found);

	if (refusal != ALLOWED) {
		deny(accounts, check, &found, refusal, ret_denied);
		return ACCESS_DENIED;
	}
	/* Front answers these itself, with 404, and cannot write to the ledger: so it is done here. */
	if (check->op == OP_NONE) {
		refusal = count(accounts, check, &found, NOT_FOUND);
		int r = tell(accounts, check, &found, refusal, "");

		if (r || refusal == TOO_MANY) {
			say_denied(ret_denied, refusal, r, REFUSALS[TOO_MANY].message);
			return ACCESS_DENIED;
		}
	}
	note_use(accounts, &found);
	set_grant(ret_grant, check, &found);
	return ACCESS_GRANTED;
}

static int on_check(struct channel *channel, void *server, struct msg *in)
{
	struct frontlink *link = server;
	struct accounts *accounts = link->accounts;
	auto_buf struct buf answer = buf_make(ACCESS_GRANT_MAX);
	auto_free struct access_check *check = calloc(1, sizeof(*check));
	auto_free struct grant *grant = calloc(1, sizeof(*grant));
	struct access_denied denied = {};

	if (!check || !grant)
		return -ENOMEM;
	bool sound = access_check_read(in->payload, in->len, check);
	uint16_t type = sound ? frontlink_decide(accounts, check, grant, &denied) : (uint16_t)0;
	explicit_bzero(check->api_key, sizeof(check->api_key));
	if (!sound)
		return MSG_MALFORMED;

	if (type == ACCESS_GRANTED && grant_seal(&answer, grant, &accounts->grant_key)) {
		buf_clear(&answer);
		set_denied(&denied, FAULT, REFUSALS[FAULT].message);
		type = ACCESS_DENIED;
	}
	if (type == ACCESS_DENIED)
		access_denied_write(&answer, &denied);
	return channel_send(channel, type, in->id, &answer, -1);
}

static void on_closed(struct channel *channel, void *server)
{
	struct frontlink *link = server;

	(void)channel;
	link->channel = nullptr;
	link->retry_us = RETRY_FIRST_US;
	if (loop_timer_again(link->retry, link->retry_us) < 0)
		loop_end(link->accounts->loop, -EIO); /* without front we are of no use */
}

static const struct channel_request REQUESTS[] = {
	{ ACCESS_CHECK, 1u << 0, 2 + 5 * 4, CHECK_MAX, on_check },
};
static const struct channel_table TABLE = { "front", REQUESTS, countof(REQUESTS), nullptr,
					    on_closed };

static int on_retry(void *userdata)
{
	struct frontlink *link = userdata;
	int fd = -1;

	int r = msg_connect("front-accounts.sock", &fd);
	if (r == 0)
		r = channel_new(link->accounts->loop, fd, 0, &TABLE, link, &link->channel);
	if (r == 0) {
		link->missed = false;
		return 0;
	}
	if (!link->missed)
		log_event(LOG_NOTICE, EVENT_CONNECTION_LOST, r, "front is not there yet",
			  "front-accounts.sock");
	link->missed = true;
	link->retry_us = link->retry_us < RETRY_MAX_US / 2 ? link->retry_us * 2 : RETRY_MAX_US;
	return loop_timer_again(link->retry, link->retry_us);
}

static int on_tell(void *userdata)
{
	struct frontlink *link = userdata;

	frontlink_tell(link->accounts, false);
	return loop_timer_again(link->tell, TELL_EVERY_US);
}

int frontlink_new(struct accounts *accounts, struct frontlink **ret)
{
	cleanup(frontlink_free_at) struct frontlink *link = calloc(1, sizeof(*link));

	if (!link)
		return -ENOMEM;
	link->accounts = accounts;
	link->retry_us = RETRY_FIRST_US;
	int r = loop_timer(accounts->loop, 0, on_retry, link, &link->retry);
	if (r == 0)
		r = loop_timer(accounts->loop, TELL_EVERY_US, on_tell, link, &link->tell);
	if (r)
		return r;
	*ret = TAKE(link);
	return 0;
}

struct frontlink *frontlink_free(struct frontlink *link)
{
	if (!link)
		return nullptr;
	link->channel = channel_free(link->channel);
	if (link->tell)
		frontlink_tell(link->accounts, true);
	link->tell = loop_source_free(link->tell);
	link->retry = loop_source_free(link->retry);
	free(link);
	return nullptr;
}
