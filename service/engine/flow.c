/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/flow.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

constexpr uint64_t CREDIT_MAX = UINT64_C(1)
				<< 48; /* no sum of them comes near a limit of its type */

/* An answer under way. */
struct held {
	struct held *next;
	uint64_t id;
	int64_t bytes;
	char key[64];
};

struct flow {
	pthread_mutex_t lock;
	uint64_t connection;
	int64_t free, total; /* free: below 0 after what was forced */
	struct held *held;
};

static void forget(struct flow *flow)
{
	while (flow->held) {
		struct held *next = flow->held->next;

		free(flow->held);
		flow->held = next;
	}
}

int flow_new(struct flow **ret)
{
	auto_free struct flow *flow = calloc(1, sizeof(*flow));

	if (!flow || pthread_mutex_init(&flow->lock, nullptr) != 0)
		return -ENOMEM;
	*ret = TAKE(flow);
	return 0;
}

struct flow *flow_free(struct flow *flow)
{
	if (!flow)
		return nullptr;
	forget(flow);
	(void)pthread_mutex_destroy(&flow->lock);
	free(flow);
	return nullptr;
}

void flow_open(struct flow *flow, uint64_t connection)
{
	(void)pthread_mutex_lock(&flow->lock);
	forget(flow);
	flow->connection = connection;
	flow->free = flow->total = 0;
	(void)pthread_mutex_unlock(&flow->lock);
}

void flow_credit(struct flow *flow, uint64_t id, uint64_t bytes)
{
	auto more = (int64_t)(bytes < CREDIT_MAX ? bytes : CREDIT_MAX);

	(void)pthread_mutex_lock(&flow->lock);
	struct held **at = &flow->held;
	while (*at && (*at)->id != id)
		at = &(*at)->next;
	struct held *held = *at;
	if (held) {
		*at = held->next;
		flow->free += held->bytes;
		free(held);
	} else if (id == 0 && flow->total < (int64_t)CREDIT_MAX) {
		flow->free += more;
		flow->total += more;
	}
	(void)pthread_mutex_unlock(&flow->lock);
}

/* As flow_room(), with the lock held. */
static int64_t room_of(const struct flow *flow, const char *key)
{
	int64_t has = 0, half = flow->total / 2;

	for (const struct held *at = flow->held; at; at = at->next)
		if (strncmp(at->key, key, sizeof(at->key) - 1) == 0)
			has += at->bytes;
	int64_t share = (2 * flow->free - has) / 3; /* has + share <= 2 * (free - share) */
	int64_t room = share < half - has ? share : half - has;
	return room > 0 ? room : 0;
}

size_t flow_room(struct flow *flow, const char *key)
{
	(void)pthread_mutex_lock(&flow->lock);
	int64_t room = room_of(flow, key);
	(void)pthread_mutex_unlock(&flow->lock);
	return (size_t)room;
}

bool flow_take(struct flow *flow, const char *key, uint64_t connection, uint64_t id, size_t bytes,
	       bool forced)
{
	auto_free struct held *held = calloc(1, sizeof(*held));

	if (!held || bytes > CREDIT_MAX)
		return forced;
	held->id = id;
	held->bytes = (int64_t)bytes;
	(void)snprintf(held->key, sizeof(held->key), "%s", key);

	(void)pthread_mutex_lock(&flow->lock);
	bool may = flow->connection == connection && (forced || room_of(flow, key) >= held->bytes);
	if (may) {
		flow->free -= held->bytes;
		held->next = flow->held;
		flow->held = TAKE(held);
	}
	(void)pthread_mutex_unlock(&flow->lock);
	return may;
}
