/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/secret.h"
#include "service/disk/file.h"
#include "service/disk/sealed.h"
#include "service/disk/sealed_head.h"
#include "tests/unit/disk-fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The key of the corpus' files: all zero. */
static const uint8_t KEY[SEALED_KEY];
static const char CONTEXT[] = "corpus";

constexpr uint32_t PAGES_MAX = 4;
constexpr size_t CRC_AT = SEALED_HEADER - sizeof(uint32_t);

/* The header alone; then with a right checksum, which no fuzzer finds by itself. */
static void check_header(const uint8_t *data, size_t size)
{
	uint8_t head[SEALED_HEADER] = {};
	auto_secret struct secret key = {}, again = {};

	(void)!sealed_head_check(data, size, KEY, CONTEXT, &key);
	memcpy(head, data, size < sizeof(head) ? size : sizeof(head));
	bytes_put(head + CRC_AT, crc32c(head, CRC_AT), sizeof(uint32_t));
	(void)!sealed_head_check(head, sizeof(head), KEY, CONTEXT, &again);
}

/* All pages, one by one and as one extent: both ways say the same. */
static void read_pages(struct sealed *sealed, uint32_t pages)
{
	auto_free uint8_t *all = malloc(PAGES_MAX * SEALED_PAGE);
	auto_free uint8_t *one = malloc(SEALED_PAGE);
	uint32_t wrong = 0, none;

	if (!all || !one)
		return;
	int r = sealed_read(sealed, (struct extent) { 0, pages }, all, &wrong);
	if (r == 0)
		wrong = pages;
	else if (r != SEALED_DAMAGED)
		return;
	for (uint32_t i = 0; i < pages && i <= wrong; i++) {
		r = sealed_read(sealed, (struct extent) { i, 1 }, one, &none);
		if ((r == 0) != (i < wrong) ||
		    (r == 0 && memcmp(one, all + i * SEALED_PAGE, SEALED_PAGE) != 0))
			abort();
	}
}

/* Any bytes as a sealed file whose key is known. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t pages =
		size > SEALED_HEADER ? (uint32_t)((size - SEALED_HEADER) / SEALED_STEP) : 0;
	auto_disk struct disk disk = {};
	cleanup(file_close_at) struct file *file = nullptr;
	cleanup(sealed_close_at) struct sealed *sealed = nullptr;

	check_header(data, size);
	if (pages > PAGES_MAX || !disk_make(&disk) || !disk_store(&disk, "file", data, size) ||
	    file_open(disk.folder, "file", &file))
		return 0;
	if (sealed_open(&file, KEY, CONTEXT, pages, &sealed) == 0 && pages > 0)
		read_pages(sealed, pages);
	return 0;
}
