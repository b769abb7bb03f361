/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/worker/config_job.h"
#include "appliance/worker/files.h"
#include "appliance/worker/handover.h"
#include "appliance/worker/setup.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/crypto/cert.h"
#include "tests/lib/tap.h"

#define SSH_KEY                                                                                \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ann"
#define CONFIG(names)                                                                            \
	"{\"version\":1,\"hostname\":\"box\",\"admin\":{\"name\":\"ann\",\"ssh_key\":\"" SSH_KEY \
	"\"},\"tls\":{\"names\":[" names "]}}"

static char top[] = "/tmp/redoubt-setup-XXXXXX";
static int state = -1;
static char text[SETUP_TEXT];
static struct job job;
static struct job_done done;

/* A file's contents, "" if it is not there; for comparing before and after. */
static void get(const char *name, char ret[2048])
{
	auto_buf struct buf got = buf_make(2048);

	ret[0] = '\0';
	if (files_read(state, name, &got) == 0 && got.len < 2048) {
		memcpy(ret, got.data, got.len);
		ret[got.len] = '\0';
	}
}

static unsigned int mode_of(const char *name)
{
	struct stat st;

	return fstatat(state, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_mode & 07777u : 0;
}

static bool without_any_configuration_nothing_is_set_up(void)
{
	CHECK_EQ(setup_folders(text), 0);
	CHECK_EQ(setup(text), -ENOENT);
	CHECK(strstr(text, "settle the configuration"));
	return true;
}

static bool a_first_boot_makes_everything_with_its_mode(void)
{
	static const struct {
		const char *name;
		unsigned int mode;
	} FILES[] = {
		{ "engine", 0700 },
		{ "accounts", 0700 },
		{ "audit", 0700 },
		{ "tls", 0700 },
		{ "tls/key.pem", 0600 },
		{ "tls/cert.pem", 0600 },
		{ "ca/key.pem", 0600 },
		{ "ca/ca.pem", 0644 },
		{ "keys/grant", 0600 },
		{ "keyring", 0700 },
		{ "keys", 0700 },
		{ "config/config.json", 0644 },
		{ "recovery-key", 0600 },
		{ "journal", 0750 },
		{ "ssh/ssh_host_ed25519_key", 0600 },
		{ "ssh/ssh_host_ed25519_key.pub", 0644 },
	};
	char got[2048];

	CHECK_EQ(handover_leave("config.json", CONFIG("\"a.example.org\""),
				strlen(CONFIG("\"a.example.org\""))),
		 0);
	CHECK_EQ(handover_leave("recovery-key", "secret", 6), 0);
	int r = setup(text);
	if (r)
		printf("# %s\n", text);
	CHECK_EQ(r, 0);
	for (size_t i = 0; i < countof(FILES); i++) {
		if (mode_of(FILES[i].name) != FILES[i].mode)
			printf("# %s has mode %o\n", FILES[i].name, mode_of(FILES[i].name));
		CHECK_EQ(mode_of(FILES[i].name), FILES[i].mode);
	}
	get("recovery-key", got);
	CHECK(strcmp(got, "secret") == 0);
	return true;
}

static bool the_recovery_key_is_not_left_in_memory(void)
{
	auto_buf struct buf got = buf_make(100);
	auto_close int run = -1;

	CHECK_EQ(handover_open(&run), 0);
	CHECK_EQ(files_read(run, "recovery-key", &got), -ENOENT);
	return true;
}

static bool a_second_boot_changes_nothing(void)
{
	static const char *const KEPT[] = { "tls/key.pem",
					    "tls/cert.pem",
					    "ca/ca.pem",
					    "keys/grant",
					    "ssh/ssh_host_ed25519_key",
					    "recovery-key" };
	char before[2048], after[2048];

	for (size_t i = 0; i < countof(KEPT); i++) {
		get(KEPT[i], before);
		CHECK(before[0] != '\0');
		CHECK_EQ(setup(text), 0);
		get(KEPT[i], after);
		CHECK(strcmp(before, after) == 0);
	}
	return true;
}

static bool a_new_name_gets_a_new_certificate_of_the_same_ca(void)
{
	char ca_before[2048], ca_after[2048], cert[2048];

	get("ca/ca.pem", ca_before);
	memset(&job, 0, sizeof(job));
	(void)snprintf(job.argument, sizeof(job.argument), "set tls-names");
	(void)snprintf(job.second, sizeof(job.second), "b.example.org");
	config_job_change(&job, &done);
	CHECK_EQ((int)done.outcome, (int)JOB_OK);
	get("ca/ca.pem", ca_after);
	get("tls/cert.pem", cert);
	CHECK(strcmp(ca_before, ca_after) == 0);
	CHECK(cert_has_name(cert, strlen(cert), "b.example.org"));
	CHECK(cert_has_name(cert, strlen(cert), "box"));
	CHECK(cert_has_name(cert, strlen(cert), "127.0.0.1"));
	return true;
}

static bool a_power_cut_between_key_and_certificate_is_mended(void)
{
	auto_close int tls = openat(state, "tls", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char key[2048], cert[2048];

	get("ca/key.pem", key); /* some key that is not the certificate's */
	CHECK_EQ(files_write(tls, "key.pem", key, strlen(key), 0600), 0);
	CHECK_EQ(setup_renew(text), 0);
	get("tls/key.pem", key);
	get("tls/cert.pem", cert);
	CHECK(cert_has_key(cert, strlen(cert), key, strlen(key)));
	return true;
}

static bool the_stored_configuration_holds_when_none_comes_from_outside(void)
{
	auto_close int run = -1;
	char path[128];

	CHECK_EQ(handover_open(&run), 0);
	CHECK_EQ(unlinkat(run, "config.json", 0), 0);
	CHECK_EQ(setup(text), 0);
	(void)snprintf(path, sizeof(path), "%s/run/network/10-redoubt.network", top);
	CHECK_EQ(access(path, R_OK), 0); /* put into force */
	return true;
}

static bool a_stored_configuration_that_is_broken_is_said_so(void)
{
	auto_close int config = openat(state, "config", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK_EQ(files_write(config, "config.json", "{}", 2, 0644), 0);
	CHECK_EQ(unlinkat(config, "previous.json", 0), 0); /* nor is there one before it */
	CHECK_EQ(setup(text), -EBADMSG);
	CHECK(strstr(text, "version: is missing"));
	return true;
}

int main(void)
{
	char path[128], command[128];

	if (!mkdtemp(top))
		return 99;
	(void)snprintf(path, sizeof(path), "%s/run", top);
	(void)setenv("REDOUBT_RUN", path, true);
	if (mkdir(path, 0755) < 0)
		return 99;
	(void)snprintf(path, sizeof(path), "%s/state", top);
	(void)setenv("REDOUBT_STATE", path, true);
	if (mkdir(path, 0755) < 0 || files_open_folder(path, &state))
		return 99;
	RUN(without_any_configuration_nothing_is_set_up);
	RUN(a_first_boot_makes_everything_with_its_mode);
	RUN(the_recovery_key_is_not_left_in_memory);
	RUN(a_second_boot_changes_nothing);
	RUN(a_new_name_gets_a_new_certificate_of_the_same_ca);
	RUN(a_power_cut_between_key_and_certificate_is_mended);
	RUN(the_stored_configuration_holds_when_none_comes_from_outside);
	RUN(a_stored_configuration_that_is_broken_is_said_so);
	(void)snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command) == 0 ? tap_done() : 99; /* NOLINT: a test's own folder */
}
