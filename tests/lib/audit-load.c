/* SPDX-License-Identifier: Apache-2.0 */

/*
 * audit-load: append events to a running redoubt-audit, for tests and measurements.
 *
 *   audit-load SOCKET COUNT CLIENTS [PREFIX] [CODE]
 *
 * CLIENTS connections to SOCKET below $REDOUBT_RUN, each with one event on its way; COUNT events in all. Prints
 * "INDEX PREFIX-NUMBER" for each acknowledged event, "refused TEXT" for each refused one; on stderr how fast it went.
 * Exits 0 if all were acknowledged, 3 if one was refused, 4 if a connection ended.
 */

#include <inttypes.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/clock.h"
#include "common/msg.h"
#include "common/proto/audit.h"

constexpr size_t CLIENTS_MAX = 256;
constexpr uint64_t US_PER_S = 1'000'000;

struct load {
	uint64_t count, sent, acked, refused;
	const char *prefix, *code;
	size_t n;
	struct pollfd client[CLIENTS_MAX];
	uint64_t number[CLIENTS_MAX]; /* of the event on its way */
	struct audit_event event;
	uint8_t room[MSG_MAX];
};

/* Send the next event on client i. */
static bool send_next(struct load *load, size_t i)
{
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);
	struct audit_event *event = &load->event;

	*event = (struct audit_event) { .decision = AUDIT_ALLOW,
					.outcome = AUDIT_DONE,
					.intent = AUDIT_NO_INTENT };
	load->number[i] = load->sent++;
	(void)snprintf(event->code, sizeof(event->code), "%s", load->code);
	(void)snprintf(event->actor_kind, sizeof(event->actor_kind), "api-key");
	(void)snprintf(event->actor, sizeof(event->actor), "ann/rdt_abcdef");
	(void)snprintf(event->source, sizeof(event->source), "192.0.2.7:50000");
	(void)snprintf(event->target, sizeof(event->target), "%s-%" PRIu64, load->prefix,
		       load->number[i]);
	(void)snprintf(event->detail, sizeof(event->detail), "{\"rows\":%zu}", i);
	audit_event_write(&payload, event);
	return buf_error(&payload) == 0 &&
	       msg_send(load->client[i].fd, &(struct msg) { .type = AUDIT_APPEND,
							    .id = load->number[i],
							    .payload = payload.data,
							    .len = payload.len,
							    .fd = -1 }) == 0;
}

/* Take client i's answer. Returns whether there was one. */
static bool take_answer(struct load *load, size_t i)
{
	struct msg answer;

	if (msg_recv(load->client[i].fd, load->room, &answer) != 0)
		return false;

	struct reader in = reader_make(answer.payload, answer.len);
	if (answer.type == AUDIT_APPENDED) {
		printf("%" PRIu64 " %s-%" PRIu64 "\n", read_u64(&in), load->prefix,
		       load->number[i]);
		load->acked++;
	} else {
		printf("refused %.*s\n", (int)answer.len, (const char *)answer.payload);
		load->refused++;
	}
	(void)fflush(stdout);
	return true;
}

static int run(struct load *load)
{
	uint64_t start_us = clock_mono_us();

	for (size_t i = 0; i < load->n && load->sent < load->count; i++)
		if (!send_next(load, i))
			return 4;
	while (load->acked + load->refused < load->sent) {
		if (poll(load->client, load->n, -1) < 0)
			return 1;
		for (size_t i = 0; i < load->n; i++) {
			if (load->client[i].revents == 0)
				continue;
			if (!take_answer(load, i))
				return 4;
			if (load->sent < load->count && !send_next(load, i))
				return 4;
		}
	}

	uint64_t took_us = clock_mono_us() - start_us + 1;
	(void)fprintf(stderr, "%" PRIu64 " appended, %" PRIu64 " refused, %" PRIu64 " a second\n",
		      load->acked, load->refused, load->acked * US_PER_S / took_us);
	return load->refused ? 3 : 0;
}

int main(int argc, char **argv)
{
	auto_free struct load *load = calloc(1, sizeof(*load));

	if (argc < 4 || argc > 6 || !load) {
		(void)fprintf(stderr, "usage: audit-load SOCKET COUNT CLIENTS [PREFIX] [CODE]\n");
		return 2;
	}
	load->count = strtoull(argv[2], nullptr, 10);
	load->n = strtoull(argv[3], nullptr, 10);
	load->prefix = argc > 4 ? argv[4] : "event";
	load->code = argc > 5 ? argv[5] : "api.documents.add";
	if (load->n == 0 || load->n > CLIENTS_MAX)
		return 2;
	for (size_t i = 0; i < load->n; i++) {
		load->client[i].events = POLLIN;
		if (msg_connect(argv[1], &load->client[i].fd) != 0)
			return 4;
	}

	int status = run(load);
	for (size_t i = 0; i < load->n; i++)
		close_at(&load->client[i].fd);
	return status;
}
