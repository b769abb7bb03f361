/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/worker/config_job.h"
#include "appliance/worker/config_lines.h"
#include "appliance/worker/files.h"
#include "appliance/worker/handover.h"
#include "appliance/worker/setup.h"
#include "appliance/worker/stored.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/crypto/cert.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

#define SSH_KEY                                                                                \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ann"
#define CONFIG(more)                                                                             \
	"{\"version\":1,\"hostname\":\"box\",\"admin\":{\"name\":\"ann\",\"ssh_key\":\"" SSH_KEY \
	"\"}" more "}"

static const char FIRST[] = CONFIG(",\"ssh\":{\"sources\":[\"10.0.0.0/8\"]}");
static const char FIRST_OTHERWISE[] = CONFIG(" ,  \"ssh\": { \"sources\":[ \"10.0.0.0/8\"] } ");
static const char EVIL[] = CONFIG(
	",\"network\":{\"address\":\"192.0.2.5/24\",\"dns\":[\"192.0.2.66\"],\"ntp\":[\"192.0.2.66\"]},"
	"\"ssh\":{\"sources\":[\"192.0.2.0/24\"]},\"tls\":{\"names\":[\"evil.example.org\"]}");
static const char TYPO[] = CONFIG(",\"sssh\":{}");

static char top[] = "/tmp/redoubt-stored-XXXXXX";
static int state = -1;
static char text[SETUP_TEXT];
static struct job job;
static struct job_done done;

static bool offer(const char *config)
{
	return handover_leave("config.json", config, strlen(config)) == 0;
}

static void forget(const char *name)
{
	auto_close int run = -1;

	if (handover_open(&run) == 0)
		(void)unlinkat(run, name, 0);
}

/* What a boot does with what the launcher gives; nullptr: nothing. */
static int boot(const char *given)
{
	static const char *const NOTES[] = { "config.json", "config-wrong", "config-taken",
					     "config-restored" };

	for (size_t i = 0; i < countof(NOTES); i++)
		forget(NOTES[i]);
	if (given && !offer(given))
		return -EIO;
	return setup(text);
}

static bool file_has(const char *path, const char *what)
{
	char name[256], got[4096] = "";

	(void)snprintf(name, sizeof(name), "%s/%s", top, path);
	FILE *file = fopen(name, "re");
	if (!file)
		return false;
	size_t n = fread(got, 1, sizeof(got) - 1, file);
	(void)fclose(file);
	got[n] = '\0';
	return strstr(got, what) != nullptr;
}

/* Whether the status says something, in its notices or its events. */
static bool status_says(const char *what)
{
	auto_buf struct buf said = buf_make(JOB_DATA_MAX);

	config_job_describe(state, &said);
	const char *got = buf_text(&said);
	if (got && strstr(got, what))
		return true;
	printf("# no \"%s\" in %s\n", what, got ? got : "nothing");
	return false;
}

static enum job_outcome change(const char *what, const char *second)
{
	memset(&job, 0, sizeof(job));
	memset(&done, 0, sizeof(done));
	(void)snprintf(job.argument, sizeof(job.argument), "%s", what);
	(void)snprintf(job.second, sizeof(job.second), "%s", second);
	config_job_change(&job, &done);
	return done.outcome;
}

static const char *reads(const char *what)
{
	memset(&job, 0, sizeof(job));
	memset(&done, 0, sizeof(done));
	(void)snprintf(job.argument, sizeof(job.argument), "%s", what);
	config_job_read(&job, &done);
	return done.outcome == JOB_OK ? done.data : "";
}

static bool first_holds(void)
{
	CHECK(file_has("state/config/config.json", "10.0.0.0/8"));
	CHECK(file_has("run/firewall/sets.nft", "ssh_sources4 { 10.0.0.0/8 }"));
	CHECK(!file_has("run/firewall/sets.nft", "192.0.2"));
	CHECK(file_has("run/network/10-redoubt.network", "DHCP=yes"));
	CHECK(!file_has("run/network/10-redoubt.network", "192.0.2"));
	return true;
}

static bool the_first_configuration_is_taken_from_outside(void)
{
	CHECK_EQ(boot(FIRST), 0);
	CHECK(first_holds());
	CHECK(status_says("\"notices\":[],\"events\":[]"));
	return true;
}

static bool what_a_launcher_gives_later_is_compared_and_not_taken(void)
{
	char cert[4096] = "";
	auto_buf struct buf pem = buf_make(4096);

	CHECK_EQ(boot(EVIL), 0);
	CHECK(first_holds());
	CHECK_EQ(files_read(state, "tls/cert.pem", &pem), 0);
	memcpy(cert, pem.data, pem.len);
	CHECK(!cert_has_name(cert, strlen(cert), "evil.example.org"));
	CHECK(status_says("was not taken: `config diff`"));
	CHECK(status_says("appliance.config.differs stored "));
	CHECK(strstr(reads("status"), "\"offer\":\"differs\""));
	CHECK(strstr(reads("diff"), "\n- ssh.sources 10.0.0.0/8\n"));
	CHECK(strstr(done.data, "\n+ network.dns 192.0.2.66\n"));
	return true;
}

static bool the_same_written_otherwise_is_no_difference(void)
{
	CHECK_EQ(boot(FIRST_OTHERWISE), 0);
	CHECK(status_says("\"notices\":[],\"events\":[]"));
	CHECK(strstr(reads("status"), "\"offer\":\"same\""));
	return true;
}

static bool a_typing_error_outside_is_no_outage(void)
{
	static const char *const WRONG[] = { TYPO, "", "{", "\xff\xfe", "[]" };

	for (size_t i = 0; i < countof(WRONG); i++) {
		CHECK_EQ(boot(WRONG[i]), 0);
		CHECK(first_holds());
		CHECK(status_says("is not valid and was not taken"));
		CHECK(status_says("appliance.config.invalid stored "));
	}
	CHECK_EQ(boot(nullptr), 0);
	CHECK_EQ(handover_leave("config-wrong", "given twice", 11), 0);
	CHECK_EQ(setup(text), 0);
	CHECK(status_says("given twice"));
	CHECK_EQ((int)change("accept", "000000000000"), (int)JOB_REFUSED);
	return true;
}

static bool nothing_from_outside_is_as_it_was(void)
{
	CHECK_EQ(boot(nullptr), 0);
	CHECK(first_holds());
	CHECK(strstr(reads("status"), "\"offer\":\"none\""));
	CHECK_EQ((int)change("accept", "000000000000"), (int)JOB_REFUSED);
	return true;
}

static bool an_admin_accepts_what_has_been_looked_at(void)
{
	char sha[65] = "";

	CHECK_EQ(boot(EVIL), 0);
	const char *at = strstr(reads("status"), "\"offer_sha256\":\"");
	CHECK(at);
	(void)snprintf(sha, sizeof(sha), "%.64s", at + strlen("\"offer_sha256\":\""));
	CHECK_EQ((int)change("accept", ""), (int)JOB_REFUSED);
	CHECK_EQ((int)change("accept", "0123456789abcdef"), (int)JOB_REFUSED);
	CHECK(strstr(done.text, sha));
	CHECK(first_holds());
	sha[12] = '\0';
	CHECK_EQ((int)change("accept", sha), (int)JOB_OK);
	CHECK(strstr(done.text, "config confirm")); /* network and sources: on trial */
	CHECK(file_has("run/network/10-redoubt.network", "DNS=192.0.2.66"));
	CHECK(file_has("run/firewall/sets.nft", "192.0.2.0/24"));
	CHECK(status_says("waits for `config confirm`"));
	return true;
}

static bool what_was_not_confirmed_is_taken_back_at_the_next_boot(void)
{
	CHECK_EQ(boot(nullptr), 0);
	CHECK(first_holds());
	CHECK(status_says("appliance.config.restored "));
	CHECK_EQ(boot(nullptr), 0);
	CHECK(first_holds()); /* and once only */
	return true;
}

static bool what_is_confirmed_stays(void)
{
	CHECK_EQ((int)change("set ssh-sources", "10.0.0.0/8\n10.9.0.0/16\nfd00::1"), (int)JOB_OK);
	CHECK(status_says("\"config_trial\":true"));
	CHECK_EQ((int)change("confirm", ""), (int)JOB_OK);
	CHECK(status_says("\"config_trial\":false"));
	CHECK_EQ((int)change("rollback-trial", ""), (int)JOB_OK); /* too late: nothing */
	CHECK_EQ(boot(nullptr), 0);
	CHECK(file_has("run/firewall/sets.nft", "ssh_sources6 { fd00::1 }"));
	CHECK_EQ((int)change("rollback", ""), (int)JOB_OK);
	CHECK(first_holds());
	return true;
}

static bool several_unconfirmed_changes_go_back_to_what_was_confirmed(void)
{
	CHECK_EQ((int)change("set ssh-sources", "10.1.0.0/16"), (int)JOB_OK);
	CHECK_EQ((int)change("set ssh-sources", "10.2.0.0/16"), (int)JOB_OK);
	CHECK_EQ((int)change("set hostname", "other"), (int)JOB_OK);
	CHECK_EQ((int)change("rollback-trial", ""), (int)JOB_OK);
	CHECK(first_holds());
	CHECK(file_has("run/network/hostname", "box"));
	return true;
}

static bool names_are_an_admins_to_set(void)
{
	auto_buf struct buf pem = buf_make(8192);

	CHECK_EQ((int)change("set hostname", "fort"), (int)JOB_OK);
	CHECK_EQ((int)change("set tls-names", "fort.example.org\n192.0.2.9"), (int)JOB_OK);
	CHECK(file_has("run/network/hostname", "fort"));
	CHECK(status_says("\"config_trial\":false"));
	CHECK_EQ(files_read(state, "tls/cert.pem", &pem), 0);
	buf_add(&pem, "", 1);
	auto cert = (const char *)pem.data;
	CHECK(cert_has_name(cert, strlen(cert), "fort.example.org"));
	CHECK(cert_has_name(cert, strlen(cert), "192.0.2.9"));
	CHECK(cert_has_name(cert, strlen(cert), "fort"));
	CHECK_EQ((int)change("set tls-names", "none"), (int)JOB_OK);
	CHECK_EQ((int)change("set hostname", "box"), (int)JOB_OK);
	CHECK(first_holds());
	return true;
}

static bool what_is_not_valid_changes_nothing(void)
{
	static const struct {
		const char *what, *second, *said;
	} CASES[] = {
		{ "set hostname", "-a", "hostname: must be" },
		{ "set hostname", "a\nb", "hostname: must be" },
		{ "set tls-names", "a b", "tls.names[0]" },
		{ "set ssh-sources", "10.0.0.1/8", "ssh.sources[0]: has bits" },
		{ "set dns", "192.0.2.1", "by DHCP" },
		{ "set colour", "red", "there is no setting" },
		{ "edit", "{", "is not JSON" },
		{ "edit", TYPO, "there is no key" },
		{ "nonsense", "", "no such request" },
	};

	for (size_t i = 0; i < countof(CASES); i++) {
		CHECK_EQ((int)change(CASES[i].what, CASES[i].second), (int)JOB_REFUSED);
		if (!strstr(done.text, CASES[i].said))
			printf("# %s: %s\n", CASES[i].what, done.text);
		CHECK(strstr(done.text, CASES[i].said));
		CHECK(first_holds());
	}
	return true;
}

static bool what_is_shown_can_be_given_back(void)
{
	static char shown[JOB_ARGUMENT_MAX];

	(void)snprintf(shown, sizeof(shown), "%s", reads("show"));
	CHECK(strstr(shown, "\"hostname\": \"box\""));
	CHECK_EQ((int)change("edit", shown), (int)JOB_OK);
	CHECK(!strstr(done.text, "config confirm")); /* it means the same */
	CHECK(first_holds());
	return true;
}

static bool unpinned_the_launcher_replaces_and_it_is_said(void)
{
	CHECK_EQ((int)change("unpin", ""), (int)JOB_OK);
	CHECK_EQ(boot(TYPO), 0);
	CHECK(first_holds()); /* not even then is a typing error an outage */
	CHECK_EQ(boot(EVIL), 0);
	CHECK(file_has("run/network/10-redoubt.network", "DNS=192.0.2.66"));
	CHECK(status_says("appliance.config.replaced launcher's "));
	CHECK_EQ((int)change("pin", ""), (int)JOB_OK);
	CHECK_EQ(boot(FIRST), 0);
	CHECK(file_has("run/network/10-redoubt.network", "DNS=192.0.2.66"));
	CHECK_EQ((int)change("rollback", ""), (int)JOB_OK);
	CHECK(first_holds());
	return true;
}

static bool a_broken_store_falls_back_to_the_last_good_one(void)
{
	auto_close int config = openat(state, "config", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK_EQ((int)change("set hostname", "second"), (int)JOB_OK);
	CHECK_EQ(files_write(config, "config.json", "{}", 2, 0644), 0);
	CHECK_EQ(boot(EVIL), 0); /* and not to what the launcher would like */
	CHECK(first_holds());
	CHECK(status_says("version: is missing"));
	return true;
}

static bool every_failed_allocation_is_survived(void)
{
	for (size_t n = 1;; n++) {
		cleanup(stored_free_at) struct stored *stored = nullptr;

		fault_at(n);
		int r = stored_look(state, &stored);

		if (!fault_end())
			return r == 0;
		CHECK(r < 0);
		CHECK(!stored);
	}
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
	if (mkdir(path, 0755) < 0 || files_open_folder(path, &state) || setup_folders(text))
		return 99;
	RUN(the_first_configuration_is_taken_from_outside);
	RUN(what_a_launcher_gives_later_is_compared_and_not_taken);
	RUN(the_same_written_otherwise_is_no_difference);
	RUN(a_typing_error_outside_is_no_outage);
	RUN(nothing_from_outside_is_as_it_was);
	RUN(an_admin_accepts_what_has_been_looked_at);
	RUN(what_was_not_confirmed_is_taken_back_at_the_next_boot);
	RUN(what_is_confirmed_stays);
	RUN(several_unconfirmed_changes_go_back_to_what_was_confirmed);
	RUN(names_are_an_admins_to_set);
	RUN(what_is_not_valid_changes_nothing);
	RUN(what_is_shown_can_be_given_back);
	RUN(unpinned_the_launcher_replaces_and_it_is_said);
	RUN(a_broken_store_falls_back_to_the_last_good_one);
	RUN(every_failed_allocation_is_survived);
	(void)close(state);
	(void)snprintf(command, sizeof(command), "rm -rf %s", top);
	return system(command) ? 99 : tap_done(); /* NOLINT: a test's own folder */
}
