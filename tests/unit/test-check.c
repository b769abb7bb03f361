/* SPDX-License-Identifier: Apache-2.0 */
#include "hardening/check/kinds.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

/* A machine of our own: a folder with the files that the checks read. */
static char root_path[] = "/tmp/test-check-XXXXXX";
static int root = -1;

static const char *nft_says; /* what the firewall's chain looks like, or nullptr: nft fails */

static const char *worker_says; /* the script of the firewall's sets, or nullptr: it fails */

static int pretend_nft(const char *const *argv, struct buf *output)
{
	if (strcmp(argv[0], "worker") == 0) {
		buf_add_str(output, worker_says ? worker_says : "is not valid");
		return worker_says ? 0 : 1;
	}
	if (strcmp(argv[0], "/usr/sbin/nft") != 0 || !nft_says) {
		buf_add_str(output, "Error: No such file or directory\nlist chain");
		return 1;
	}
	buf_add_str(output, nft_says);
	return 0;
}

/* Write a file below the root, making the folders on its way. */
static bool put(const char *path, const char *text, size_t len)
{
	char folder[512];

	for (const char *at = strchr(path, '/'); at; at = strchr(at + 1, '/')) {
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(at - path), path);
		(void)mkdirat(root, folder, 0755);
	}
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return false;
	bool written = write(fd, text, len) == (ssize_t)len;

	return close(fd) == 0 && written;
}

static bool put_text(const char *path, const char *text)
{
	return put(path, text, strlen(text));
}

static struct detail detail; /* of the last check */

static bool holds(const char *kind, const char *argument, const char *expected)
{
	const struct probe probe = { .root = root, .mountinfo = -1, .run = pretend_nft };
	const struct control control = { .id = "H-TST-001",
					 .kind = kind,
					 .argument = argument,
					 .expected = expected,
					 .title = "a test",
					 .reason = "" };
	bool held = kind_holds(&probe, &control, &detail);

	/* Whoever fails says why, on one line. */
	if (held == (detail.text[0] != '\0') || strchr(detail.text, '\n'))
		printf("# %s %s: detail \"%s\"\n", kind, argument, detail.text);
	return held;
}

static bool says(const char *text)
{
	return strstr(detail.text, text) != nullptr;
}

static bool an_unknown_kind_does_not_hold(void)
{
	CHECK(!holds("wish", "", ""));
	CHECK(says("no kind of check called wish"));
	return true;
}

static bool the_command_line_is_read_as_the_kernel_reads_it(void)
{
	CHECK(!holds("cmdline", "quiet", ""));
	CHECK(says("No such file"));
	CHECK(put_text("proc/cmdline",
		       "quiet oops=continue oops=panic l1tf=full,force -- late=1\n"));
	CHECK(holds("cmdline", "quiet", ""));
	CHECK(holds("cmdline", "oops", "panic")); /* the last one counts */
	CHECK(holds("cmdline", "l1tf", "full,force"));
	CHECK(!holds("cmdline", "oops", "continue"));
	CHECK(says("oops is panic"));
	CHECK(!holds("cmdline", "oop", "panic")); /* no part of a name */
	CHECK(!holds("cmdline", "quiet", "1"));
	CHECK(!holds("cmdline", "late", "1")); /* behind -- it is not the kernel's */
	return true;
}

static bool sysctls_are_compared(void)
{
	CHECK(put_text("proc/sys/kernel/sysrq", "0\n"));
	CHECK(holds("sysctl", "kernel.sysrq", "0"));
	CHECK(!holds("sysctl", "kernel.sysrq", "1"));
	CHECK(!holds("sysctl", "kernel.absent", "0"));
	return true;
}

static bool words_and_whole_files_are_compared(void)
{
	CHECK(put_text("sys/lockdown", "none integrity [confidentiality]\n"));
	CHECK(holds("word", "/sys/lockdown", "[confidentiality]"));
	CHECK(!holds("word", "/sys/lockdown", "confidentiality"));
	CHECK(!holds("word", "/sys/absent", "x"));
	CHECK(put_text("sys/version", "2\n"));
	CHECK(holds("equals", "/sys/version", "2"));
	CHECK(!holds("equals", "/sys/version", "1"));
	CHECK(!holds("equals", "/sys/absent", "2"));
	return true;
}

static bool modules_are_looked_for_where_they_are_loaded_and_stored(void)
{
	CHECK(!holds("module-absent", "dccp", ""));
	CHECK(put_text("proc/modules", "ext4 1 1 - Live 0x0\nsctp_diag 1 1 - Live 0x0\n"));
	CHECK(put_text("usr/lib/modules/6.12/modules.dep",
		       "kernel/net/tipc/tipc.ko: kernel/x.ko\nkernel/fs/udf/udf.ko.xz:\n"));
	CHECK(holds("module-absent", "dccp sctp", ""));
	CHECK(!holds("module-absent", "dccp ext4", ""));
	CHECK(says("ext4 is there"));
	CHECK(!holds("module-absent", "tipc", ""));
	CHECK(!holds("module-absent", "udf", ""));
	return true;
}

static bool firmware_variables_are_read_behind_their_attributes(void)
{
	CHECK(put("sys/firmware/efi/efivars/SecureBoot-1", "\x06\0\0\0\x01", 5));
	CHECK(holds("efi-variable", "SecureBoot-1", "1"));
	CHECK(!holds("efi-variable", "SecureBoot-1", "0"));
	CHECK(!holds("efi-variable", "SecureBoot-2", "1"));
	CHECK(put("sys/firmware/efi/efivars/SecureBoot-1", "\x01", 1));
	CHECK(!holds("efi-variable", "SecureBoot-1", "1"));
	return true;
}

static const char MOUNTS[] =
	"20 1 253:0 / / ro,relatime shared:1 - erofs /dev/dm-0 ro\n"
	"21 20 0:30 / /var rw,relatime - tmpfs tmpfs rw,size=1k\n"
	"22 21 253:1 / /var/lib/redoubt rw,nosuid,nodev,noexec master:2 - ext4 /dev/dm-1 rw\n"
	"23 20 0:31 / /tmp rw - tmpfs tmpfs rw\n"
	"24 20 0:32 / /tmp rw,noexec - tmpfs tmpfs rw\n";

static bool mounts_have_all_their_options(void)
{
	CHECK(!holds("mount", "/", "ro"));
	CHECK(put_text("proc/1/mountinfo", MOUNTS));
	CHECK(holds("mount", "/", "ro,erofs"));
	CHECK(holds("mount", "/var/lib/redoubt", "nosuid,nodev,noexec"));
	CHECK(!holds("mount", "/var", "noexec"));
	CHECK(says("/var is not noexec"));
	CHECK(holds("mount", "/tmp", "noexec")); /* the one on top counts */
	CHECK(!holds("mount", "/home", "ro"));
	return true;
}

static bool an_open_mount_table_goes_before_our_own(void)
{
	struct detail said;
	struct probe probe = { .root = root, .mountinfo = -1, .run = pretend_nft };
	const struct control control = { .kind = "mount", .argument = "/", .expected = "rw" };

	CHECK(put_text("passed", "20 1 253:0 / / rw - erofs /dev/dm-0 ro\n"));
	probe.mountinfo = openat(root, "passed", O_RDONLY | O_CLOEXEC);
	CHECK(probe.mountinfo >= 0);
	bool first = kind_holds(&probe, &control, &said);
	bool second = kind_holds(&probe, &control, &said); /* it is read from its start each time */

	(void)close(probe.mountinfo);
	CHECK(first && second);
	return true;
}

static bool encrypted_and_verified_volumes_are_told_by_their_uuid(void)
{
	CHECK(put_text("proc/1/mountinfo", MOUNTS));
	CHECK(put_text("sys/dev/block/253:0/dm/uuid", "CRYPT-VERITY-00-root\n"));
	CHECK(put_text("sys/dev/block/253:1/dm/uuid", "CRYPT-LUKS2-00-redoubt-data\n"));
	CHECK(holds("dm", "/", "CRYPT-VERITY"));
	CHECK(holds("dm", "/var/lib/redoubt", "CRYPT-LUKS2"));
	CHECK(!holds("dm", "/", "CRYPT-LUKS2"));
	CHECK(!holds("dm", "/tmp", "CRYPT-LUKS2"));
	CHECK(says("not on a device-mapper device"));
	return true;
}

static bool swap_lies_where_it_may(void)
{
	static const char HEADING[] = "Filename Type Size Used Priority\n";
	char table[256];

	CHECK(!holds("swap", "/var/lib/redoubt/", ""));
	CHECK(put_text("proc/swaps", HEADING));
	CHECK(holds("swap", "/var/lib/redoubt/", ""));
	(void)snprintf(table, sizeof(table), "%s/var/lib/redoubt/swap/file file 9 0 -2\n", HEADING);
	CHECK(put_text("proc/swaps", table));
	CHECK(holds("swap", "/var/lib/redoubt/", ""));
	(void)snprintf(table, sizeof(table),
		       "%s/var/lib/redoubt/f file 9 0 -2\n/dev/vdb1 partition 9 0 -3\n", HEADING);
	CHECK(put_text("proc/swaps", table));
	CHECK(!holds("swap", "/var/lib/redoubt/", ""));
	CHECK(says("swap on /dev/vdb1"));
	return true;
}

static bool files_and_programs_are_absent(void)
{
	CHECK(!holds("program-absent", "sh", ""));
	CHECK(put_text("usr/bin/true", "x"));
	CHECK(put_text("usr/sbin/nft", "x"));
	CHECK(holds("program-absent", "sh bash", ""));
	CHECK(!holds("program-absent", "sh true", ""));
	CHECK(!holds("program-absent", "nft", ""));
	CHECK(holds("file-absent", "/etc/none /usr/none", ""));
	CHECK(symlinkat("nowhere", root, "etc-link") == 0);
	CHECK(!holds("file-absent", "/etc/none /etc-link", ""));
	return true;
}

static bool a_mode_gives_no_more_than_allowed(void)
{
	CHECK(put_text("etc/key", "x"));
	CHECK(holds("file-mode", "/etc/key", "0600"));
	CHECK(holds("file-mode", "/etc/key", "0640"));
	CHECK(fchmodat(root, "etc/key", 0604, 0) == 0);
	CHECK(!holds("file-mode", "/etc/key", "0600"));
	CHECK(says("has mode 0604"));
	CHECK(!holds("file-mode", "/etc/none", "0600"));
	return true;
}

static bool a_setuid_file_is_found_however_deep(void)
{
	CHECK(put_text("usr/lib/a/b/c/su", "x"));
	CHECK(holds("no-setuid", "/usr", ""));
	CHECK(fchmodat(root, "usr/lib/a/b/c/su", 04755, 0) == 0);
	CHECK(!holds("no-setuid", "/usr", ""));
	CHECK(says("su is setuid"));
	CHECK(fchmodat(root, "usr/lib/a/b/c/su", 02755, 0) == 0);
	CHECK(!holds("no-setuid", "/usr", ""));
	CHECK(!holds("no-setuid", "/none", ""));
	return true;
}

static bool accounts_have_no_passwords_and_one_root(void)
{
	CHECK(!holds("no-passwords", "/etc/shadow", ""));
	CHECK(put_text("etc/shadow", "root:!*:1::::::\nsshd:*:1::::::\n"));
	CHECK(holds("no-passwords", "/etc/shadow", ""));
	CHECK(put_text("etc/shadow", "root:!*:1::::::\nann::1::::::\n"));
	CHECK(!holds("no-passwords", "/etc/shadow", ""));
	CHECK(says("ann has a password, or needs none"));
	CHECK(put_text("etc/shadow", "root:$6$x:1::::::\n"));
	CHECK(!holds("no-passwords", "/etc/shadow", ""));
	CHECK(put_text("etc/shadow", "root\n"));
	CHECK(!holds("no-passwords", "/etc/shadow", ""));
	CHECK(put_text("etc/shadow", ""));
	CHECK(!holds("no-passwords", "/etc/shadow", ""));

	CHECK(put_text("etc/passwd", "root:x:0:0::/:/n\nann:x:20000:0::/:/n\n"));
	CHECK(holds("only-root", "/etc/passwd", ""));
	CHECK(put_text("etc/passwd", "root:x:0:0::/:/n\ntoor:x:0:0::/:/n\n"));
	CHECK(!holds("only-root", "/etc/passwd", ""));
	CHECK(put_text("etc/passwd", "root:x:0:0::/:/n\nodd:x\n"));
	CHECK(!holds("only-root", "/etc/passwd", ""));
	return true;
}

static bool the_first_setting_of_a_key_counts(void)
{
	CHECK(put_text("etc/sshd", "#Port 1\nPort 22\nPort 23\nPortable no\n"));
	CHECK(holds("setting", "/etc/sshd:Port", "22"));
	CHECK(!holds("setting", "/etc/sshd:Port", "23"));
	CHECK(!holds("setting", "/etc/sshd:Absent", "no"));
	CHECK(!holds("setting", "/etc/none:Port", "22"));
	CHECK(!holds("setting", "/etc/sshd", "22"));
	return true;
}

static const char TCP_HEADING[] = "  sl  local_address rem_address   st tx_queue rx_queue\n";
static const char TCP4[] = "   0: 00000000:0016 00000000:0000 0A 0:0\n"
			   "   1: 0100007F:9C40 0100007F:0016 01 0:0\n";
static const char TCP6[] =
	"   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 0:0\n";

static bool listening_ports_are_among_the_allowed(void)
{
	char table[512];

	CHECK(!holds("listen", "tcp", "22 443"));
	CHECK(put_text("proc/net/tcp", TCP_HEADING));
	CHECK(put_text("proc/net/tcp6", TCP_HEADING));
	CHECK(!holds("listen", "tcp", "22 443"));
	CHECK(says("nothing listens"));
	(void)snprintf(table, sizeof(table), "%s%s", TCP_HEADING, TCP4);
	CHECK(put_text("proc/net/tcp", table));
	(void)snprintf(table, sizeof(table), "%s%s", TCP_HEADING, TCP6);
	CHECK(put_text("proc/net/tcp6", table));
	CHECK(holds("listen", "tcp", "22 443")); /* 40000 is a connection, it does not listen */
	CHECK(!holds("listen", "tcp", "22"));
	CHECK(says("tcp port 443 is open"));
	CHECK(put_text("proc/net/udp", TCP_HEADING));
	CHECK(put_text("proc/net/udp6", TCP_HEADING));
	CHECK(holds("listen", "udp", "68"));
	(void)snprintf(table, sizeof(table), "%s   0: 00000000:0035 00000000:0000 07 0:0\n",
		       TCP_HEADING);
	CHECK(put_text("proc/net/udp", table));
	CHECK(!holds("listen", "udp", "68"));
	CHECK(!holds("listen", "sctp", ""));
	return true;
}

static bool firewall_chains_have_their_policy_and_rules(void)
{
	nft_says =
		"table inet redoubt {\n\tchain input {\n"
		"\t\ttype filter hook input priority filter; policy drop;\n\t\ttcp dport 22 jump ssh\n\t}\n}\n";
	CHECK(holds("nft-policy", "input", "drop"));
	CHECK(!holds("nft-policy", "input", "accept"));
	CHECK(!holds("nft-policy", "output", "drop"));
	CHECK(holds("nft-rule", "input", "tcp dport 22 jump ssh"));
	CHECK(!holds("nft-rule", "input", "tcp dport 23"));
	nft_says = nullptr;
	CHECK(!holds("nft-policy", "input", "drop"));
	CHECK(says("No such file"));
	CHECK(!holds("nft-rule", "input", "tcp dport 22 jump ssh"));
	return true;
}

static bool firewall_sets_hold_what_is_configured_and_nothing_else(void)
{
	static const char SCRIPT[] = "flush set inet redoubt a\n"
				     "add element inet redoubt a { 10.0.0.0/8 . 1, 10.0.0.1 . 2 }\n"
				     "flush set inet redoubt ab\n";
	static const struct {
		const char *nft, *said; /* said: nullptr if it holds */
	} CASES[] = {
		{ "set a { flags interval\n elements = { 10.0.0.1 . 2,\n\t\t10.0.0.0/8 . 1 }\n}",
		  nullptr },
		{ "set a { elements = { 10.0.0.0/8 . 1, 10.0.0.1 . 2, 0.0.0.0/0 . 2 } }",
		  "lets 0.0.0.0/0 . 2 pass" },
		{ "set a { elements = { 10.0.0.0/8 . 1 } }", "lacks 10.0.0.1 . 2" },
		{ "set a { elements = { 10.0.0.0/8 . 1, 10.0.0.0/8 . 1 } }", "lacks 10.0.0.1 . 2" },
		{ "set a { flags interval\n}", "lacks 10.0.0.0/8 . 1" },
		{ "set a { elements = { 10.0.0.0/8 . 1, ", "more elements" },
		{ nullptr, "No such file" },
	};

	worker_says = SCRIPT;
	for (size_t i = 0; i < countof(CASES); i++) {
		nft_says = CASES[i].nft;
		CHECK_EQ(holds("nft-sets", "a", "worker"), CASES[i].said == nullptr);
		CHECK(!CASES[i].said || says(CASES[i].said));
	}
	nft_says = "set ab {\n}";
	CHECK(holds("nft-sets", "ab", "worker"));
	nft_says = "set ab { elements = { 0.0.0.0/0 } }";
	CHECK(!holds("nft-sets", "ab", "worker"));
	worker_says = nullptr;
	CHECK(!holds("nft-sets", "ab", "worker"));
	CHECK(says("is not valid"));
	return true;
}

static bool units_run_as_they_should(void)
{
	static const char WANT[] = "Uid=901 NoNewPrivs=1 Seccomp=2 CapBnd=0000000000000000";

	CHECK(!holds("unit", "redoubt-front.service", WANT));
	CHECK(says("has no process"));
	CHECK(put_text("proc/77/cgroup", "0::/system.slice/redoubt-front.service\n"));
	CHECK(put_text("proc/77/status",
		       "Name:\tfront\nUid:\t901\t901\t901\t901\nNoNewPrivs:\t1\n"
		       "Seccomp:\t2\nSeccomp_filters:\t9\nCapBnd:\t0000000000000000\n"));
	CHECK(holds("unit", "redoubt-front.service", WANT));
	CHECK(!holds("unit", "redoubt-front.service", "Uid=0"));
	CHECK(says("has Uid 901, not 0"));
	CHECK(!holds("unit", "redoubt-front.service", "Absent=1"));
	CHECK(!holds("unit", "redoubt-front.service", "Uid"));
	CHECK(!holds("unit", "front.service", WANT));
	/* A second process of the unit counts as well. */
	CHECK(put_text("proc/78/cgroup", "0::/system.slice/redoubt-front.service\n"));
	CHECK(put_text("proc/78/status",
		       "Uid:\t901\nNoNewPrivs:\t0\nSeccomp:\t2\nCapBnd:\t0000000000000000\n"));
	CHECK(!holds("unit", "redoubt-front.service", WANT));
	return true;
}

static bool the_table_is_read_line_by_line(void)
{
	char text[] = "# comment\n\nH-1\tsysctl\ta.b\t1\tTitle\tReason\nH-2\tword\t\t\tTitle\t\n";
	char *at = text;
	struct control control;

	CHECK_EQ(control_next(&at, &control), CONTROL_OK);
	CHECK(strcmp(control.id, "H-1") == 0 && strcmp(control.reason, "Reason") == 0);
	CHECK_EQ(control_next(&at, &control), CONTROL_OK);
	CHECK(strcmp(control.kind, "word") == 0 && *control.argument == '\0');
	CHECK_EQ(control_next(&at, &control), CONTROL_END);
	return true;
}

static bool a_broken_line_is_refused(void)
{
	static const char *const BROKEN[] = { "H-1\tsysctl\ta\t1\tTitle\n",
					      "H-1\tsysctl\ta\t1\tT\tR\tmore\n",
					      "\tsysctl\ta\t1\tT\tR\n", "H-1\t\ta\t1\tT\tR\n",
					      "H-1\tsysctl\ta\t1\t\tR\n" };

	for (size_t i = 0; i < countof(BROKEN); i++) {
		char text[64];
		char *at = text;
		struct control control;

		(void)snprintf(text, sizeof(text), "%s", BROKEN[i]);
		CHECK_EQ(control_next(&at, &control), CONTROL_BROKEN);
	}
	return true;
}

static bool the_table_that_is_shipped_is_sound(void)
{
	auto_buf struct buf text = buf_make(CONTROLS_TEXT_MAX);
	const struct probe probe = { .root = AT_FDCWD };
	struct control control;
	char last[32] = "";
	size_t n = 0;
	int r;

	CHECK_EQ(probe_file(&probe, "hardening/controls.tsv", &text), 0);
	buf_add(&text, "", 1);
	for (char *at = (char *)text.data; (r = control_next(&at, &control)) == CONTROL_OK; n++) {
		bool known = false;

		for (size_t i = 0; i < KINDS_COUNT; i++)
			known |= strcmp(KINDS[i].name, control.kind) == 0;
		CHECK(known);
		CHECK(strcmp(control.id, last) != 0);
		CHECK(strncmp(control.id, "H-", 2) == 0 && strlen(control.id) < sizeof(last));
		(void)snprintf(last, sizeof(last), "%.31s", control.id);
	}
	CHECK_EQ(r, CONTROL_END);
	CHECK(n > 100);
	return true;
}

static bool every_failed_allocation_fails_the_check(void)
{
	CHECK(put_text("proc/1/mountinfo", MOUNTS));
	for (size_t n = 1;; n++) {
		fault_at(n);
		bool held = holds("mount", "/", "ro,erofs");

		if (!fault_end())
			return held;
		CHECK(!held);
	}
}

static bool a_program_is_run_and_heard(void)
{
	auto_buf struct buf output = buf_make(64);
	const char *const echo[] = { "/usr/bin/printf", "%s", "a b", nullptr };
	const char *const none[] = { "/none", nullptr };

	CHECK_EQ(probe_run(echo, &output), 0);
	CHECK(strcmp(buf_text(&output), "a b") == 0);
	CHECK_EQ(probe_run(none, &output), -ENOENT);
	return true;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

int main(void)
{
	if (!mkdtemp(root_path))
		return 1;
	root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	RUN(an_unknown_kind_does_not_hold);
	RUN(the_command_line_is_read_as_the_kernel_reads_it);
	RUN(sysctls_are_compared);
	RUN(words_and_whole_files_are_compared);
	RUN(modules_are_looked_for_where_they_are_loaded_and_stored);
	RUN(firmware_variables_are_read_behind_their_attributes);
	RUN(mounts_have_all_their_options);
	RUN(an_open_mount_table_goes_before_our_own);
	RUN(encrypted_and_verified_volumes_are_told_by_their_uuid);
	RUN(swap_lies_where_it_may);
	RUN(files_and_programs_are_absent);
	RUN(a_mode_gives_no_more_than_allowed);
	RUN(a_setuid_file_is_found_however_deep);
	RUN(accounts_have_no_passwords_and_one_root);
	RUN(the_first_setting_of_a_key_counts);
	RUN(listening_ports_are_among_the_allowed);
	RUN(firewall_chains_have_their_policy_and_rules);
	RUN(firewall_sets_hold_what_is_configured_and_nothing_else);
	RUN(units_run_as_they_should);
	RUN(the_table_is_read_line_by_line);
	RUN(a_broken_line_is_refused);
	RUN(the_table_that_is_shipped_is_sound);
	RUN(every_failed_allocation_fails_the_check);
	RUN(a_program_is_run_and_heard);

	(void)close(root);
	(void)nftw(root_path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return tap_done();
}
