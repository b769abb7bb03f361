/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "service/disk/log.h"
#include "service/store/internal.h"
#include "service/store/live.h"
#include "tests/fuzz/store-read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any bytes as a batch in the log, the first one being its kind: it is applied when the store is opened, or refused. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_fixture struct fixture f = {};
	struct live *live = nullptr;
	uint64_t position = 0;

	if (size == 0)
		return 0;
	if (!store_read_make(&f) || store_find(f.store, "commons", "c", &live))
		abort();
	const struct log_batch batch = { .kind = data[0],
					 .id = "fuzz",
					 .collection = live_log_number(live),
					 .data = data + 1,
					 .len = size - 1 };
	int r = log_append(f.store->log, &batch, &position);
	if (r == 0)
		r = log_sync(f.store->log, position);
	live_unref(live);
	if (r)
		abort();
	store_read_again(&f);
	return 0;
}
