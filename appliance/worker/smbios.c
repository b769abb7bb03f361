/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/smbios.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/worker/config.h"
#include "common/crypto/crypto.h"

static const char NAME[] = "redoubt.config=";

constexpr uint8_t TYPE_OEM_STRINGS = 11;
constexpr size_t HEADER_MIN = 5; /* type, length, handle, count of strings */
constexpr size_t STRUCTURE_MAX = 64 * 1024;

/* Decode the text behind our name and append it. */
static int take(const uint8_t *text, size_t len, struct buf *ret)
{
	size_t decoded_len = 0;

	if (len > crypto_base64_len(CONFIG_MAX))
		return SMBIOS_INVALID;
	uint8_t *room = buf_reserve(ret, CONFIG_MAX);
	if (!room)
		return buf_error(ret) == -ENOMEM ? -ENOMEM : SMBIOS_INVALID;
	if (!crypto_base64_decode((const char *)text, len, room, CONFIG_MAX, &decoded_len))
		return SMBIOS_INVALID;
	ret->len += decoded_len;
	return SMBIOS_OK;
}

int smbios_find(const uint8_t *data, size_t len, struct buf *ret)
{
	constexpr size_t name_len = sizeof(NAME) - 1;
	const uint8_t *found = nullptr;
	size_t found_len = 0;

	if (len < HEADER_MIN || data[0] != TYPE_OEM_STRINGS || data[1] < HEADER_MIN ||
	    data[1] > len)
		return SMBIOS_NONE;

	for (size_t at = data[1]; at < len && data[at] != '\0';) {
		const uint8_t *end = memchr(data + at, '\0', len - at);
		if (!end)
			break; /* cut off in the middle: nobody knows what it said */
		size_t string_len = (size_t)(end - (data + at));

		if (string_len > name_len && memcmp(data + at, NAME, name_len) == 0) {
			if (found)
				return SMBIOS_INVALID; /* which one was meant? */
			found = data + at + name_len;
			found_len = string_len - name_len;
		}
		at += string_len + 1;
	}
	return found ? take(found, found_len, ret) : SMBIOS_NONE;
}

static int read_entry(int dir, const char *name, struct buf *ret)
{
	auto_free uint8_t *data = malloc(STRUCTURE_MAX);
	char path[300];
	size_t len = 0;

	if (!data)
		return -ENOMEM;
	(void)snprintf(path, sizeof(path), "%s/raw", name);
	auto_close int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return neg_errno();
	for (ssize_t n = 1; n > 0 && len < STRUCTURE_MAX; len += (size_t)n) {
		n = read(fd, data + len, STRUCTURE_MAX - len);
		if (n < 0)
			return neg_errno();
	}
	return smbios_find(data, len, ret);
}

static void closedir_at(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

int smbios_read(const char *entries, struct buf *ret)
{
	cleanup(closedir_at) DIR *dir = opendir(entries);
	int found = SMBIOS_NONE;

	if (!dir)
		return errno == ENOENT ? SMBIOS_NONE : neg_errno();

	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (strncmp(entry->d_name, "11-", 3) != 0)
			continue;
		int r = read_entry(dirfd(dir), entry->d_name, ret);
		if (r == SMBIOS_NONE)
			continue;
		if (r != SMBIOS_OK)
			return r;
		if (found == SMBIOS_OK)
			return SMBIOS_INVALID; /* in two structures */
		found = SMBIOS_OK;
	}
	return found;
}
