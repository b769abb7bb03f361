/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/denials.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"

static bool is_same(const struct denial *one, const struct denial *two)
{
	return one->reason == two->reason && one->op == two->op && one->allowed == two->allowed &&
	       memcmp(one->network, two->network, RATE_KEY) == 0 &&
	       strcmp(one->actor, two->actor) == 0;
}

static struct denial *find(struct denials *denials, const struct denial *like)
{
	for (size_t i = 0; i < DENIALS_MAX; i++)
		if (denials->one[i].end_us > 0 && is_same(&denials->one[i], like))
			return &denials->one[i];
	return nullptr;
}

/* The place of a new kind: a free one, or that of the oldest. */
static struct denial *place(struct denials *denials)
{
	struct denial *oldest = &denials->one[0];

	for (size_t i = 1; i < DENIALS_MAX; i++)
		if (denials->one[i].end_us < oldest->end_us)
			oldest = &denials->one[i];
	return oldest;
}

bool denials_note(struct denials *denials, const struct denial *like, uint64_t now_us,
		  uint64_t wall_us, struct denial *ret_older)
{
	struct denial *at = find(denials, like);

	*ret_older = (struct denial) {};
	if (at && (at->count > 0 || now_us < at->end_us)) {
		if (at->count++ == 0)
			at->first_us = wall_us;
		at->last_us = wall_us;
		return false;
	}
	if (!at)
		at = place(denials);
	*ret_older = *at;
	*at = *like;
	at->count = 0;
	at->end_us = now_us + DENIALS_WINDOW_US;
	return true;
}

void denials_forget(struct denials *denials, const struct denial *like)
{
	struct denial *at = find(denials, like);

	if (at)
		*at = (struct denial) {};
}

struct denial *denials_due(struct denials *denials, uint64_t now_us, bool all)
{
	for (size_t i = 0; i < DENIALS_MAX; i++) {
		struct denial *at = &denials->one[i];

		if (at->count > 0 && (all || now_us >= at->end_us))
			return at;
	}
	return nullptr;
}
