/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>

#include "appliance/manager/ledger.h"
#include "common/base.h"
#include "tests/lib/tap.h"

static const struct ledger_event EVENT = {
	.code = "appliance.boot",
	.person = "",
	.target = "volume",
	.text = "the data volume is open",
	.outcome = AUDIT_DONE,
	.intent = AUDIT_NO_INTENT,
};

static bool before_there_is_a_ledger_events_are_kept_in_bounds(void)
{
	cleanup(ledger_free_at) struct ledger *ledger = nullptr;
	uint64_t index = 0;

	CHECK_EQ(ledger_new(&ledger), 0);
	for (size_t i = 0; i < LEDGER_KEPT_MAX + 10; i++) {
		CHECK_EQ(ledger_record(ledger, &EVENT, &index), LEDGER_OK);
		CHECK_EQ(index, AUDIT_NO_INTENT);
	}
	CHECK_EQ(ledger_kept(ledger), LEDGER_KEPT_MAX);
	return true;
}

static bool a_ledger_that_cannot_be_reached_keeps_them_waiting(void)
{
	cleanup(ledger_free_at) struct ledger *ledger = nullptr;

	CHECK_EQ(ledger_new(&ledger), 0);
	CHECK_EQ(ledger_record(ledger, &EVENT, nullptr), LEDGER_OK);
	CHECK_EQ(ledger_open(ledger), LEDGER_UNAVAILABLE);
	CHECK_EQ(ledger_kept(ledger), 1u);
	return true;
}

static bool once_open_a_lost_ledger_refuses(void)
{
	cleanup(ledger_free_at) struct ledger *ledger = nullptr;

	CHECK_EQ(ledger_new(&ledger), 0);
	CHECK_EQ(ledger_open(ledger), LEDGER_OK); /* nothing waited */
	CHECK_EQ(ledger_record(ledger, &EVENT, nullptr), LEDGER_UNAVAILABLE);
	return true;
}

int main(void)
{
	(void)setenv("REDOUBT_RUN", "/nonexistent", true);
	RUN(before_there_is_a_ledger_events_are_kept_in_bounds);
	RUN(a_ledger_that_cannot_be_reached_keeps_them_waiting);
	RUN(once_open_a_lost_ledger_refuses);
	return tap_done();
}
