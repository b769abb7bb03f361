/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt-init: the only program of the initrd. Loads the kernel modules beside it, opens the root
 * partition with dm-verity and hands over to systemd. No shell, no udev, no libraries: what is not
 * here cannot be made to do something else.
 *
 * It trusts what lies in the initrd, which is signed together with the kernel, and nothing else;
 * in particular it refuses a command line that differs from the signed one. If anything is wrong
 * it says so and ends, which makes the kernel panic.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "image/initrd/verity.h"

constexpr int DISK_WAIT_S = 60; /* network disks of a cloud may come late */
constexpr long POLL_NS = 20'000'000;
constexpr uint32_t SECTOR = 512; /* device-mapper's unit, whatever the disk's is */
static const char SYSTEMD[] = "/usr/lib/systemd/systemd";

struct mount_row {
	const char *type, *at;
	unsigned long flags;
	const char *options;
};

/* As systemd would mount them; they move along to the root. */
static const struct mount_row MOUNTS[] = {
	{ "proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr },
	{ "sysfs", "/sys", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr },
	{ "devtmpfs", "/dev", MS_NOSUID | MS_STRICTATIME, "mode=0755,size=4m,nr_inodes=1m" },
};

/* Tell the kernel's log, which is also the console. Level 2 is shown under "quiet" too. */
[[gnu::format(printf, 1, 2)]] static void tell(const char *format, ...)
{
	char text[1024];
	auto_close int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	va_list args;

	if (fd < 0)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	(void)dprintf(fd, "<2>redoubt-init: %s\n", text);
}

/* End the boot. The kernel panics when its first process ends. */
[[noreturn]] static void stop(const char *what, int error)
{
	tell("the boot stops: %s%s%s", what, error ? ": " : "", error ? strerror(-error) : "");
	_exit(1);
}

static void mount_kernel_filesystems(void)
{
	for (size_t i = 0; i < countof(MOUNTS); i++)
		if (mount(MOUNTS[i].type, MOUNTS[i].at, MOUNTS[i].type, MOUNTS[i].flags,
			  MOUNTS[i].options) < 0)
			stop(MOUNTS[i].at, neg_errno());
}

/* Read a small text file whole, without its last newline. Returns 0 or -errno. */
static int read_text(const char *path, char *ret, size_t room)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return neg_errno();

	size_t len = 0;
	for (;;) {
		ssize_t n = read(fd, ret + len, room - len);

		if (n < 0)
			return neg_errno();
		if (n == 0)
			break;
		len += (size_t)n;
		if (len == room)
			return -EFBIG;
	}
	if (len > 0 && ret[len - 1] == '\n')
		len--;
	ret[len] = '\0';
	return 0;
}

/* Load one module. A processor's special instructions may be missing: not worth a word. */
static void load_module(const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "/modules/%s", name);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		stop(path, neg_errno());
	if (syscall(SYS_finit_module, fd, "", 0) == 0 || errno == EEXIST || errno == ENODEV)
		return;
	tell("module %s is not loaded: %s", name, strerror(errno));
}

/* Load the modules in the order in which they are listed, dependencies first. */
static void load_modules(void)
{
	char list[4096];
	int r = read_text("/modules/list", list, sizeof(list));
	if (r)
		stop("/modules/list", r);

	char *rest = nullptr;
	for (char *name = strtok_r(list, "\n", &rest); name; name = strtok_r(nullptr, "\n", &rest))
		load_module(name);
}

static void root_hash_from_command_line(char ret[static ROOT_HASH_HEX + 1])
{
	char line[3072], expected[3072]; /* the kernel allows 2048 */
	int r = read_text("/proc/cmdline", line, sizeof(line));
	if (!r)
		r = read_text("/cmdline", expected, sizeof(expected));
	if (r)
		stop("reading the command line", r);
	if (!cmdline_root_hash(line, expected, ret))
		stop("the kernel's command line is not the signed one", 0);
}

/* The partition's place on a disk: 1 and up, or 0 if it is not there or the disk is unreadable. */
static uint32_t partition_on_disk(const char *disk, const uint8_t guid[static GUID_LEN])
{
	uint8_t header[GPT_HEADER_LEN];
	static uint8_t entries[GPT_ENTRIES_MAX * GPT_ENTRY_LEN];
	struct gpt gpt;
	char path[300];
	int block = 0;

	(void)snprintf(path, sizeof(path), "/dev/%s", disk);
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, BLKSSZGET, &block) < 0 || block < (int)SECTOR || block > 65536)
		return 0;
	if (pread(fd, header, sizeof(header), block) != (ssize_t)sizeof(header) ||
	    !gpt_parse(header, sizeof(header), &gpt))
		return 0;

	size_t len = gpt.entries * GPT_ENTRY_LEN;
	if (pread(fd, entries, len, (off_t)gpt.entries_lba * block) != (ssize_t)len)
		return 0;
	return gpt_find(entries, gpt.entries, guid);
}

/* The name of a disk's partition by its place. The kernel lists partitions below their disk. */
static bool partition_name(const char *disk, uint32_t place, char *ret, size_t room)
{
	char path[600], text[16], wanted[16];

	(void)snprintf(wanted, sizeof(wanted), "%u", place);
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s", disk);
	DIR *dir = opendir(path);
	if (!dir)
		return false;

	bool found = false;
	for (struct dirent *entry; !found && (entry = readdir(dir));) {
		(void)snprintf(path, sizeof(path), "/sys/class/block/%s/%s/partition", disk,
			       entry->d_name);
		found = read_text(path, text, sizeof(text)) == 0 && strcmp(text, wanted) == 0 &&
			(size_t)snprintf(ret, room, "/dev/%s", entry->d_name) < room;
	}
	(void)closedir(dir);
	return found;
}

/* Look through all disks for a partition. */
static bool find_partition(const uint8_t guid[static GUID_LEN], char *ret, size_t room)
{
	DIR *dir = opendir("/sys/class/block");
	if (!dir)
		return false;

	bool found = false;
	for (struct dirent *entry; !found && (entry = readdir(dir));) {
		if (entry->d_name[0] == '.')
			continue;
		uint32_t place = partition_on_disk(entry->d_name, guid);
		found = place > 0 && partition_name(entry->d_name, place, ret, room);
	}
	(void)closedir(dir);
	return found;
}

static void wait_for_partition(const uint8_t guid[static GUID_LEN], char *ret, size_t room)
{
	for (long tries = DISK_WAIT_S * (1'000'000'000 / POLL_NS); tries > 0; tries--) {
		if (find_partition(guid, ret, room))
			return;
		(void)nanosleep(&(struct timespec) { .tv_nsec = POLL_NS }, nullptr);
	}
	stop("no disk holds the root partition of this kernel", 0);
}

/* A device-mapper request: the header, one target, its parameters. */
struct dm_request {
	struct dm_ioctl head;
	struct dm_target_spec target;
	char params[2048];
};

static void dm_call(int control, unsigned long call, struct dm_request *request)
{
	if (ioctl(control, call, request) < 0)
		stop("device-mapper", neg_errno());
}

static void dm_request_init(struct dm_request *request, const char *hash)
{
	request->head.version[0] = DM_VERSION_MAJOR;
	request->head.data_size = sizeof(*request);
	request->head.data_start = offsetof(struct dm_request, target);
	memcpy(request->head.name, "root", sizeof("root"));
	/* The form in which libcryptsetup names them, so that its tools know the device. */
	(void)snprintf(request->head.uuid, sizeof(request->head.uuid), "CRYPT-VERITY-%.32s-root",
		       hash);
}

/* Make /dev/dm-N from the two partitions; the kernel checks every block that is read from it. */
static void open_verity(const char *hash, const char *data, const char *hashes, char *ret,
			size_t room)
{
	uint8_t superblock[VERITY_SUPERBLOCK_LEN];
	struct verity verity;

	auto_close int fd = open(hashes, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		stop(hashes, neg_errno());
	if (pread(fd, superblock, sizeof(superblock), 0) != (ssize_t)sizeof(superblock) ||
	    !verity_parse(superblock, sizeof(superblock), &verity))
		stop("the hash partition has no sound superblock", 0);

	auto_close int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		stop("/dev/mapper/control", neg_errno());

	static struct dm_request request;
	dm_request_init(&request, hash);
	dm_call(control, DM_DEV_CREATE, &request);

	request = (struct dm_request) {};
	dm_request_init(&request, hash);
	request.head.uuid[0] = '\0'; /* the name is enough from here on, both are refused */
	request.head.flags = DM_READONLY_FLAG;
	request.head.target_count = 1;
	request.target.length = verity.data_blocks * verity.data_block_size / SECTOR;
	memcpy(request.target.target_type, "verity", sizeof("verity"));
	if (!verity_table(&verity, hash, data, hashes, request.params, sizeof(request.params)))
		stop("the verity table is too long", 0);
	dm_call(control, DM_TABLE_LOAD, &request);

	request = (struct dm_request) {};
	dm_request_init(&request, hash);
	request.head.uuid[0] = '\0';
	dm_call(control, DM_DEV_SUSPEND, &request); /* without the suspend flag: resume */

	(void)snprintf(ret, room, "/dev/dm-%u", minor(request.head.dev));
}

/* Free the initrd's memory: the modules are loaded and nothing else is needed. */
static void empty_initrd(void)
{
	DIR *dir = opendir("/modules");

	if (dir) {
		for (struct dirent *entry; (entry = readdir(dir));)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
		(void)closedir(dir);
	}
	(void)unlink("/init");
	(void)unlink("/cmdline");
}

/* Make the mounted root the root, with the kernel's file systems in it. */
static void switch_root(void)
{
	char target[300];

	empty_initrd();
	for (size_t i = 0; i < countof(MOUNTS); i++) {
		(void)snprintf(target, sizeof(target), "/root%s", MOUNTS[i].at);
		if (mount(MOUNTS[i].at, target, nullptr, MS_MOVE, nullptr) < 0)
			stop(target, neg_errno());
	}
	if (chdir("/root") < 0 || mount(".", "/", nullptr, MS_MOVE, nullptr) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0)
		stop("making the root partition the root", neg_errno());
}

int main(void)
{
	char hash[ROOT_HASH_HEX + 1], data[300], hashes[300], root[32];
	uint8_t data_guid[GUID_LEN], hash_guid[GUID_LEN];

	mount_kernel_filesystems();
	root_hash_from_command_line(hash);
	root_hash_guids(hash, data_guid, hash_guid);
	load_modules();
	wait_for_partition(data_guid, data, sizeof(data));
	wait_for_partition(hash_guid, hashes, sizeof(hashes));
	open_verity(hash, data, hashes, root, sizeof(root));

	if (mount(root, "/root", "erofs", MS_RDONLY | MS_NOSUID | MS_NODEV, nullptr) < 0)
		stop("mounting the root partition", neg_errno());
	switch_root();
	(void)execl(SYSTEMD, "systemd", nullptr);
	stop(SYSTEMD, neg_errno());
}
