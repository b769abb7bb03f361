/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/manager/figures.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "common/crc32c.h"

constexpr size_t FILE_MAX = 2048;      /* of /proc/meminfo the first 800 bytes, of os-release 400 */
constexpr double LOAD_SCALE = 65536.0; /* sysinfo(2): SI_LOAD_SHIFT */

static void closedir_at(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

static const char *run_folder(void)
{
	const char *run = getenv("REDOUBT_RUN");

	return run ? run : "/run/redoubt";
}

/* Read the start of a text file; "" if it cannot be read. */
static void read_text(const char *path, char ret[FILE_MAX])
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, ret, FILE_MAX - 1);

	ret[n > 0 ? n : 0] = '\0';
}

/* The line after the one that starts at line, or nullptr. */
static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end && end[1] ? end + 1 : nullptr;
}

uint64_t figures_meminfo(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = next_line(line)) {
		if (strncmp(line, key, len) != 0)
			continue;
		unsigned long long kb = strtoull(line + len, nullptr, 10);
		return kb <= UINT64_MAX / 1024 ? kb * 1024 : 0;
	}
	return 0;
}

bool figures_value(const char *text, const char *key, char *ret, size_t room)
{
	size_t len = strlen(key);

	ret[0] = '\0';
	for (const char *line = text; line; line = next_line(line)) {
		if (strncmp(line, key, len) != 0 || line[len] != '=')
			continue;
		const char *value = line + len + 1;
		size_t value_len = strcspn(value, "\n");
		if (value_len >= 2 && value[0] == '"' && value[value_len - 1] == '"') {
			value++;
			value_len -= 2;
		}
		(void)snprintf(ret, room, "%.*s", (int)value_len, value);
		return true;
	}
	return false;
}

static void add_address(struct figures *figures, const char *text, const char *key)
{
	if (figures->n_addresses == FIGURES_ADDRESSES_MAX)
		return;
	char *to = figures->address[figures->n_addresses];
	if (!figures_value(text, key, to, FIGURES_TEXT))
		return;
	to[strcspn(to, "/")] = '\0'; /* the address without the network's prefix length */
	figures->n_addresses += to[0] != '\0';
}

/* The static address of the configuration, and those that DHCP gave (systemd-networkd keeps its leases there). */
static void read_addresses(struct figures *figures)
{
	static const char LEASES[] = "/run/systemd/netif/leases";
	cleanup(closedir_at) DIR *dir = opendir(LEASES);
	char text[FILE_MAX], path[400];

	(void)snprintf(path, sizeof(path), "%s/network/10-redoubt.network", run_folder());
	read_text(path, text);
	add_address(figures, text, "Address");
	for (struct dirent *e = dir ? readdir(dir) : nullptr; e; e = readdir(dir)) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", LEASES, e->d_name);
		read_text(path, text);
		add_address(figures, text, "ADDRESS");
	}
}

static void read_memory(struct figures *figures)
{
	char text[FILE_MAX];

	read_text("/proc/meminfo", text);
	figures->mem_total = figures_meminfo(text, "MemTotal:");
	figures->mem_available = figures_meminfo(text, "MemAvailable:");
	figures->swap_total = figures_meminfo(text, "SwapTotal:");
	figures->swap_used = figures->swap_total - figures_meminfo(text, "SwapFree:");
}

static void read_load(struct figures *figures)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0)
		return;
	figures->uptime_s = info.uptime > 0 ? (uint64_t)info.uptime : 0;
	(void)snprintf(figures->load, sizeof(figures->load), "%.2f %.2f %.2f",
		       (double)info.loads[0] / LOAD_SCALE, (double)info.loads[1] / LOAD_SCALE,
		       (double)info.loads[2] / LOAD_SCALE);
}

/* Size and room of the volume, if it is what is mounted there. */
static void read_volume(struct figures *figures)
{
	struct stat here, above;
	struct statvfs st;
	const char *state = getenv("REDOUBT_STATE");

	state = state ? state : "/var/lib/redoubt";
	if (stat(state, &here) < 0 || stat("/var/lib", &above) < 0 || here.st_dev == above.st_dev ||
	    statvfs(state, &st) < 0)
		return;
	figures->volume_size = (uint64_t)st.f_blocks * st.f_frsize;
	figures->volume_free = (uint64_t)st.f_bavail * st.f_frsize;
}

/* The firmware's variable: four bytes of attributes, then the value. Source: UEFI 2.10 section 3.3. */
static bool secure_boot_is_on(void)
{
	auto_close int fd = open("/sys/firmware/efi/efivars/"
				 "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
				 O_RDONLY | O_CLOEXEC);
	uint8_t value[5] = {};

	return fd >= 0 && read(fd, value, sizeof(value)) == (ssize_t)sizeof(value) && value[4] == 1;
}

void figures_read(struct figures *ret)
{
	char text[FILE_MAX], path[FIGURES_TEXT * 4];

	memset(ret, 0, sizeof(*ret));
	/* Not gethostname(2): with ProtectHostname= the process keeps the name of when it started. */
	(void)snprintf(path, sizeof(path), "%.200s/network/hostname", run_folder());
	read_text(path, text);
	(void)snprintf(ret->hostname, sizeof(ret->hostname), "%.*s", (int)strcspn(text, "\n"),
		       text);
	if (!ret->hostname[0])
		(void)gethostname(ret->hostname, sizeof(ret->hostname) - 1);

	read_text("/usr/lib/os-release", text);
	if (!figures_value(text, "IMAGE_VERSION", ret->version, sizeof(ret->version)))
		(void)figures_value(text, "VERSION_ID", ret->version, sizeof(ret->version));
	read_addresses(ret);
	read_load(ret);
	read_memory(ret);
	read_volume(ret);
	ret->tpm = access("/sys/class/tpm/tpm0", F_OK) == 0;
	ret->secure_boot = secure_boot_is_on();
}

uint64_t figures_surroundings(void)
{
	cleanup(closedir_at) DIR *dir = opendir("/sys/block");
	char path[FIGURES_TEXT * 4];
	struct stat st;
	uint64_t sum = 0;

	/* A sum of checksums: the order of the folder does not matter. */
	for (struct dirent *e = dir ? readdir(dir) : nullptr; e; e = readdir(dir))
		if (strncmp(e->d_name, "dm-", 3) != 0)
			sum += crc32c(e->d_name, strlen(e->d_name));
	(void)snprintf(path, sizeof(path), "%.200s/imds/user-data", run_folder());
	if (stat(path, &st) == 0)
		sum += 1 + (uint64_t)st.st_mtim.tv_sec + (uint64_t)st.st_mtim.tv_nsec;
	return sum;
}
