/* SPDX-License-Identifier: Apache-2.0 */
#include "service/engine/admission.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What beginning counts for, so that of many that begin at once not all are one key's. */
constexpr uint64_t BEGUN_US = 100;

void admission_init(struct admission *a)
{
	*a = (struct admission) {};
	a->end = &a->waiting;
}

static bool is_used(const struct account *account)
{
	return account->waiting + account->working > 0;
}

/* A key's account; a free one if it has none. There are as many as requests can be here. */
static struct account *account_of(struct admission *a, const char *key)
{
	struct account *unused = nullptr;

	for (size_t i = 0; i < a->n_accounts; i++) {
		struct account *account = &a->account[i];
		bool used = is_used(account);

		if (used && strcmp(account->key, key) == 0)
			return account;
		if (!used && !unused)
			unused = account;
	}
	if (unused || a->n_accounts == countof(a->account))
		return unused;
	return &a->account[a->n_accounts++];
}

int admission_add(struct admission *a, struct turn *turn)
{
	struct account *account = account_of(a, turn->key);

	if (a->n_waiting >= ADMISSION_WAITING || !account)
		return ADMISSION_FULL;
	if (!is_used(account)) {
		*account = (struct account) { .had_us = a->had_us };
		memcpy(account->key, turn->key, sizeof(account->key));
	}
	if (account->waiting >= ADMISSION_KEY_ALL_WAITING ||
	    (turn->query && account->waiting_queries >= ADMISSION_KEY_WAITING))
		return ADMISSION_KEY_FULL;
	account->waiting++;
	account->waiting_queries += turn->query;
	turn->account = account;
	turn->next = nullptr;
	*a->end = turn;
	a->end = &turn->next;
	a->n_waiting++;
	return ADMITTED;
}

static bool is_cancelled(const struct turn *turn)
{
	return turn->cancel && atomic_load_explicit(turn->cancel, memory_order_relaxed);
}

/* Find a place for a request. Returns whether there is one. */
static bool find_lane(const struct admission *a, const struct turn *turn, enum lane *ret)
{
	const struct account *account = turn->account;

	*ret = LANE_OTHERS;
	if (!turn->query)
		return a->at_work[LANE_OTHERS] < ADMISSION_OTHERS;
	if (account->at_work[LANE_LONG] + account->at_work[LANE_SHORT] >= ADMISSION_KEY_QUERIES)
		return false;
	*ret = LANE_LONG;
	if (a->at_work[LANE_LONG] < ADMISSION_LONG &&
	    account->at_work[LANE_LONG] < ADMISSION_KEY_LONG)
		return true;
	*ret = LANE_SHORT;
	return !turn->long_only && a->at_work[LANE_SHORT] < ADMISSION_SHORT;
}

struct turn *admission_next(const struct admission *a)
{
	struct turn *best = nullptr;
	enum lane lane;

	for (struct turn *turn = a->waiting; turn; turn = turn->next) {
		if (is_cancelled(turn))
			return turn;
		if (find_lane(a, turn, &lane) &&
		    (!best || turn->account->had_us < best->account->had_us))
			best = turn;
	}
	return best;
}

static void take_out(struct admission *a, const struct turn *turn)
{
	struct turn **at = &a->waiting;

	while (*at != turn)
		at = &(*at)->next;
	*at = turn->next;
	if (!*at)
		a->end = at;
	a->n_waiting--;
}

void admission_begin(struct admission *a, struct turn *turn, uint64_t now_us)
{
	struct account *account = turn->account;

	take_out(a, turn);
	turn->next = nullptr;
	account->waiting--;
	account->waiting_queries -= turn->query;
	account->working++;
	turn->began_us = now_us;
	turn->freely = !find_lane(a, turn, &turn->lane);
	if (turn->freely)
		return;
	account->at_work[turn->lane]++;
	a->at_work[turn->lane]++;
	if (account->had_us > a->had_us)
		a->had_us = account->had_us;
	account->had_us += BEGUN_US;
}

void admission_end(struct admission *a, struct turn *turn, uint64_t now_us, bool again)
{
	struct account *account = turn->account;

	account->working--;
	if (!turn->freely) {
		account->at_work[turn->lane]--;
		a->at_work[turn->lane]--;
		account->had_us += now_us - turn->began_us;
	}
	if (!again) {
		while (a->n_accounts > 0 && !is_used(&a->account[a->n_accounts - 1]))
			a->n_accounts--;
		return;
	}
	turn->long_only = true;
	account->waiting++;
	account->waiting_queries++;
	turn->next = a->waiting;
	a->waiting = turn;
	if (!turn->next)
		a->end = &turn->next;
	a->n_waiting++;
}
