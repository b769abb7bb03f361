/* SPDX-License-Identifier: Apache-2.0 */

/* frontlink: what each kind of key may do, what is answered, and what the ledger has before the answer. */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/apikey.h"
#include "appliance/accounts/frontlink.h"
#include "appliance/accounts/rate.h"
#include "common/base.h"
#include "common/clock.h"
#include "common/proto/access.h"
#include "common/secret.h"
#include "tests/lib/tap.h"
#include "tests/unit/accounts-fixture.h"

/* One request and its answer. */
struct asked {
	struct access_check check;
	struct grant grant;
	struct access_denied denied;
};

/* Make a key for owner; its text goes into the request. */
static int make_key(struct fixture *fixture, const char *owner, enum role role, uint64_t expires_us,
		    struct asked *asked)
{
	auto_secret struct secret text = {};
	struct api_key_row row = { .name = "etl", .role = role, .expires_us = expires_us };
	uint8_t hash[CRYPTO_HASH];

	(void)snprintf(row.owner, sizeof(row.owner), "%s", owner);
	row.created_us = clock_wall_us();
	int r = apikey_make(&text);
	if (r == 0)
		r = apikey_hash((const char *)text.data, APIKEY_LEN, hash);
	if (r)
		return r;
	apikey_id((const char *)text.data, row.id);
	(void)snprintf(asked->check.api_key, sizeof(asked->check.api_key), "%s",
		       (const char *)text.data);
	return store_api_key_add(fixture->accounts.store, &row, hash);
}

static struct asked *asked_new(enum operation op)
{
	struct asked *asked = calloc(1, sizeof(*asked));

	if (!asked)
		return nullptr;
	asked->check.op = op;
	(void)snprintf(asked->check.workspace, sizeof(asked->check.workspace), "commons");
	(void)snprintf(asked->check.source, sizeof(asked->check.source), "192.0.2.7:4711");
	(void)snprintf(asked->check.request_id, sizeof(asked->check.request_id),
		       "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
	(void)snprintf(asked->check.user_agent, sizeof(asked->check.user_agent), "curl/8");
	return asked;
}

static uint16_t ask(struct fixture *fixture, struct asked *asked)
{
	memset(&asked->denied, 0, sizeof(asked->denied));
	return frontlink_decide(&fixture->accounts, &asked->check, &asked->grant, &asked->denied);
}

/* Whether the request is denied so, and the ledger says so. */
static bool denied_as(struct fixture *fixture, struct asked *asked, uint16_t status,
		      const char *type, const char *actor)
{
	size_t before = ledger_count(fixture->ledger);

	CHECK_EQ(ask(fixture, asked), ACCESS_DENIED);
	CHECK_EQ(asked->denied.http_status, status);
	CHECK(strcmp(asked->denied.error_type, type) == 0);
	CHECK(asked->denied.message[0] != '\0');
	CHECK_EQ(ledger_count(fixture->ledger), before + 1);
	const struct audit_event *event = fixture_last(fixture);
	CHECK_EQ(event->decision, AUDIT_DENY);
	CHECK(strncmp(event->actor, actor, strlen(actor)) == 0);
	CHECK(strcmp(event->source, "192.0.2.7:4711") == 0);
	CHECK(strcmp(event->request_id, asked->check.request_id) == 0);
	CHECK(strstr(event->detail, "curl/8"));
	/* Never the key itself. */
	CHECK(asked->check.api_key[0] == '\0' || !strstr(event->detail, asked->check.api_key));
	return true;
}

static bool a_good_key_gets_a_grant_with_the_rights_of_key_and_owner(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *asked = asked_new(OP_QUERY);

	CHECK(fixture && asked);
	CHECK_EQ(make_key(fixture, "ann", ROLE_READ_ONLY, 0, asked), 0);
	CHECK_EQ(ask(fixture, asked), ACCESS_GRANTED);
	CHECK_EQ(asked->grant.op, OP_QUERY);
	CHECK_EQ(asked->grant.privileges, access_role_rights(ROLE_READ_ONLY));
	CHECK(strcmp(asked->grant.person, "ann") == 0);
	CHECK(strcmp(asked->grant.email, "ann@example.org") == 0);
	CHECK(strcmp(asked->grant.role, "read-only") == 0);
	CHECK(strcmp(asked->grant.key_name, "etl") == 0);
	CHECK(strcmp(asked->grant.workspace, "commons") == 0);
	CHECK(strncmp(asked->check.api_key, asked->grant.key_id, 10) == 0);
	CHECK(asked->grant.issued_us <= clock_mono_us());
	CHECK_EQ(ledger_count(fixture->ledger), (size_t)0); /* engine records what is allowed */
	return true;
}

static bool the_use_of_a_key_is_noted_once_a_minute(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *asked = asked_new(OP_QUERY);
	struct api_key_row first, second;

	CHECK(fixture && asked);
	CHECK_EQ(make_key(fixture, "ann", ROLE_ADMIN, 0, asked), 0);
	CHECK_EQ(ask(fixture, asked), ACCESS_GRANTED);
	CHECK_EQ(store_api_key(fixture->accounts.store, "ann", "etl", &first), 0);
	CHECK(first.last_used_us > 0);
	CHECK_EQ(ask(fixture, asked), ACCESS_GRANTED);
	CHECK_EQ(store_api_key(fixture->accounts.store, "ann", "etl", &second), 0);
	CHECK_EQ(second.last_used_us, first.last_used_us);
	CHECK_EQ(store_api_key_used(fixture->accounts.store, first.row,
				    first.last_used_us - 61'000'000),
		 0);
	CHECK_EQ(ask(fixture, asked), ACCESS_GRANTED);
	CHECK_EQ(store_api_key(fixture->accounts.store, "ann", "etl", &second), 0);
	CHECK(second.last_used_us >= first.last_used_us);
	return true;
}

static bool no_key_a_mistyped_one_and_an_unknown_one_are_401(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *asked = asked_new(OP_QUERY);
	auto_secret struct secret stranger = {};

	CHECK(fixture && asked);
	CHECK(denied_as(fixture, asked, 401, "AUTHEXCEPTION", ""));
	(void)snprintf(asked->check.api_key, sizeof(asked->check.api_key), "not a key");
	CHECK(denied_as(fixture, asked, 401, "AUTHEXCEPTION", ""));
	CHECK_EQ(apikey_make(&stranger), 0);
	(void)snprintf(asked->check.api_key, sizeof(asked->check.api_key), "%s",
		       (const char *)stranger.data);
	CHECK(denied_as(fixture, asked, 401, "AUTHEXCEPTION", ""));
	CHECK(strcmp(fixture->last.actor_kind, "anonymous") == 0);
	return true;
}

static bool suspended_and_expired_keys_and_those_of_suspended_people_are_401_at_once(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *asked = asked_new(OP_QUERY);
	auto_free struct asked *expired = asked_new(OP_QUERY);

	CHECK(fixture && asked && expired);
	struct store *store = fixture->accounts.store;
	CHECK_EQ(make_key(fixture, "bob", ROLE_MEMBER, 0, asked), 0);
	CHECK_EQ(ask(fixture, asked), ACCESS_GRANTED);

	CHECK_EQ(store_api_key_set_state(store, "bob", "etl", API_KEY_SUSPENDED), 0);
	CHECK(denied_as(fixture, asked, 401, "AUTHEXCEPTION", "bob/rdt_"));
	CHECK(strstr(asked->denied.message, "suspended"));
	CHECK_EQ(store_api_key_set_state(store, "bob", "etl", API_KEY_ACTIVE), 0);
	CHECK_EQ(ask(fixture, asked), ACCESS_GRANTED);

	CHECK_EQ(store_person_set_state(store, "bob", PERSON_SUSPENDED), 0);
	CHECK(denied_as(fixture, asked, 401, "AUTHEXCEPTION", "bob/rdt_"));
	CHECK(strstr(asked->denied.message, "owner"));

	CHECK_EQ(make_key(fixture, "ann", ROLE_MEMBER, clock_wall_us() - 1, expired), 0);
	CHECK(denied_as(fixture, expired, 401, "AUTHEXCEPTION", "ann/rdt_"));
	CHECK(strstr(expired->denied.message, "expired"));

	CHECK_EQ(store_person_set_state(store, "bob", PERSON_ACTIVE), 0);
	CHECK_EQ(store_api_key_delete(store, "bob", "etl"), 0);
	CHECK(denied_as(fixture, asked, 401, "AUTHEXCEPTION", ""));
	return true;
}

static bool a_missing_privilege_is_403_and_named(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *asked = asked_new(OP_DOCUMENTS_ADD);

	CHECK(fixture && asked);
	CHECK_EQ(make_key(fixture, "ann", ROLE_READ_ONLY, 0, asked), 0);
	CHECK(denied_as(fixture, asked, 403, "FORBIDDEN", "ann/rdt_"));
	CHECK(strstr(asked->denied.message, "WRITE_DATA_WS"));
	CHECK(strcmp(fixture->last.code, "api.documents.add") == 0);
	CHECK(strcmp(fixture->last.target, "commons") == 0);
	return true;
}

static bool demoting_the_owner_demotes_the_key_at_once(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *asked = asked_new(OP_DOCUMENTS_ADD);

	CHECK(fixture && asked);
	CHECK_EQ(make_key(fixture, "bob", ROLE_MEMBER, 0, asked), 0);
	CHECK_EQ(ask(fixture, asked), ACCESS_GRANTED);
	CHECK_EQ(store_person_set_roles(fixture->accounts.store, "bob", role_bit(ROLE_READ_ONLY)),
		 0);
	CHECK(denied_as(fixture, asked, 403, "FORBIDDEN", "bob/rdt_"));
	return true;
}

static bool an_unknown_route_needs_a_key_and_is_recorded(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *asked = asked_new(OP_NONE);

	CHECK(fixture && asked);
	CHECK(denied_as(fixture, asked, 401, "AUTHEXCEPTION", ""));
	CHECK_EQ(make_key(fixture, "bob", ROLE_READ_ONLY, 0, asked), 0);
	CHECK_EQ(ask(fixture, asked), ACCESS_GRANTED);
	CHECK(strcmp(fixture_last(fixture)->code, "api.unknown") == 0);
	CHECK_EQ(fixture->last.decision, AUDIT_ALLOW);
	return true;
}

static bool without_the_ledger_a_denial_is_503_and_an_unknown_route_is_not_granted(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *asked = asked_new(OP_NONE);

	CHECK(fixture && asked);
	ledger_refuse(fixture->ledger, true);
	CHECK_EQ(ask(fixture, asked), ACCESS_DENIED);
	CHECK_EQ(asked->denied.http_status, 503);
	CHECK(strcmp(asked->denied.error_type, "SERVICEUNAVAILABLE") == 0);
	CHECK_EQ(make_key(fixture, "bob", ROLE_READ_ONLY, 0, asked), 0);
	CHECK_EQ(ask(fixture, asked), ACCESS_DENIED);
	CHECK_EQ(asked->denied.http_status, 503);
	ledger_refuse(fixture->ledger, false);
	CHECK_EQ(ask(fixture, asked), ACCESS_GRANTED);
	return true;
}

static bool many_wrong_keys_are_429_but_a_good_one_from_there_still_works(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *bad = asked_new(OP_QUERY), *good = asked_new(OP_QUERY);

	CHECK(fixture && bad && good);
	CHECK_EQ(make_key(fixture, "bob", ROLE_MEMBER, 0, good), 0);
	CHECK(denied_as(fixture, bad, 401, "AUTHEXCEPTION", ""));
	for (unsigned int i = 1; i < RATE_MAX; i++) {
		CHECK_EQ(ask(fixture, bad), ACCESS_DENIED);
		CHECK_EQ(bad->denied.http_status, 401);
	}
	CHECK(denied_as(fixture, bad, 429, "RATELIMITEXCEEDED", "")); /* recorded, once */
	size_t recorded = ledger_count(fixture->ledger);
	for (int i = 0; i < 1000; i++) {
		bad->check.op = i % 2 ? OP_QUERY : OP_USER_SELF;
		CHECK_EQ(ask(fixture, bad), ACCESS_DENIED);
		CHECK_EQ(bad->denied.http_status, 429);
	}
	CHECK_EQ(ledger_count(fixture->ledger), recorded);
	CHECK_EQ(ask(fixture, good), ACCESS_GRANTED);
	return true;
}

static bool refusals_of_one_kind_are_one_entry_and_then_another_with_their_number(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *asked = asked_new(OP_DOCUMENTS_ADD);

	CHECK(fixture && asked);
	CHECK_EQ(make_key(fixture, "bob", ROLE_READ_ONLY, 0, asked), 0);
	CHECK(denied_as(fixture, asked, 403, "FORBIDDEN", "bob/rdt_"));
	for (int i = 0; i < 7; i++)
		CHECK_EQ(ask(fixture, asked), ACCESS_DENIED);
	CHECK_EQ(ledger_count(fixture->ledger), (size_t)1);
	frontlink_tell(&fixture->accounts, false); /* the minute has not passed */
	CHECK_EQ(ledger_count(fixture->ledger), (size_t)1);
	frontlink_tell(&fixture->accounts, true);
	CHECK_EQ(ledger_count(fixture->ledger), (size_t)2);
	const struct audit_event *event = fixture_last(fixture);
	CHECK_EQ(event->decision, AUDIT_DENY);
	CHECK(strcmp(event->code, "api.documents.add") == 0);
	CHECK(strncmp(event->actor, "bob/rdt_", 8) == 0);
	CHECK(strstr(event->detail, "\"count\":\"7\",\"first\":\"20"));
	frontlink_tell(&fixture->accounts, true);
	CHECK_EQ(ledger_count(fixture->ledger), (size_t)2);
	return true;
}

static bool many_of_403_and_404_are_429_for_that_key_from_anywhere(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *asked = asked_new(OP_NONE);

	CHECK(fixture && asked);
	CHECK_EQ(make_key(fixture, "bob", ROLE_READ_ONLY, 0, asked), 0);
	for (unsigned int i = 0; i < RATE_MAX; i++) {
		asked->check.op = i % 2 ? OP_NONE : OP_DOCUMENTS_ADD;
		(void)snprintf(asked->check.source, sizeof(asked->check.source), "10.0.0.%u:1", i);
		(void)ask(fixture, asked);
	}
	size_t recorded = ledger_count(fixture->ledger);
	for (unsigned int i = 0; i < 1000; i++) {
		asked->check.op = i % 2 ? OP_NONE : OP_DOCUMENTS_ADD;
		CHECK_EQ(ask(fixture, asked), ACCESS_DENIED);
		CHECK_EQ(asked->denied.http_status, 429);
	}
	CHECK_EQ(ledger_count(fixture->ledger), recorded + 1);
	/* What it may do it still may. */
	asked->check.op = OP_QUERY;
	CHECK_EQ(ask(fixture, asked), ACCESS_GRANTED);
	return true;
}

static bool counted_refusals_are_kept_while_the_ledger_takes_nothing(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *asked = asked_new(OP_DOCUMENTS_ADD);

	CHECK(fixture && asked);
	CHECK_EQ(make_key(fixture, "bob", ROLE_READ_ONLY, 0, asked), 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(ask(fixture, asked), ACCESS_DENIED);
	ledger_refuse(fixture->ledger, true);
	frontlink_tell(&fixture->accounts, true);
	ledger_refuse(fixture->ledger, false);
	CHECK_EQ(ledger_count(fixture->ledger), (size_t)1);
	frontlink_tell(&fixture->accounts, true);
	CHECK(strstr(fixture_last(fixture)->detail, "\"count\":\"2\""));
	return true;
}

static bool an_endless_user_agent_of_quotes_fits_the_event(void)
{
	cleanup(fixture_free_at) struct fixture *fixture = fixture_new();
	auto_free struct asked *asked = asked_new(OP_QUERY);

	CHECK(fixture && asked);
	memset(asked->check.user_agent, '"', sizeof(asked->check.user_agent) - 1);
	CHECK_EQ(ask(fixture, asked), ACCESS_DENIED);
	CHECK_EQ(asked->denied.http_status, 401);
	CHECK(strstr(fixture_last(fixture)->detail, "\\\"\\\"\"}"));
	return true;
}

int main(void)
{
	RUN(a_good_key_gets_a_grant_with_the_rights_of_key_and_owner);
	RUN(the_use_of_a_key_is_noted_once_a_minute);
	RUN(no_key_a_mistyped_one_and_an_unknown_one_are_401);
	RUN(suspended_and_expired_keys_and_those_of_suspended_people_are_401_at_once);
	RUN(a_missing_privilege_is_403_and_named);
	RUN(demoting_the_owner_demotes_the_key_at_once);
	RUN(an_unknown_route_needs_a_key_and_is_recorded);
	RUN(without_the_ledger_a_denial_is_503_and_an_unknown_route_is_not_granted);
	RUN(many_wrong_keys_are_429_but_a_good_one_from_there_still_works);
	RUN(refusals_of_one_kind_are_one_entry_and_then_another_with_their_number);
	RUN(many_of_403_and_404_are_429_for_that_key_from_anywhere);
	RUN(counted_refusals_are_kept_while_the_ledger_takes_nothing);
	RUN(an_endless_user_agent_of_quotes_fits_the_event);
	return tap_done();
}
