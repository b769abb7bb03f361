/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/zones.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

constexpr size_t CACHE_MAX = 64; /* of some 600; at most 0.3 MB */
constexpr size_t NAME_MAX_LEN = 63;

struct entry {
	char name[NAME_MAX_LEN + 1];
	struct zone *zone;
};

struct zones {
	const char *folder;
	size_t n, oldest; /* the entry to give up next once all are used */
	struct entry entry[CACHE_MAX];
};

int zones_new(const char *folder, struct zones **ret)
{
	struct zones *zones = calloc(1, sizeof(*zones));

	if (!zones)
		return -ENOMEM;
	zones->folder = folder;
	*ret = zones;
	return 0;
}

struct zones *zones_free(struct zones *zones)
{
	for (size_t i = 0; zones && i < zones->n; i++)
		(void)zone_free(zones->entry[i].zone);
	free(zones);
	return nullptr;
}

/* Whether a name is made of words that begin with a letter, with / between them. */
static bool is_safe(const char *name)
{
	static const char WORD[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-";

	for (;;) {
		size_t n = strspn(name, WORD);

		if (n == 0 ||
		    !((name[0] >= 'A' && name[0] <= 'Z') || (name[0] >= 'a' && name[0] <= 'z')))
			return false;
		if (name[n] == '\0')
			return true;
		if (name[n] != '/')
			return false;
		name += n + 1;
	}
}

static bool digits(const char *at, int max, int *ret)
{
	if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
		return false;
	*ret = (at[0] - '0') * 10 + (at[1] - '0');
	return *ret <= max;
}

/* Read Z, UTC, GMT, ±hh, ±hhmm, ±hh:mm or ±hh:mm:ss. Returns whether the name is one of them. */
static bool fixed_offset(const char *name, int32_t *ret)
{
	int hour = 0, minute = 0, second = 0;
	const char *at = name + 3;

	*ret = 0;
	if (strcasecmp(name, "UTC") == 0 || strcasecmp(name, "GMT") == 0 || strcmp(name, "Z") == 0)
		return true;
	if ((name[0] != '+' && name[0] != '-') || !digits(name + 1, 18, &hour))
		return false;
	bool colon = *at == ':';
	if (*at) {
		at += colon;
		if (!digits(at, 59, &minute))
			return false;
		at += 2;
	}
	if (colon && *at == ':') {
		if (!digits(at + 1, 59, &second))
			return false;
		at += 3;
	}
	*ret = hour * 3600 + minute * 60 + second;
	*ret = name[0] == '-' ? -*ret : *ret;
	return *at == '\0';
}

/* Read a zone's file. Returns 0, ZONES_UNKNOWN, -ENOMEM or -errno. */
static int read_zone(const char *folder, const char *name, struct zone **ret)
{
	auto_close int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	size_t len = 0;

	if (dir < 0)
		return errno == ENOENT ? ZONES_UNKNOWN : neg_errno();
	/* Links are followed: Debian's aliases are links, and the folder is part of the read-only image. */
	auto_close int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 && errno == ENOMEM)
		return -ENOMEM;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size > (off_t)ZONE_FILE_MAX)
		return ZONES_UNKNOWN;

	auto_free uint8_t *data = malloc(ZONE_FILE_MAX);
	if (!data)
		return -ENOMEM;
	while (len < ZONE_FILE_MAX) {
		ssize_t got = read(fd, data + len, ZONE_FILE_MAX - len);

		if (got < 0 && errno != EINTR)
			return neg_errno();
		if (got == 0)
			break;
		len += got > 0 ? (size_t)got : 0;
	}
	int r = zone_read(data, len, ret);
	return r == -EBADMSG ? ZONES_UNKNOWN : r; /* tables and lists lie there too */
}

static void keep(struct zones *zones, const char *name, struct zone *zone)
{
	size_t at = zones->n < CACHE_MAX ? zones->n++ : zones->oldest;
	struct entry *entry = &zones->entry[at];

	zones->oldest = (at + 1) % CACHE_MAX;
	(void)zone_free(entry->zone);
	entry->zone = zone;
	(void)snprintf(entry->name, sizeof(entry->name), "%s", name);
}

int zones_find(struct zones *zones, const char *name, size_t len, const struct zone **ret)
{
	char text[NAME_MAX_LEN + 1];
	struct zone *zone = nullptr;
	int32_t offset;

	if (len == 0 || len > NAME_MAX_LEN || memchr(name, 0, len))
		return ZONES_UNKNOWN;
	memcpy(text, name, len);
	text[len] = '\0';
	for (size_t i = 0; i < zones->n; i++)
		if (strcmp(zones->entry[i].name, text) == 0) {
			*ret = zones->entry[i].zone;
			return 0;
		}

	int r = ZONES_UNKNOWN;
	if (fixed_offset(text, &offset))
		r = zone_fixed(offset, offset || text[0] != 'Z' ? text : "UTC", &zone);
	else if (is_safe(text))
		r = read_zone(zones->folder, text, &zone);
	if (r)
		return r;
	keep(zones, text, zone);
	*ret = zone;
	return 0;
}
