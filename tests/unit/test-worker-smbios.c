/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/worker/smbios.h"
#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

#define HEAD "\x0b\x05\x00\x00\x02"

static bool found(const char *data, size_t len, const char *want)
{
	auto_buf struct buf got = buf_make(1 << 16);

	CHECK_EQ(smbios_find((const uint8_t *)data, len, &got), SMBIOS_OK);
	CHECK_EQ(got.len, strlen(want));
	CHECK(memcmp(got.data, want, got.len) == 0);
	return true;
}

static int find(const char *data, size_t len)
{
	auto_buf struct buf got = buf_make(1 << 16);

	return smbios_find((const uint8_t *)data, len, &got);
}

#define FOUND(text, want) found(text, sizeof(text), want)
#define FIND(text)	  find(text, sizeof(text))

static bool our_string_is_decoded(void)
{
	return FOUND(HEAD "redoubt.config=e30=\0", "{}");
}

static bool it_is_found_among_others(void)
{
	return FOUND(HEAD "io.systemd.credential:x=y\0redoubt.config=e30=\0more\0", "{}");
}

static bool every_other_string_is_ignored(void)
{
	CHECK_EQ(FIND(HEAD "io.systemd.credential:ssh.authorized_keys.root=AAAA\0"), SMBIOS_NONE);
	CHECK_EQ(FIND(HEAD "xredoubt.config=e30=\0"), SMBIOS_NONE);
	CHECK_EQ(FIND(HEAD "redoubt.config=\0"), SMBIOS_NONE);
	CHECK_EQ(FIND(HEAD "REDOUBT.CONFIG=e30=\0"), SMBIOS_NONE);
	return true;
}

static bool another_type_is_ignored(void)
{
	CHECK_EQ(FIND("\x0c\x05\x00\x00\x01redoubt.config=e30=\0"), SMBIOS_NONE);
	return true;
}

static bool what_is_not_base64_is_refused(void)
{
	CHECK_EQ(FIND(HEAD "redoubt.config={}\0"), SMBIOS_INVALID);
	return true;
}

static bool two_of_ours_are_refused(void)
{
	CHECK_EQ(FIND(HEAD "redoubt.config=e30=\0redoubt.config=e30=\0"), SMBIOS_INVALID);
	return true;
}

static bool a_wrong_header_length_is_not_followed(void)
{
	CHECK_EQ(FIND("\x0b\x04\x00\x00\x01redoubt.config=e30=\0"), SMBIOS_NONE);
	CHECK_EQ(FIND("\x0b\xff\x00\x00\x01redoubt.config=e30=\0"), SMBIOS_NONE);
	return true;
}

static bool every_cut_finds_nothing_or_the_whole(void)
{
	static const char DATA[] = HEAD "redoubt.config=e30=\0";

	for (size_t len = 0; len < sizeof(DATA) - 1; len++) {
		auto_free char *copy = malloc(len + !len); /* an overread is a crash under ASan */

		CHECK(copy);
		memcpy(copy, DATA, len);
		int r = find(copy, len);
		CHECK(r == SMBIOS_NONE || (r == SMBIOS_OK && len >= sizeof(DATA) - 2));
	}
	return true;
}

static bool too_long_is_refused(void)
{
	auto_free char *data = malloc(40000);

	CHECK(data);
	memset(data, 'A', 40000);
	memcpy(data, HEAD "redoubt.config=", 20);
	data[39996] = '\0';
	data[39997] = '\0';
	CHECK_EQ(find(data, 39998), SMBIOS_INVALID);
	return true;
}

/* A folder such as /sys/firmware/dmi/entries, with one structure. */
static bool the_kernels_folder_is_read(void)
{
	static const char DATA[] = HEAD "redoubt.config=e30=\0";
	char folder[] = "/tmp/redoubt-smbios-XXXXXX", path[128];
	auto_buf struct buf got = buf_make(1 << 16);

	CHECK(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/none", folder);
	CHECK_EQ(smbios_read(path, &got), SMBIOS_NONE);
	(void)snprintf(path, sizeof(path), "%s/11-0", folder);
	CHECK_EQ(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/11-0/raw", folder);
	auto_close int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_EQ(write(fd, DATA, sizeof(DATA)), (ssize_t)sizeof(DATA));
	CHECK_EQ(smbios_read(folder, &got), SMBIOS_OK);
	CHECK(got.len == 2 && memcmp(got.data, "{}", 2) == 0);
	CHECK_EQ(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/11-0", folder);
	CHECK_EQ(rmdir(path), 0);
	CHECK_EQ(rmdir(folder), 0);
	return true;
}

static bool no_memory_is_an_ordinary_error(void)
{
	fault_at(1);
	int r = FIND(HEAD "redoubt.config=e30=\0");
	CHECK(fault_end());
	CHECK_EQ(r, -ENOMEM);
	return true;
}

int main(void)
{
	RUN(our_string_is_decoded);
	RUN(it_is_found_among_others);
	RUN(every_other_string_is_ignored);
	RUN(another_type_is_ignored);
	RUN(what_is_not_base64_is_refused);
	RUN(two_of_ours_are_refused);
	RUN(a_wrong_header_length_is_not_followed);
	RUN(every_cut_finds_nothing_or_the_whole);
	RUN(too_long_is_refused);
	RUN(the_kernels_folder_is_read);
	RUN(no_memory_is_an_ordinary_error);
	return tap_done();
}
