/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "appliance/worker/disk.h"
#include "common/base.h"
#include "tests/lib/tap.h"

constexpr uint64_t GIB = 1ull << 30;

static const struct disk BLANK_B = { "/dev/vdb", GIB, DISK_BLANK, "" };
static const struct disk BLANK_C = { "/dev/vdc", GIB, DISK_BLANK, "" };
static const struct disk TINY = { "/dev/vdd", 1 << 20, DISK_BLANK, "" };
static const struct disk OURS = { "/dev/vde", GIB, DISK_OURS, "crypto_LUKS" };
static const struct disk OURS_TOO = { "/dev/vdf", GIB, DISK_OURS, "crypto_LUKS" };
static const struct disk EXT4 = { "/dev/vdg", GIB, DISK_FOREIGN, "ext4" };
static const struct disk TABLE = { "/dev/vdh", GIB, DISK_FOREIGN, "a partition table (gpt)" };

static struct disk chosen;
static char text[DISK_TEXT];

static int choose(bool take_foreign, size_t n, const struct disk *const *disk)
{
	struct disk disks[8];

	for (size_t i = 0; i < n; i++)
		disks[i] = *disk[i];
	memset(&chosen, 0, sizeof(chosen));
	text[0] = '\0';
	return disk_choose(disks, n, take_foreign, &chosen, text);
}

#define CHOOSE(take, ...)                                                                     \
	choose(take,                                                                          \
	       sizeof((const struct disk *[]) { __VA_ARGS__ }) / sizeof(const struct disk *), \
	       (const struct disk *[]) { __VA_ARGS__ })

static bool our_volume_goes_before_everything(void)
{
	CHECK_EQ(CHOOSE(false, &BLANK_B, &EXT4, &OURS, &BLANK_C), DISK_OK);
	CHECK(strcmp(chosen.path, "/dev/vde") == 0);
	return true;
}

static bool one_blank_disk_is_taken_and_a_tiny_one_is_not_counted(void)
{
	CHECK_EQ(CHOOSE(false, &TINY, &BLANK_B, &EXT4), DISK_OK);
	CHECK(strcmp(chosen.path, "/dev/vdb") == 0);
	return true;
}

static bool several_of_a_kind_are_not_guessed_among(void)
{
	CHECK_EQ(CHOOSE(false, &BLANK_B, &BLANK_C), DISK_AMBIGUOUS);
	CHECK(strstr(text, "/dev/vdb, /dev/vdc"));
	CHECK(strstr(text, "device"));
	CHECK_EQ(CHOOSE(true, &OURS, &OURS_TOO, &BLANK_B), DISK_AMBIGUOUS);
	return true;
}

static bool foreign_data_is_not_touched_without_the_word(void)
{
	CHECK_EQ(CHOOSE(false, &EXT4), DISK_ONLY_FOREIGN);
	CHECK(strstr(text, "/dev/vdg (ext4)"));
	CHECK(strstr(text, "erase-foreign-data"));
	CHECK_EQ(CHOOSE(true, &EXT4), DISK_OK);
	CHECK(strcmp(chosen.path, "/dev/vdg") == 0);
	return true;
}

static bool with_the_word_one_of_several_foreign_disks_must_still_be_named(void)
{
	CHECK_EQ(CHOOSE(true, &EXT4, &TABLE), DISK_ONLY_FOREIGN);
	CHECK(strstr(text, "\"device\""));
	return true;
}

static bool with_the_word_a_blank_disk_is_still_preferred(void)
{
	CHECK_EQ(CHOOSE(true, &EXT4, &BLANK_B), DISK_OK);
	CHECK(strcmp(chosen.path, "/dev/vdb") == 0);
	return true;
}

static bool no_disk_says_what_to_do(void)
{
	CHECK_EQ(choose(false, 0, nullptr), DISK_NONE);
	CHECK(strstr(text, "attach one"));
	CHECK_EQ(CHOOSE(false, &TINY), DISK_NONE);
	return true;
}

static bool a_configured_disk_that_is_not_there_is_said_so(void)
{
	struct disk disk;

	CHECK_EQ(disk_find("/dev/redoubt-no-such-disk", false, &disk, text), DISK_NONE);
	CHECK(strstr(text, "is not there"));
	return true;
}

int main(void)
{
	RUN(our_volume_goes_before_everything);
	RUN(one_blank_disk_is_taken_and_a_tiny_one_is_not_counted);
	RUN(several_of_a_kind_are_not_guessed_among);
	RUN(foreign_data_is_not_touched_without_the_word);
	RUN(with_the_word_one_of_several_foreign_disks_must_still_be_named);
	RUN(with_the_word_a_blank_disk_is_still_preferred);
	RUN(no_disk_says_what_to_do);
	RUN(a_configured_disk_that_is_not_there_is_said_so);
	return tap_done();
}
