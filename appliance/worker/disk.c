/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <blkid/blkid.h>

#include "appliance/worker/volume.h"

constexpr size_t MIB = 1u << 20;
constexpr int SLAVES_DEPTH_MAX = 4; /* dm-verity on a partition on a disk is 3 */
constexpr size_t SYS_PATH = 1024;   /* sysfs paths of real machines have 200 */

/* Kinds of block devices that are never a data disk. */
static const char *const SKIPPED[] = { "loop", "ram", "dm-", "sr", "fd", "zram", "md", "nbd" };

static void closedir_at(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

/* Whether [offset, offset + len) holds only zeros. Returns 1 or 0, or -errno. */
static int is_zero(int fd, uint64_t offset, size_t len)
{
	auto_free uint8_t *data = calloc(1, len);

	if (!data)
		return -ENOMEM;
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(fd, data + done, len - done, (off_t)(offset + done));

		if (n < 0)
			return neg_errno();
		if (n == 0)
			return -EIO; /* the disk is shorter than it says */
		done += (size_t)n;
	}
	return data[0] == 0 && memcmp(data, data + 1, len - 1) == 0;
}

/* Ask libblkid what is on it. Sets disk->kind and what. */
static int probe(struct disk *disk)
{
	blkid_probe pr = blkid_new_probe_from_filename(disk->path);
	const char *value = nullptr;
	size_t len = 0;

	if (!pr)
		return neg_errno();
	(void)blkid_probe_enable_superblocks(pr, 1);
	(void)blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_LABEL |
							    BLKID_SUBLKS_VERSION);
	(void)blkid_probe_enable_partitions(pr, 1);
	int r = blkid_do_safeprobe(pr); /* 0 found, 1 nothing, -2 several, -1 fault */
	disk->kind = r == 1 ? DISK_BLANK : DISK_FOREIGN;
	(void)snprintf(disk->what, sizeof(disk->what), "%s", r == 1 ? "" : "data");
	if (r == 0 && blkid_probe_lookup_value(pr, "TYPE", &value, &len) == 0)
		(void)snprintf(disk->what, sizeof(disk->what), "%s", value);
	else if (r == 0 && blkid_probe_lookup_value(pr, "PTTYPE", &value, &len) == 0)
		(void)snprintf(disk->what, sizeof(disk->what), "a partition table (%s)", value);
	if (r == 0 && strcmp(disk->what, "crypto_LUKS") == 0 &&
	    blkid_probe_lookup_value(pr, "LABEL", &value, &len) == 0 &&
	    strcmp(value, VOLUME_LABEL) == 0)
		disk->kind = DISK_OURS;
	blkid_free_probe(pr);
	return r == -1 ? -EIO : 0;
}

static int size_of(int fd, uint64_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return neg_errno();
	if (S_ISREG(st.st_mode)) {
		*ret = (uint64_t)st.st_size;
		return 0;
	}
	if (!S_ISBLK(st.st_mode))
		return -ENOTBLK;
	return ioctl(fd, BLKGETSIZE64, ret) < 0 ? neg_errno() : 0;
}

int disk_look(const char *path, struct disk *ret)
{
	struct disk disk = {};
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return neg_errno();
	if ((size_t)snprintf(disk.path, sizeof(disk.path), "%s", path) >= sizeof(disk.path))
		return -ENAMETOOLONG;
	int r = size_of(fd, &disk.size);
	if (r == 0)
		r = probe(&disk);
	if (r)
		return r;
	if (disk.kind == DISK_BLANK && disk.size >= 2 * MIB) {
		int first = is_zero(fd, 0, MIB);
		int last = first == 1 ? is_zero(fd, disk.size - MIB, MIB) : first;

		if (last < 0)
			return last;
		disk.kind = last ? DISK_BLANK : DISK_FOREIGN;
		(void)snprintf(disk.what, sizeof(disk.what), "%s", last ? "" : "data");
	}
	*ret = disk;
	return 0;
}

/* Append "/dev/vdb (ext4), /dev/vdc" for the disks of a kind. */
static void list_disks(const struct disk *disk, size_t n, enum disk_kind kind, char *ret,
		       size_t room)
{
	size_t len = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < n && len < room; i++) {
		if (disk[i].kind != kind)
			continue;
		len += (size_t)snprintf(ret + len, room - len, "%s%s%s%s%s", len ? ", " : "",
					disk[i].path, disk[i].what[0] ? " (" : "", disk[i].what,
					disk[i].what[0] ? ")" : "");
	}
}

/* The number of disks of a kind; *ret is the last of them. */
static size_t count_kind(const struct disk *disk, size_t n, enum disk_kind kind, struct disk *ret)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		if (disk[i].kind != kind || (kind == DISK_BLANK && disk[i].size < DISK_SIZE_MIN))
			continue;
		*ret = disk[i];
		count++;
	}
	return count;
}

int disk_choose(const struct disk *disk, size_t n, bool take_foreign, struct disk *ret,
		char text[DISK_TEXT])
{
	char list[DISK_TEXT / 2];
	static const char WHICH[] = "say which with \"volumes\":{\"data\":{\"device\":…}}";

	for (enum disk_kind kind = DISK_OURS;; kind = DISK_BLANK) {
		struct disk found;
		size_t count = count_kind(disk, n, kind, &found);

		list_disks(disk, n, kind, list, sizeof(list));
		if (count > 1) {
			(void)snprintf(text, DISK_TEXT,
				       "several disks could be the data disk: %s; %s", list, WHICH);
			return DISK_AMBIGUOUS;
		}
		if (count == 1) {
			*ret = found;
			return DISK_OK;
		}
		if (kind == DISK_BLANK)
			break;
	}

	struct disk foreign;
	size_t count = count_kind(disk, n, DISK_FOREIGN, &foreign);
	list_disks(disk, n, DISK_FOREIGN, list, sizeof(list));
	if (count == 0) {
		(void)snprintf(text, DISK_TEXT,
			       "there is no data disk; attach one of at least 512 MiB and restart");
		return DISK_NONE;
	}
	*ret = foreign;
	if (take_foreign && count == 1)
		return DISK_OK;
	(void)snprintf(
		text, DISK_TEXT,
		"no blank data disk: %s; nothing was touched. Attach a blank disk, or allow to "
		"erase one with \"format\":\"erase-foreign-data\"%s",
		list, count > 1 ? " and its \"device\"" : "");
	return DISK_ONLY_FOREIGN;
}

/* Follow a device down to the disks it lies on and note their names: "vda", … */
static void note_disks_below(const char *sys_device, char names[][32], size_t *n, int depth)
{
	char path[SYS_PATH], *real = realpath(sys_device, nullptr);

	if (!real)
		return;
	const char *own = strrchr(real, '/') + 1;
	(void)snprintf(path, sizeof(path), "%s/partition", real);
	if (access(path, F_OK) == 0) { /* a partition's folder lies in its disk's */
		real[own - real - 1] = '\0';
		own = strrchr(real, '/') + 1;
	}
	if (*n < DISKS_MAX)
		(void)snprintf(names[(*n)++], 32, "%.31s", own);

	(void)snprintf(path, sizeof(path), "%s/slaves", real);
	free(real);
	cleanup(closedir_at) DIR *dir = opendir(path);
	for (struct dirent *e = dir ? readdir(dir) : nullptr; e; e = readdir(dir)) {
		char slave[SYS_PATH + 300];

		if (e->d_name[0] == '.' || depth == SLAVES_DEPTH_MAX)
			continue;
		(void)snprintf(slave, sizeof(slave), "%s/%s", path, e->d_name);
		note_disks_below(slave, names, n, depth + 1);
	}
}

/* The names of the disks that hold the running system. */
static size_t system_disks(char names[][32])
{
	struct stat st;
	char path[64];
	size_t n = 0;

	if (stat("/", &st) < 0)
		return 0;
	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(st.st_dev),
		       minor(st.st_dev));
	note_disks_below(path, names, &n, 0);
	return n;
}

static bool is_candidate(const char *name, char system[][32], size_t n_system)
{
	char path[300];

	for (size_t i = 0; i < countof(SKIPPED); i++)
		if (strncmp(name, SKIPPED[i], strlen(SKIPPED[i])) == 0)
			return false;
	for (size_t i = 0; i < n_system; i++)
		if (strcmp(name, system[i]) == 0)
			return false;
	(void)snprintf(path, sizeof(path), "/sys/block/%s/hidden", name); /* NVMe multipath legs */
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	char hidden = '0';
	return name[0] != '.' && (fd < 0 || read(fd, &hidden, 1) != 1 || hidden == '0');
}

static int find_configured(const char *device, bool take_foreign, struct disk *ret,
			   char text[DISK_TEXT])
{
	char system[DISKS_MAX][32];
	size_t n_system = system_disks(system);
	auto_free char *real = realpath(device, nullptr);

	int r = real ? disk_look(real, ret) : neg_errno();
	if (r == -ENOENT || r == -ENXIO || r == -ENOMEDIUM) {
		(void)snprintf(
			text, DISK_TEXT,
			"the configured data disk %s is not there; attach it and restart, or "
			"change \"device\"",
			device);
		return DISK_NONE;
	}
	if (r)
		return r;
	for (size_t i = 0; i < n_system; i++) {
		if (strncmp(real + strlen("/dev/"), system[i], strlen(system[i])) != 0)
			continue;
		(void)snprintf(text, DISK_TEXT, "%s is the disk with the system; choose another",
			       device);
		return DISK_NONE;
	}
	if (ret->kind != DISK_FOREIGN || take_foreign)
		return DISK_OK;
	(void)snprintf(text, DISK_TEXT,
		       "%s is not blank: it holds %s; nothing was touched. Choose another disk, or "
		       "allow to erase it with \"format\":\"erase-foreign-data\"",
		       device, ret->what);
	return DISK_ONLY_FOREIGN;
}

int disk_find(const char *device, bool take_foreign, struct disk *ret, char text[DISK_TEXT])
{
	if (device[0])
		return find_configured(device, take_foreign, ret, text);

	char system[DISKS_MAX][32];
	size_t n_system = system_disks(system), n = 0;
	auto_free struct disk *disks = calloc(DISKS_MAX, sizeof(*disks));
	cleanup(closedir_at) DIR *dir = opendir("/sys/block");
	if (!disks)
		return -ENOMEM;
	if (!dir)
		return neg_errno();

	for (struct dirent *e = readdir(dir); e && n < DISKS_MAX; e = readdir(dir)) {
		char path[300];

		if (!is_candidate(e->d_name, system, n_system))
			continue;
		(void)snprintf(path, sizeof(path), "/dev/%s", e->d_name);
		if (disk_look(path, &disks[n]) == 0 && disks[n].size > 0)
			n++; /* one that cannot be read is not a data disk */
	}
	return disk_choose(disks, n, take_foreign, ret, text);
}
