/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/crypto/aead.h"
#include "service/disk/log.h"
#include "service/disk/log_frame.h"
#include "tests/unit/log-fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

constexpr size_t CRC_AT = LOG_FRAME - sizeof(uint32_t);
static_assert(LOG_HEAD == LOG_FRAME);

/* Make the checksums right, from frame to frame; no fuzzer finds them by itself. */
static void repair(uint8_t *data, size_t size)
{
	for (size_t at = 0; at + LOG_FRAME <= size;) {
		uint8_t *head = data + at;
		struct reader in = reader_make(head + 8, sizeof(uint32_t));
		size_t body =
			at == 0 || head[4] != LOG_FRAME_BATCH ? 0 : read_u32(&in) + CRYPTO_TAG;

		if (at > 0 && body <= size - at - LOG_FRAME)
			bytes_put(head + LOG_EXTRA, crc32c(head + LOG_FRAME, body),
				  sizeof(uint32_t));
		bytes_put(head + CRC_AT, crc32c(head, CRC_AT), sizeof(uint32_t));
		if (body > size - at - LOG_FRAME)
			return;
		at += LOG_FRAME + body;
	}
}

/* A log of these bytes is refused, or read without an alarm, and goes on. */
static void use(const uint8_t *data, size_t size)
{
	auto_logbook struct logbook book = {};

	if (!disk_make(&book.disk) || !disk_store(&book.disk, FIRST, data, size) ||
	    logbook_open(&book))
		return;
	int r = logbook_read(&book, 0);
	if (r == LOG_DAMAGED && log_damage(book.log)[0] == '\0')
		abort();
	uint64_t synced = log_synced(book.log);
	if (logbook_add(&book, 1) || log_synced(book.log) <= synced)
		abort();
	if (logbook_open(&book) || log_synced(book.log) <= synced ||
	    logbook_read(&book, log_synced(book.log)) || book.notes.n != 1 || book.notes.wrong)
		abort();
}

/* Any bytes as a log's only file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free uint8_t *copy = malloc(size + !size); /* exact size: an overread is a crash */

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	use(copy, size);
	repair(copy, size);
	use(copy, size);
	return 0;
}
