/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/worker/disk.h"
#include "appliance/worker/volume.h"
#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/tap.h"

/* The least that libcryptsetup takes: the tests are about keys, not about guessing them. */
static const struct volume_cost CHEAP = { .iterations = 4, .memory_kb = 32, .threads = 1 };
static const char KEY[] = "000000-111111-222222-333333-444444-555555-666666-777777";

static char path[] = "/tmp/redoubt-volume-XXXXXX";

/* A sparse file in a disk's place, all zeros. */
static bool blank_disk(off_t size)
{
	auto_close int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd >= 0 && ftruncate(fd, size) == 0;
}

static bool write_at(off_t offset, const char *text)
{
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && pwrite(fd, text, strlen(text), offset) == (ssize_t)strlen(text);
}

static bool formatted(void)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	char said[VOLUME_SAID];

	CHECK(blank_disk(64 << 20));
	int r = volume_format(path, KEY, &CHEAP, &volume, said);
	if (r)
		printf("# %s\n", said);
	CHECK_EQ(r, 0);
	CHECK_EQ((int)volume_state(volume), (int)VOLUME_HALF);
	CHECK(!volume_has_tpm_slot(volume));
	return true;
}

static bool a_volume_is_made_half_and_becomes_complete(void)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;

	CHECK(formatted());
	CHECK_EQ(volume_load(path, &volume), 0);
	CHECK_EQ((int)volume_state(volume), (int)VOLUME_HALF);
	CHECK_EQ(volume_set_complete(volume), 0);
	volume = volume_free(volume);
	CHECK_EQ(volume_load(path, &volume), 0);
	CHECK_EQ((int)volume_state(volume), (int)VOLUME_COMPLETE);
	return true;
}

static bool only_the_recovery_key_opens_it(void)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;

	CHECK(formatted());
	CHECK_EQ(volume_load(path, &volume), 0);
	CHECK_EQ(volume_open_key(volume, nullptr, KEY), 0);
	CHECK_EQ(volume_open_key(volume, nullptr,
				 "000000-111111-222222-333333-444444-555555-666666-777778"),
		 VOLUME_WRONG_KEY);
	CHECK_EQ(volume_open_key(volume, nullptr, ""), VOLUME_WRONG_KEY);
	CHECK_EQ(volume_open_tpm(volume, nullptr), VOLUME_NO_SLOT);
	return true;
}

static bool it_is_described_as_it_is(void)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	auto_buf struct buf text = buf_make(4096);

	CHECK(formatted());
	CHECK_EQ(volume_load(path, &volume), 0);
	volume_describe(volume, &text);
	const char *json = buf_text(&text);
	CHECK(json);
	CHECK(strstr(json, "\"cipher\":\"aes-xts-plain64\""));
	CHECK(strstr(json, "\"key_bits\":512"));
	CHECK(strstr(json, "\"sector_size\":4096"));
	CHECK(strstr(json, "\"keyslots\":[\"0 recovery-key\"]"));
	CHECK(strstr(json, "\"state\":\"half-made\""));
	return true;
}

static bool a_disk_of_odd_size_gets_small_sectors(void)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	auto_buf struct buf text = buf_make(4096);
	char said[VOLUME_SAID];

	CHECK(blank_disk((64 << 20) + 512));
	CHECK_EQ(volume_format(path, KEY, &CHEAP, &volume, said), 0);
	volume_describe(volume, &text);
	CHECK(strstr(buf_text(&text), "\"sector_size\":512"));
	return true;
}

static bool the_header_is_backed_up_and_opens_from_the_copy(void)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	char copy[sizeof(path) + 8];

	CHECK(formatted());
	(void)snprintf(copy, sizeof(copy), "%s.head", path);
	CHECK_EQ(volume_load(path, &volume), 0);
	CHECK_EQ(volume_backup_header(volume, copy), 0);
	CHECK(volume_backup_header(volume, copy) < 0); /* never over an older one */
	volume = volume_free(volume);
	CHECK_EQ(truncate(copy, 64 << 20), 0); /* as long as the disk it is written back to */
	int r = volume_load(copy, &volume);
	CHECK_EQ(r, 0);
	r = volume_open_key(volume, nullptr, KEY);
	(void)unlink(copy);
	CHECK_EQ(r, 0);
	return true;
}

static bool what_is_not_ours_is_not_loaded(void)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;

	CHECK(blank_disk(64 << 20));
	CHECK_EQ(volume_load(path, &volume), VOLUME_NOT_OURS);
	CHECK(!volume);
	return true;
}

static bool a_disk_that_cannot_be_written_is_an_error(void)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	char said[VOLUME_SAID] = "?";

	CHECK(volume_format("/nonexistent/disk", KEY, &CHEAP, &volume, said) < 0);
	CHECK(!volume);
	CHECK(said[0] == '\0');
	return true;
}

static bool a_zeroed_disk_is_blank_and_a_formatted_one_is_ours(void)
{
	struct disk disk;

	CHECK(blank_disk(64 << 20));
	CHECK_EQ(disk_look(path, &disk), 0);
	CHECK_EQ((int)disk.kind, (int)DISK_BLANK);
	CHECK_EQ(disk.size, 64ull << 20);
	CHECK(formatted());
	CHECK_EQ(disk_look(path, &disk), 0);
	CHECK_EQ((int)disk.kind, (int)DISK_OURS);
	return true;
}

static bool any_byte_in_the_first_or_last_mib_makes_it_foreign(void)
{
	static const off_t OFFSETS[] = { 0, 511, 70000, (1 << 20) - 1, 63 << 20, (64 << 20) - 1 };
	struct disk disk;

	for (size_t i = 0; i < countof(OFFSETS); i++) {
		CHECK(blank_disk(64 << 20));
		CHECK(write_at(OFFSETS[i], "x"));
		CHECK_EQ(disk_look(path, &disk), 0);
		CHECK_EQ((int)disk.kind, (int)DISK_FOREIGN);
		CHECK(strcmp(disk.what, "data") == 0);
	}
	return true;
}

static bool known_file_systems_are_named(void)
{
	struct disk disk;

	CHECK(blank_disk(64 << 20));
	CHECK(write_at(0, "XFSB"));
	CHECK(write_at(65536 + 64, "_BHRfS_M")); /* btrfs: superblock of a sort */
	CHECK_EQ(disk_look(path, &disk), 0);
	CHECK_EQ((int)disk.kind, (int)DISK_FOREIGN);
	CHECK(disk.what[0] != '\0');
	return true;
}

int main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		return 99;
	(void)close(fd);
	RUN(a_volume_is_made_half_and_becomes_complete);
	RUN(only_the_recovery_key_opens_it);
	RUN(it_is_described_as_it_is);
	RUN(a_disk_of_odd_size_gets_small_sectors);
	RUN(the_header_is_backed_up_and_opens_from_the_copy);
	RUN(what_is_not_ours_is_not_loaded);
	RUN(a_disk_that_cannot_be_written_is_an_error);
	RUN(a_zeroed_disk_is_blank_and_a_formatted_one_is_ours);
	RUN(any_byte_in_the_first_or_last_mib_makes_it_foreign);
	RUN(known_file_systems_are_named);
	(void)unlink(path);
	return tap_done();
}
