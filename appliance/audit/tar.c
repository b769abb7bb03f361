/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/tar.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "appliance/audit/folder.h"
#include "common/base.h"
#include "common/buf.h"

constexpr uint64_t SIZE_MAX_HERE = UINT64_C(1) << 33; /* what 11 octal digits hold */

/* A header as it stands in the file: texts and octal numbers, each with its own room. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8];
	char type, link[100], magic[6], version[2], user[32], group[32], device[2][8], prefix[155];
	char rest[12];
};
static_assert(sizeof(struct header) == TAR_BLOCK);

struct member {
	uint64_t at, size;
	size_t order; /* of two with one name the later counts */
	char name[TAR_NAME_MAX];
};

struct tar {
	int fd;
	bool whole;
	struct member *member; /* [n], by name, then order */
	size_t n, room;
};

/* The sum of all bytes, the checksum's own taken for blanks. */
static unsigned int checksum_of(const struct header *header)
{
	constexpr size_t AT = offsetof(struct header, checksum);
	const uint8_t *byte = (const uint8_t *)header;
	unsigned int sum = 0;

	for (size_t i = 0; i < sizeof(*header); i++)
		sum += i >= AT && i < AT + sizeof(header->checksum) ? ' ' : byte[i];
	return sum;
}

void tar_add(struct buf *out, const char *name, const void *data, size_t len)
{
	static const uint8_t ZEROS[TAR_BLOCK];
	struct header header = { .type = '0', .magic = "ustar", .version = { '0', '0' } };

	if (strlen(name) >= TAR_NAME_MAX || len >= SIZE_MAX_HERE) {
		out->error = out->error ? out->error : -EMSGSIZE;
		return;
	}
	/* Whose it was and when says nothing here: the same files make the same stream. */
	(void)snprintf(header.name, sizeof(header.name), "%s", name);
	(void)snprintf(header.mode, sizeof(header.mode), "%07o", 0644u);
	(void)snprintf(header.uid, sizeof(header.uid), "%07o", 0u);
	(void)snprintf(header.gid, sizeof(header.gid), "%07o", 0u);
	(void)snprintf(header.size, sizeof(header.size), "%011llo", (unsigned long long)len);
	(void)snprintf(header.mtime, sizeof(header.mtime), "%011o", 1u);
	(void)snprintf(header.checksum, sizeof(header.checksum), "%06o", checksum_of(&header));
	header.checksum[7] = ' ';
	buf_add(out, &header, sizeof(header));
	buf_add(out, data, len);
	buf_add(out, ZEROS, (TAR_BLOCK - len % TAR_BLOCK) % TAR_BLOCK);
}

void tar_end(struct buf *out)
{
	static const uint8_t ZEROS[2 * TAR_BLOCK];

	buf_add(out, ZEROS, sizeof(ZEROS));
}

/* Read [len] at an offset. Returns how many there were, or -errno. */
static ssize_t read_at(int fd, void *ret, size_t len, uint64_t at)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = pread(fd, (uint8_t *)ret + got, len - got, (off_t)(at + got));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return neg_errno();
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

/* An octal number, as other programs write it too: blanks before, a blank or NUL behind. */
static bool read_octal(const char *text, size_t len, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i = 0, digits = 0;

	while (i < len && text[i] == ' ')
		i++;
	for (; i < len && text[i] >= '0' && text[i] <= '7'; i++, digits++)
		value = value << 3 | (uint64_t)(text[i] - '0');
	if (digits == 0 || digits > 11 || (i < len && text[i] != ' ' && text[i] != '\0'))
		return false;
	*ret = value;
	return true;
}

static bool is_header(const struct header *header, uint64_t *ret_size)
{
	uint64_t sum = 0;

	return memcmp(header->magic, "ustar", 5) == 0 &&
	       read_octal(header->checksum, sizeof(header->checksum), &sum) &&
	       sum == checksum_of(header) &&
	       read_octal(header->size, sizeof(header->size), ret_size);
}

/* Keep a member in mind, if its name can be one of ours. Returns 0 or -ENOMEM. */
static int keep(struct tar *tar, const struct header *header, uint64_t at, uint64_t size)
{
	size_t len = strnlen(header->name, sizeof(header->name));
	const char *name = header->name;

	if (len > 2 && memcmp(name, "./", 2) == 0) { /* as `tar -c .` writes them */
		name += 2;
		len -= 2;
	}
	if ((header->type != '0' && header->type != '\0') || header->prefix[0] ||
	    len >= TAR_NAME_MAX)
		return 0;
	if (tar->n == tar->room) {
		size_t room = tar->room ? 2 * tar->room : 64;
		struct member *member = reallocarray(tar->member, room, sizeof(*member));

		if (!member)
			return -ENOMEM;
		tar->member = member;
		tar->room = room;
	}
	struct member *member = &tar->member[tar->n];
	*member = (struct member) { .at = at, .size = size, .order = tar->n };
	memcpy(member->name, name, len);
	tar->n++;
	return 0;
}

/* Go through the file from header to header. Returns 0, TAR_NONE or -errno. */
static int find_members(struct tar *tar, uint64_t end)
{
	static const struct header NOTHING;
	struct header header;

	for (uint64_t at = 0; at < end;) {
		uint64_t size = 0;
		ssize_t got = read_at(tar->fd, &header, sizeof(header), at);

		if (got < 0)
			return (int)got;
		tar->whole = false;
		if (got < (ssize_t)sizeof(header))
			break;
		at += sizeof(header);
		if (memcmp(&header, &NOTHING, sizeof(header)) == 0) {
			tar->whole = tar->n > 0;
			continue;
		}
		if (!is_header(&header, &size))
			return tar->n > 0 ? 0 : TAR_NONE;
		if (size > end - at)
			break;
		int r = keep(tar, &header, at, size);
		if (r)
			return r;
		at += (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
	}
	return tar->n > 0 ? 0 : TAR_NONE;
}

static int by_name(const void *a, const void *b)
{
	const struct member *left = a, *right = b;
	int r = strcmp(left->name, right->name);

	return r ? r : (left->order > right->order) - (left->order < right->order);
}

int tar_open(int fd, struct tar **ret)
{
	cleanup(tar_close_at) struct tar *tar = calloc(1, sizeof(*tar));
	struct stat st;

	if (!tar)
		return -ENOMEM;
	if (fstat(fd, &st) < 0)
		return neg_errno();
	tar->fd = fd;
	int r = find_members(tar, st.st_size > 0 ? (uint64_t)st.st_size : 0);
	if (r)
		return r;
	qsort(tar->member, tar->n, sizeof(*tar->member), by_name);
	*ret = TAKE(tar);
	return 0;
}

struct tar *tar_close(struct tar *tar)
{
	if (!tar)
		return nullptr;
	free(tar->member);
	free(tar);
	return nullptr;
}

bool tar_is_whole(const struct tar *tar)
{
	return tar->whole;
}

/* The place of the first member whose name is not below name. */
static size_t lower_bound(const struct tar *tar, const char *name)
{
	size_t low = 0, high = tar->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(tar->member[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int tar_read(const struct tar *tar, const char *name, struct buf *ret)
{
	size_t i = lower_bound(tar, name);

	if (i == tar->n || strcmp(tar->member[i].name, name) != 0)
		return FOLDER_MISSING;
	while (i + 1 < tar->n && strcmp(tar->member[i + 1].name, name) == 0)
		i++;

	const struct member *member = &tar->member[i];
	if (member->size > ret->max - ret->len)
		return FOLDER_TOO_BIG;
	if (member->size == 0)
		return 0;
	uint8_t *room = buf_reserve(ret, member->size);
	if (!room)
		return buf_error(ret);
	ssize_t got = read_at(tar->fd, room, member->size, member->at);
	if (got < 0)
		return (int)got;
	if ((uint64_t)got < member->size)
		return -EIO; /* it has become shorter meanwhile */
	ret->len += member->size;
	return 0;
}

int tar_numbers(const struct tar *tar, const char *path, uint64_t *ret_smallest,
		uint64_t *ret_largest)
{
	uint64_t smallest = UINT64_MAX, largest = 0, number = 0;
	char below[TAR_NAME_MAX];
	bool found = false;

	int len = snprintf(below, sizeof(below), "%s/", path);
	if (len < 0 || (size_t)len >= sizeof(below))
		return FOLDER_MISSING;
	for (size_t i = lower_bound(tar, below); i < tar->n; i++) {
		if (strncmp(tar->member[i].name, below, (size_t)len) != 0)
			break;
		if (!folder_number(tar->member[i].name + len, &number))
			continue;
		smallest = number < smallest ? number : smallest;
		largest = number > largest ? number : largest;
		found = true;
	}
	if (!found)
		return FOLDER_MISSING;
	*ret_smallest = smallest;
	*ret_largest = largest;
	return 0;
}
