/* SPDX-License-Identifier: Apache-2.0 */
#include "service/disk/sealed.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/bytes.h"
#include "common/crc32c.h"
#include "common/crypto/aead.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"
#include "tests/unit/disk-fixture.h"

static const uint8_t KEY[SEALED_KEY] = { 1, 2, 3 };
static const uint8_t OTHER_KEY[SEALED_KEY] = { 3, 2, 1 };
static const char CONTEXT[] = "segment 7 of movies";

constexpr size_t HEAD = 132;
constexpr size_t STEP = SEALED_PAGE + 16;
constexpr size_t LEN_A = 3 * SEALED_PAGE + 5;
constexpr size_t LEN_B = 10;
constexpr uint32_t PAGES = 5;

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

/* Two extents: of LEN_A bytes, four pages; of LEN_B, one. */
static int write_content(struct sealed_writer *writer)
{
	auto_free uint8_t *data = malloc(LEN_A);
	struct extent extent;
	uint32_t pages;

	if (!data)
		return -ENOMEM;
	for (size_t i = 0; i < LEN_A; i++)
		data[i] = byte_at(i);

	int r = sealed_add(writer, data, LEN_A, &extent);
	if (r)
		return r;
	r = sealed_add(writer, data + 1, LEN_B, &extent);
	if (r)
		return r;
	r = sealed_finish(writer, &pages);
	return r ? r : pages == PAGES && extent.page == 4 && extent.pages == 1 ? 0 : -EBADMSG;
}

static int write_file(struct disk *disk, const char *name)
{
	cleanup(file_close_at) struct file *file = nullptr;
	cleanup(sealed_writer_free_at) struct sealed_writer *writer = nullptr;

	int r = file_create(disk->folder, name, &file);
	if (r)
		return r;
	r = sealed_writer_new(file, KEY, CONTEXT, &writer);
	return r ? r : write_content(writer);
}

static int open_file(struct disk *disk, const char *name, const uint8_t *key, const char *context,
		     uint32_t pages, struct sealed **ret)
{
	cleanup(file_close_at) struct file *file = nullptr;

	int r = file_open(disk->folder, name, &file);
	return r ? r : sealed_open(&file, key, context, pages, ret);
}

/* Whether both extents are what was written. */
static bool content_is_right(struct sealed *sealed)
{
	auto_free uint8_t *back = malloc(4 * SEALED_PAGE);
	uint32_t page = 99;

	CHECK(back);
	CHECK_EQ(sealed_read(sealed, (struct extent) { 0, 4 }, back, &page), 0);
	for (size_t i = 0; i < 4 * SEALED_PAGE; i++)
		CHECK_EQ(back[i], i < LEN_A ? byte_at(i) : 0);
	CHECK_EQ(sealed_read(sealed, (struct extent) { 4, 1 }, back, &page), 0);
	for (size_t i = 0; i < SEALED_PAGE; i++)
		CHECK_EQ(back[i], i < LEN_B ? byte_at(i + 1) : 0);
	CHECK_EQ(sealed_read(sealed, (struct extent) { 2, 1 }, back, &page), 0);
	CHECK_EQ(back[0], byte_at(2 * SEALED_PAGE));
	CHECK_EQ(page, 99u);
	return true;
}

static bool what_was_sealed_is_read_again(void)
{
	auto_disk struct disk disk = {};
	cleanup(sealed_close_at) struct sealed *sealed = nullptr;

	CHECK(disk_make(&disk));
	CHECK_EQ(write_file(&disk, "a"), 0);
	CHECK_EQ(open_file(&disk, "a", KEY, CONTEXT, PAGES, &sealed), 0);
	return content_is_right(sealed);
}

/* FORMAT.md section 1, written out once more. */
static bool a_file_is_as_the_format_says(void)
{
	auto_disk struct disk disk = {};
	uint8_t keys[64], nonce[12] = { 4 };
	size_t len;

	CHECK(disk_make(&disk));
	CHECK_EQ(write_file(&disk, "a"), 0);
	auto_free uint8_t *bytes = disk_load(&disk, "a", &len);
	auto_free uint8_t *page = malloc(SEALED_PAGE);
	CHECK(bytes && page);
	CHECK_EQ(len, HEAD + PAGES * STEP);
	CHECK(memcmp(bytes, "rdtseal\n\1\0\1\0\0\0\1\0", 16) == 0);
	CHECK(strcmp((const char *)bytes + 32, CONTEXT) == 0);

	CHECK_EQ(crypto_hkdf(KEY, 32, (struct crypto_extra) { bytes + 16, 16 },
			     (struct crypto_extra) { bytes, 96 }, keys, 64),
		 0);
	CHECK(memcmp(keys + 32, bytes + 96, 32) == 0);
	struct reader in = reader_make(bytes + 128, 4);
	CHECK_EQ(read_u32(&in), crc32c(bytes, 128));

	cleanup(crypto_aead_free_at) struct crypto_aead *aead = nullptr;
	CHECK_EQ(crypto_aead_new(keys, &aead), 0);
	CHECK_EQ(crypto_aead_open(aead, nonce, (struct crypto_extra) {}, bytes + HEAD + 4 * STEP,
				  STEP, page),
		 0);
	CHECK_EQ(page[3], byte_at(4));
	return true;
}

static bool the_example_of_the_format_is_read(void)
{
	static const uint8_t ZERO[SEALED_KEY];
	cleanup(folder_close_at) struct folder *corpus = nullptr;
	cleanup(file_close_at) struct file *file = nullptr;
	cleanup(sealed_close_at) struct sealed *sealed = nullptr;
	auto_free uint8_t *page = malloc(SEALED_PAGE);
	uint32_t wrong;

	CHECK_EQ(folder_open("tests/fuzz/corpus/sealed", nullptr, nullptr, &corpus), 0);
	CHECK_EQ(file_open(corpus, "page", &file), 0);
	CHECK_EQ(sealed_open(&file, ZERO, "corpus", 1, &sealed), 0);
	CHECK(page);
	CHECK_EQ(sealed_read(sealed, (struct extent) { 0, 1 }, page, &wrong), 0);
	CHECK(memcmp(page, "hello, newcomer", 16) == 0);
	return true;
}

static bool another_key_context_or_length_is_refused(void)
{
	auto_disk struct disk disk = {};
	cleanup(sealed_close_at) struct sealed *sealed = nullptr;

	CHECK(disk_make(&disk));
	CHECK_EQ(write_file(&disk, "a"), 0);
	CHECK_EQ(open_file(&disk, "a", OTHER_KEY, CONTEXT, PAGES, &sealed), SEALED_OTHER_KEY);
	CHECK_EQ(open_file(&disk, "a", KEY, "segment 8 of movies", PAGES, &sealed), SEALED_DAMAGED);
	CHECK_EQ(open_file(&disk, "a", KEY, "segment 7 of movies!", PAGES, &sealed),
		 SEALED_DAMAGED);
	CHECK_EQ(open_file(&disk, "a", KEY, CONTEXT, PAGES - 1, &sealed), SEALED_DAMAGED);
	CHECK_EQ(open_file(&disk, "a", KEY, CONTEXT, PAGES + 1, &sealed), SEALED_DAMAGED);
	CHECK(!sealed);
	return true;
}

static bool a_later_version_is_left_alone(void)
{
	auto_disk struct disk disk = {};
	cleanup(sealed_close_at) struct sealed *sealed = nullptr;
	size_t len;

	CHECK(disk_make(&disk));
	CHECK_EQ(write_file(&disk, "a"), 0);
	auto_free uint8_t *bytes = disk_load(&disk, "a", &len);
	CHECK(bytes);
	bytes[8] = 2;
	bytes_put(bytes + 128, crc32c(bytes, 128), 4);
	CHECK(disk_store(&disk, "a", bytes, len));
	CHECK_EQ(open_file(&disk, "a", KEY, CONTEXT, PAGES, &sealed), SEALED_TOO_NEW);
	bytes[8] = 1;
	bytes[40] ^= 1; /* a sound header of another file */
	bytes_put(bytes + 128, crc32c(bytes, 128), 4);
	CHECK(disk_store(&disk, "a", bytes, len));
	CHECK_EQ(open_file(&disk, "a", KEY, CONTEXT, PAGES, &sealed), SEALED_DAMAGED);
	bytes[40] ^= 1;
	bytes[20] ^= 1;
	bytes_put(bytes + 128, crc32c(bytes, 128), 4);
	CHECK(disk_store(&disk, "a", bytes, len));
	CHECK_EQ(open_file(&disk, "a", KEY, CONTEXT, PAGES, &sealed), SEALED_OTHER_KEY);
	return true;
}

static bool every_flipped_bit_of_the_header_is_noticed(void)
{
	auto_disk struct disk disk = {};
	size_t len;

	CHECK(disk_make(&disk));
	CHECK_EQ(write_file(&disk, "a"), 0);
	auto_free uint8_t *bytes = disk_load(&disk, "a", &len);
	CHECK(bytes);
	for (size_t bit = 0; bit < 8 * HEAD; bit++) {
		cleanup(sealed_close_at) struct sealed *sealed = nullptr;

		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK(disk_store(&disk, "b", bytes, len));
		CHECK_EQ(open_file(&disk, "b", KEY, CONTEXT, PAGES, &sealed), SEALED_DAMAGED);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	return true;
}

/* Store bytes as a file and tell which page is found wrong; PAGES if none is. */
static uint32_t wrong_page(struct disk *disk, const uint8_t *bytes, size_t len)
{
	auto_free uint8_t *back = malloc(PAGES * SEALED_PAGE);
	cleanup(sealed_close_at) struct sealed *sealed = nullptr;
	uint32_t page = 99;

	if (!back || !disk_store(disk, "changed", bytes, len) ||
	    open_file(disk, "changed", KEY, CONTEXT, PAGES, &sealed))
		return 98;
	int r = sealed_read(sealed, (struct extent) { 0, PAGES }, back, &page);
	return r == SEALED_DAMAGED ? page : r == 0 ? PAGES : 97;
}

static bool a_flipped_bit_of_a_page_names_that_page(void)
{
	auto_disk struct disk disk = {};
	size_t len;

	CHECK(disk_make(&disk));
	CHECK_EQ(write_file(&disk, "a"), 0);
	auto_free uint8_t *bytes = disk_load(&disk, "a", &len);
	CHECK(bytes);
	CHECK_EQ(wrong_page(&disk, bytes, len), PAGES);
	for (uint32_t page = 0; page < PAGES; page++) {
		static const size_t AT[] = { 0, 4711, SEALED_PAGE - 1, SEALED_PAGE, STEP - 1 };

		for (size_t i = 0; i < countof(AT); i++) {
			bytes[HEAD + page * STEP + AT[i]] ^= 0x10;
			CHECK_EQ(wrong_page(&disk, bytes, len), page);
			bytes[HEAD + page * STEP + AT[i]] ^= 0x10;
		}
	}
	return true;
}

static bool a_page_of_another_place_or_file_is_refused(void)
{
	auto_disk struct disk disk = {};
	size_t len, other_len;

	CHECK(disk_make(&disk));
	CHECK_EQ(write_file(&disk, "a"), 0);
	CHECK_EQ(write_file(&disk, "b"), 0);
	auto_free uint8_t *bytes = disk_load(&disk, "a", &len);
	auto_free uint8_t *other = disk_load(&disk, "b", &other_len);
	CHECK(bytes && other);

	memcpy(bytes + HEAD + 3 * STEP, other + HEAD + 3 * STEP, STEP);
	CHECK_EQ(wrong_page(&disk, bytes, len), 3u);
	memcpy(other + HEAD + 1 * STEP, other + HEAD + 2 * STEP, STEP);
	CHECK_EQ(wrong_page(&disk, other, len), 1u);
	return true;
}

static bool a_file_cut_anywhere_is_refused(void)
{
	auto_disk struct disk disk = {};
	size_t len;

	CHECK(disk_make(&disk));
	CHECK_EQ(write_file(&disk, "a"), 0);
	auto_free uint8_t *bytes = disk_load(&disk, "a", &len);
	CHECK(bytes);
	for (size_t cut = 0; cut < len; cut += cut < 2 * HEAD ? 1 : 9973) {
		cleanup(sealed_close_at) struct sealed *sealed = nullptr;

		CHECK(disk_store(&disk, "b", bytes, cut));
		CHECK_EQ(open_file(&disk, "b", KEY, CONTEXT, PAGES, &sealed), SEALED_DAMAGED);
		CHECK(!sealed);
	}
	return true;
}

static bool an_extent_outside_the_file_is_refused(void)
{
	static const struct extent OUTSIDE[] = {
		{ 0, 0 }, { 5, 1 }, { 4, 2 }, { 6, 1 }, { UINT32_MAX, 1 }, { 1, UINT32_MAX },
	};
	auto_disk struct disk disk = {};
	cleanup(sealed_close_at) struct sealed *sealed = nullptr;
	uint8_t none[1];

	CHECK(disk_make(&disk));
	CHECK_EQ(write_file(&disk, "a"), 0);
	CHECK_EQ(open_file(&disk, "a", KEY, CONTEXT, PAGES, &sealed), 0);
	for (size_t i = 0; i < countof(OUTSIDE); i++) {
		uint32_t page = 99;

		CHECK_EQ(sealed_read(sealed, OUTSIDE[i], none, &page), SEALED_DAMAGED);
		CHECK_EQ(page, OUTSIDE[i].page);
	}
	return true;
}

static bool what_cannot_be_sealed_is_refused(void)
{
	auto_disk struct disk disk = {};
	cleanup(file_close_at) struct file *file = nullptr;
	cleanup(sealed_writer_free_at) struct sealed_writer *writer = nullptr, *other = nullptr;
	char long_context[SEALED_CONTEXT_MAX + 1];
	struct extent extent = {};

	memset(long_context, 'x', sizeof(long_context));
	long_context[SEALED_CONTEXT_MAX] = '\0';
	CHECK(disk_make(&disk));
	CHECK_EQ(file_create(disk.folder, "a", &file), 0);
	CHECK_EQ(sealed_writer_new(file, KEY, long_context, &writer), -EMSGSIZE);
	long_context[SEALED_CONTEXT_MAX - 1] = '\0';
	CHECK_EQ(sealed_writer_new(file, KEY, long_context, &writer), 0);
	CHECK_EQ(sealed_writer_new(file, KEY, CONTEXT, &other), -EEXIST);
	CHECK_EQ(sealed_add(writer, "", 0, &extent), -EINVAL);
	CHECK_EQ(sealed_add(writer, "", SEALED_EXTENT_MAX + 1, &extent), -EMSGSIZE);
	CHECK_EQ(write_content(writer), 0);
	CHECK_EQ(sealed_add(writer, "x", 1, &extent), -EINVAL);
	CHECK_EQ(extent.pages, 0u);
	return true;
}

static bool after_a_failed_write_nothing_more_is_sealed(void)
{
	auto_disk struct disk disk = {};

	CHECK(disk_make(&disk));
	for (size_t nth = 1;; nth++) {
		cleanup(file_close_at) struct file *file = nullptr;
		cleanup(sealed_writer_free_at) struct sealed_writer *writer = nullptr;
		struct extent extent;
		uint32_t pages;

		CHECK(disk_open(&disk));
		CHECK_EQ(file_create_unnamed(disk.folder, &file), 0);
		disk.fail_step = FILE_WRITE;
		disk.fail_nth = nth;
		disk.fail_with = nth % 2 ? -ENOSPC : 1000;
		int r = sealed_writer_new(file, KEY, CONTEXT, &writer);
		if (r == 0)
			r = write_content(writer);
		if (!disk.failed) {
			CHECK_EQ(r, 0);
			return nth > 3;
		}
		CHECK_EQ(r, nth % 2 ? -ENOSPC : -EIO);
		if (writer) {
			CHECK_EQ(sealed_add(writer, "x", 1, &extent), r);
			CHECK_EQ(sealed_finish(writer, &pages), r);
		}
	}
}

static bool a_spill_file_is_read_by_who_wrote_it(void)
{
	auto_disk struct disk disk = {};
	cleanup(file_close_at) struct file *file = nullptr;
	cleanup(sealed_writer_free_at) struct sealed_writer *writer = nullptr;
	cleanup(sealed_close_at) struct sealed *sealed = nullptr;

	CHECK(disk_make(&disk));
	CHECK_EQ(file_create_unnamed(disk.folder, &file), 0);
	CHECK_EQ(sealed_writer_new_spill(file, &writer), 0);
	CHECK_EQ(write_content(writer), 0);
	CHECK_EQ(sealed_writer_take(&writer, &file, &sealed), 0);
	CHECK(!writer && !file);
	CHECK_EQ(disk.steps[FILE_SYNC], 0u);
	return content_is_right(sealed);
}

static bool an_unnamed_file_is_opened_again_with_its_key(void)
{
	auto_disk struct disk disk = {};
	cleanup(file_close_at) struct file *file = nullptr;
	cleanup(sealed_writer_free_at) struct sealed_writer *writer = nullptr;
	cleanup(sealed_close_at) struct sealed *sealed = nullptr;

	CHECK(disk_make(&disk));
	CHECK_EQ(file_create_unnamed(disk.folder, &file), 0);
	CHECK_EQ(sealed_writer_new(file, KEY, CONTEXT, &writer), 0);
	CHECK_EQ(write_content(writer), 0);
	sealed_writer_free_at(&writer);
	CHECK_EQ(sealed_open(&file, KEY, CONTEXT, PAGES, &sealed), 0);
	CHECK(!file);
	return content_is_right(sealed);
}

static void *read_often(void *userdata)
{
	bool ok = true;

	for (size_t i = 0; i < 20; i++)
		ok = content_is_right(userdata) && ok;
	return ok ? userdata : nullptr;
}

static bool many_threads_read_one_file(void)
{
	auto_disk struct disk disk = {};
	cleanup(sealed_close_at) struct sealed *sealed = nullptr;
	pthread_t threads[10];
	void *result[countof(threads)];

	CHECK(disk_make(&disk));
	CHECK_EQ(write_file(&disk, "a"), 0);
	CHECK_EQ(open_file(&disk, "a", KEY, CONTEXT, PAGES, &sealed), 0);
	for (size_t i = 0; i < countof(threads); i++)
		CHECK(pthread_create(&threads[i], nullptr, read_often, sealed) == 0);
	for (size_t i = 0; i < countof(threads); i++)
		CHECK(pthread_join(threads[i], &result[i]) == 0);
	for (size_t i = 0; i < countof(threads); i++)
		CHECK(result[i]);
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	auto_disk struct disk disk = {};

	CHECK(disk_make(&disk));
	CHECK_EQ(write_file(&disk, "a"), 0);
	for (size_t n = 1;; n++) {
		cleanup(file_close_at) struct file *file = nullptr, *kept = nullptr;
		cleanup(sealed_writer_free_at) struct sealed_writer *writer = nullptr;
		cleanup(sealed_close_at) struct sealed *spilled = nullptr, *sealed = nullptr;
		uint8_t page[1];
		uint32_t at;

		CHECK_EQ(file_create_unnamed(disk.folder, &file), 0);
		CHECK_EQ(file_open(disk.folder, "a", &kept), 0);
		fault_at(n);
		int r = sealed_writer_new_spill(file, &writer);
		if (r == 0)
			r = sealed_writer_take(&writer, &file, &spilled);
		if (r == 0)
			r = sealed_open(&kept, KEY, CONTEXT, PAGES, &sealed);
		if (r == 0)
			r = sealed_read(sealed, (struct extent) { 9, 1 }, page, &at) ==
					    SEALED_DAMAGED
				    ? 0
				    : -EBADMSG;
		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
		CHECK(spilled ? !file && !writer : file != nullptr);
		CHECK(!sealed && kept);
	}
}

int main(void)
{
	RUN(what_was_sealed_is_read_again);
	RUN(a_file_is_as_the_format_says);
	RUN(the_example_of_the_format_is_read);
	RUN(another_key_context_or_length_is_refused);
	RUN(a_later_version_is_left_alone);
	RUN(every_flipped_bit_of_the_header_is_noticed);
	RUN(a_flipped_bit_of_a_page_names_that_page);
	RUN(a_page_of_another_place_or_file_is_refused);
	RUN(a_file_cut_anywhere_is_refused);
	RUN(an_extent_outside_the_file_is_refused);
	RUN(what_cannot_be_sealed_is_refused);
	RUN(after_a_failed_write_nothing_more_is_sealed);
	RUN(a_spill_file_is_read_by_who_wrote_it);
	RUN(an_unnamed_file_is_opened_again_with_its_key);
	RUN(many_threads_read_one_file);
	RUN(every_failed_allocation_is_survived);
	return tap_done();
}
