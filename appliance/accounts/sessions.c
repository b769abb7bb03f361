/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/sessions.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/accounts.h"
#include "appliance/bus/bus.h"
#include "common/base.h"
#include "common/clock.h"
#include "common/loop.h"
#include "common/proto/audit.h"
#include "common/proto/tally.h"

constexpr size_t OFFERS_MAX = 32;
constexpr size_t KINDS_MAX =
	64; /* told apart within a minute; what is above that is counted together */
constexpr uint64_t TICK_US = 5'000'000;
constexpr uint64_t US_PER_S = 1'000'000;

struct session {
	struct session *next;
	struct sessions *sessions;
	struct bus_watch *watch;
	char *sender;
	uint64_t opened_us;
	struct session_form form;
};

struct offer {
	uint64_t at_us; /* 0: free */
	char person[NAME_PERSON_MAX + 1];
	char fingerprint[ACCESS_NAME_MAX], peer[ACCESS_SOURCE_MAX];
};

struct sessions {
	struct accounts *accounts;
	struct loop_source *tick;
	struct tally *tally;
	struct session *first;
	size_t n;
	struct offer offer[OFFERS_MAX];
	struct audit_event due; /* too large for the stack */
};

static int on_tick(void *userdata)
{
	struct sessions *sessions = userdata;

	sessions_tick(sessions, clock_mono_us());
	return loop_timer_again(sessions->tick, TICK_US);
}

int sessions_new(struct accounts *accounts, struct sessions **ret)
{
	cleanup(sessions_free_at) struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (!sessions)
		return -ENOMEM;
	sessions->accounts = accounts;
	int r = tally_new(KINDS_MAX, &sessions->tally);
	if (r == 0 && accounts->loop)
		r = loop_timer(accounts->loop, TICK_US, on_tick, sessions, &sessions->tick);
	if (r)
		return r;
	*ret = TAKE(sessions);
	return 0;
}

/* Take a session out and free it. */
static void forget(struct session *session)
{
	struct session **at = &session->sessions->first;

	while (*at && *at != session)
		at = &(*at)->next;
	if (*at) {
		*at = session->next;
		session->sessions->n--;
	}
	session->watch = bus_watch_free(session->watch);
	free(session->sender);
	free(session);
}

struct sessions *sessions_free(struct sessions *sessions)
{
	if (!sessions)
		return nullptr;
	sessions->tick = loop_source_free(sessions->tick);
	if (sessions->tally && sessions->accounts->audit)
		sessions_tick(sessions, UINT64_MAX);
	while (sessions->first)
		forget(sessions->first);
	sessions->tally = tally_free(sessions->tally);
	free(sessions);
	return nullptr;
}

/* Fill in the event of a session's beginning or end. */
static void describe(struct sessions *sessions, const char *code, const struct session_form *form,
		     const char *seconds)
{
	struct accounts *accounts = sessions->accounts;
	struct audit_event *event = accounts_event(accounts, code, "person", form->person);
	const char *const detail[] = { "key",	   form->fingerprint, "on",	 form->what,
				       "terminal", form->terminal,    "seconds", seconds };

	accounts_field(event->source, sizeof(event->source),
		       form->peer[0] ? form->peer : form->terminal);
	accounts_detail(accounts, detail, seconds[0] ? 4 : 3);
}

/* Record the end of a session and forget it. */
static void finish(struct session *session)
{
	struct sessions *sessions = session->sessions;
	char seconds[24];

	(void)snprintf(seconds, sizeof(seconds), "%" PRIu64,
		       (clock_mono_us() - session->opened_us) / US_PER_S);
	describe(sessions, "session.close", &session->form, seconds);
	/* A ledger that does not take it does not keep anybody signed in. */
	(void)!accounts_record(sessions->accounts, AUDIT_NO_DECISION, AUDIT_DONE, AUDIT_NO_INTENT,
			       nullptr);
	forget(session);
}

static void on_gone(void *userdata)
{
	finish(userdata);
}

/* The key has found its session. */
static void take_offer(struct sessions *sessions, const struct session_form *form)
{
	for (size_t i = 0; i < OFFERS_MAX; i++) {
		struct offer *offer = &sessions->offer[i];

		if (offer->at_us > 0 && strcmp(offer->person, form->person) == 0 &&
		    strcmp(offer->peer, form->peer) == 0 &&
		    strcmp(offer->fingerprint, form->fingerprint) == 0)
			offer->at_us = 0;
	}
}

int sessions_open(struct sessions *sessions, struct bus_call *call, const struct session_form *form)
{
	if (sessions->n == SESSIONS_MAX)
		return -EBUSY;

	struct session *session = calloc(1, sizeof(*session));
	if (!session)
		return -ENOMEM;
	*session = (struct session) { .sessions = sessions,
				      .sender = strdup(call ? bus_sender(call) : ""),
				      .opened_us = clock_mono_us(),
				      .form = *form };
	int r = session->sender ? 0 : -ENOMEM;
	if (r == 0 && call)
		r = bus_watch(call, on_gone, session, &session->watch);
	if (r == 0) {
		describe(sessions, "session.open", form, "");
		r = accounts_record(sessions->accounts, AUDIT_ALLOW, AUDIT_DONE, AUDIT_NO_INTENT,
				    nullptr);
	}
	if (r) {
		forget(session);
		return r;
	}
	take_offer(sessions, form);
	session->next = sessions->first;
	sessions->first = session;
	sessions->n++;
	return 0;
}

bool sessions_close(struct sessions *sessions, const char *sender)
{
	for (struct session *at = sessions->first; at; at = at->next)
		if (strcmp(at->sender, sender) == 0) {
			finish(at);
			return true;
		}
	return false;
}

void sessions_count(struct sessions *sessions, const char *key, enum audit_decision decision,
		    enum audit_outcome outcome)
{
	struct accounts *accounts = sessions->accounts;

	accounts->event.decision = decision;
	accounts->event.outcome = outcome;
	accounts->event.intent = AUDIT_NO_INTENT;
	if (tally_count(sessions->tally, key, &accounts->event, clock_mono_us(), clock_wall_us()) ==
		    TALLY_FIRST &&
	    accounts_record(accounts, decision, outcome, AUDIT_NO_INTENT, nullptr))
		tally_unrecorded(sessions->tally);
}

/* An accepted key that nobody has come by: not a sign-in, but not nothing. */
static void give_up(struct sessions *sessions, struct offer *offer)
{
	const char *const detail[] = { "key", offer->fingerprint };
	char key[TALLY_KEY_MAX];

	offer->at_us = 0;
	struct audit_event *event =
		accounts_event(sessions->accounts, "ssh.no-session", "person", offer->person);
	accounts_field(event->source, sizeof(event->source), offer->peer);
	accounts_detail(sessions->accounts, detail, 1);
	(void)snprintf(key, sizeof(key), "no-session %s %.*s", offer->person,
		       (int)strcspn(offer->peer, offer->peer[0] == '[' ? "]" : ":"), offer->peer);
	sessions_count(sessions, key, AUDIT_ALLOW, AUDIT_DONE);
}

void sessions_offered(struct sessions *sessions, const char *person, const char *fingerprint,
		      const char *peer)
{
	struct offer *room = &sessions->offer[0];

	for (size_t i = 0; i < OFFERS_MAX; i++) {
		struct offer *offer = &sessions->offer[i];

		if (offer->at_us > 0 && strcmp(offer->person, person) == 0 &&
		    strcmp(offer->peer, peer) == 0 &&
		    strcmp(offer->fingerprint, fingerprint) == 0) {
			offer->at_us = clock_mono_us(); /* asked again, for the signature */
			return;
		}
		if (offer->at_us < room->at_us)
			room = offer;
	}
	if (room->at_us > 0)
		give_up(sessions, room);
	room->at_us = clock_mono_us();
	accounts_field(room->person, sizeof(room->person), person);
	accounts_field(room->fingerprint, sizeof(room->fingerprint), fingerprint);
	accounts_field(room->peer, sizeof(room->peer), peer);
}

void sessions_tick(struct sessions *sessions, uint64_t now_us)
{
	for (size_t i = 0; i < OFFERS_MAX; i++)
		if (sessions->offer[i].at_us > 0 &&
		    now_us - sessions->offer[i].at_us >= SESSIONS_OFFER_US)
			give_up(sessions, &sessions->offer[i]);
	while (tally_due(sessions->tally, now_us, &sessions->due)) {
		/* One that is not taken now is tried again. */
		if (audit_append(sessions->accounts->audit, &sessions->due, nullptr))
			break;
		tally_recorded(sessions->tally, now_us);
	}
}
