/* SPDX-License-Identifier: Apache-2.0 */
/* What opens the data volume: shown, confirmed, made anew; and cut at any moment. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "appliance/worker/files.h"
#include "appliance/worker/key_jobs.h"
#include "appliance/worker/volume.h"
#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

static const struct volume_cost CHEAP = { .iterations = 4, .memory_kb = 32, .threads = 1 };
static const char KEY[] = "000000-111111-222222-333333-444444-555555-666666-777777";
static const char OTHER[] = "000000-111111-222222-333333-444444-555555-666666-777778";

static char top[] = "/tmp/redoubt-keys-XXXXXX";
static char disk[64];
static int state = -1;
static struct job_done done;

static void on_progress(void *, unsigned int, const char *)
{
}

static struct boot boot = { on_progress, nullptr, &done };

/* A volume of a first boot whose recovery key nobody has taken. */
static bool fresh(void)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	char said[VOLUME_SAID];
	auto_close int fd = open(disk, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	(void)unlinkat(state, "recovery-key.new", 0);
	(void)unlinkat(state, "header-backup", 0);
	CHECK(fd >= 0 && ftruncate(fd, 64 << 20) == 0);
	CHECK_EQ(volume_format(disk, KEY, &CHEAP, &volume, said), 0);
	CHECK_EQ(volume_set_complete(volume), 0);
	CHECK_EQ(files_write(state, "recovery-key", KEY, strlen(KEY), 0600), 0);
	return true;
}

static bool opens(const char *path, const char *key)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;

	return volume_load(path, &volume) == 0 && volume_open_key(volume, nullptr, key) == 0;
}

static bool is_kept(const char *name, char ret[64])
{
	auto_buf struct buf text = buf_make(63);

	ret[0] = '\0';
	if (files_read(state, name, &text) || text.len > 63)
		return false;
	memcpy(ret, text.data, text.len);
	ret[text.len] = '\0';
	return true;
}

static bool looking_at_the_key_leaves_it_there(void)
{
	CHECK(fresh());
	for (int i = 0; i < 3; i++) {
		done = (struct job_done) {};
		key_jobs_show(&boot, state);
		CHECK_EQ((int)done.outcome, (int)JOB_OK);
		CHECK(strcmp(done.data, KEY) == 0);
		CHECK(key_jobs_pending(state));
	}
	return true;
}

static bool only_who_types_its_last_group_has_it(void)
{
	static const char *const WRONG[] = { "",       "7",   "77777",	 "777778", "7777777",
					     "666666", "yes", "777777x", OTHER,	   "000000" };
	char kept[64];

	CHECK(fresh());
	for (size_t i = 0; i < countof(WRONG); i++) {
		key_jobs_confirm(&boot, state, WRONG[i]);
		CHECK_EQ((int)done.outcome, (int)JOB_REFUSED);
		CHECK(is_kept("recovery-key", kept));
	}
	key_jobs_confirm(&boot, state, " 777-777\n");
	CHECK_EQ((int)done.outcome, (int)JOB_OK);
	CHECK(!key_jobs_pending(state) && opens(disk, KEY));
	key_jobs_show(&boot, state);
	CHECK_EQ((int)done.outcome, (int)JOB_REFUSED);
	key_jobs_confirm(&boot, state, KEY);
	CHECK_EQ((int)done.outcome, (int)JOB_REFUSED);
	return true;
}

static bool a_key_that_does_not_open_is_never_erased(void)
{
	char kept[64];

	CHECK(fresh());
	CHECK_EQ(files_write(state, "recovery-key", OTHER, strlen(OTHER), 0600), 0);
	key_jobs_confirm(&boot, state, OTHER);
	CHECK_EQ((int)done.outcome, (int)JOB_FAULT);
	CHECK(is_kept("recovery-key", kept));
	return true;
}

static bool the_old_key_opens_until_the_new_one_is_confirmed(void)
{
	char new_key[64], again[64], backup[80];

	CHECK(fresh());
	key_jobs_new(&boot, state, "");
	CHECK_EQ((int)done.outcome, (int)JOB_REFUSED); /* no TPM and no key */
	key_jobs_new(&boot, state, OTHER);
	CHECK_EQ((int)done.outcome, (int)JOB_REFUSED);
	key_jobs_new(&boot, state, KEY);
	CHECK_EQ((int)done.outcome, (int)JOB_OK);
	(void)snprintf(new_key, sizeof(new_key), "%.63s", done.data);
	CHECK(strcmp(new_key, KEY) != 0 && opens(disk, KEY) && opens(disk, new_key));
	key_jobs_new(&boot, state, KEY);
	(void)snprintf(again, sizeof(again), "%.63s", done.data);
	CHECK(strcmp(new_key, again) == 0);
	key_jobs_show(&boot, state);
	CHECK(strcmp(done.data, new_key) == 0);
	key_jobs_confirm(&boot, state, "777777"); /* the old one's */
	CHECK_EQ((int)done.outcome, (int)JOB_REFUSED);
	key_jobs_confirm(&boot, state, new_key + strlen(new_key) - 6);
	CHECK_EQ((int)done.outcome, (int)JOB_OK);
	CHECK(!opens(disk, KEY) && opens(disk, new_key) && !key_jobs_pending(state));
	(void)snprintf(backup, sizeof(backup), "%s/state/header-backup", top);
	CHECK_EQ(truncate(backup, 64 << 20), 0);
	CHECK(!opens(backup, KEY) && opens(backup, new_key));
	return true;
}

/* Do a job in a process of its own, and kill it after so long. */
static void cut_after(long us, void (*job)(void))
{
	const struct timespec wait = { .tv_nsec = us * 1000 };
	pid_t child = fork();

	if (child == 0) {
		job();
		_exit(0);
	}
	(void)nanosleep(&wait, nullptr);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, nullptr, 0);
}

static void make_new(void)
{
	key_jobs_new(&boot, state, KEY);
}

static void confirm_pending(void)
{
	char key[64];

	if (is_kept("recovery-key.new", key))
		key_jobs_confirm(&boot, state, key);
}

/* How long a job takes, uncut. */
static long duration_us(void (*job)(void))
{
	struct timespec from, to;

	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	job();
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	return (to.tv_sec - from.tv_sec) * 1'000'000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

static bool cut_at_any_moment_a_key_that_somebody_has_opens(void)
{
	constexpr long CUTS = 8;
	char pending[64];

	CHECK(fresh());
	const long making = duration_us(make_new), confirming = duration_us(confirm_pending);
	for (long cut = 0; cut < CUTS; cut++) {
		CHECK(fresh());
		cut_after(making * cut / CUTS, make_new);
		CHECK(opens(disk, KEY));
		make_new();
		CHECK_EQ((int)done.outcome, (int)JOB_OK);
		CHECK(opens(disk, KEY) && is_kept("recovery-key.new", pending));
		cut_after(confirming * cut / CUTS, confirm_pending);
		CHECK(opens(disk, pending)); /* and who has confirmed it has it */
		confirm_pending();
		CHECK(!key_jobs_pending(state) || is_kept("recovery-key", pending));
		CHECK(opens(disk, KEY) == false);
	}
	return true;
}

static bool the_lack_of_memory_costs_nobody_a_key(void)
{
	char pending[64];

	CHECK(fresh());
	for (size_t n = 1;; n++) {
		fault_at(n);
		make_new();
		if (!fault_end())
			break;
		CHECK(opens(disk, KEY));
	}
	CHECK(is_kept("recovery-key.new", pending));
	for (size_t n = 1;; n++) {
		fault_at(n);
		key_jobs_confirm(&boot, state, pending);
		if (!fault_end())
			break;
		CHECK(opens(disk, pending));
		CHECK(done.outcome == JOB_OK || key_jobs_pending(state));
	}
	return true;
}

static bool what_opens_the_volume_derives_one_secret(void)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	uint8_t secret[VOLUME_SECRET], same[VOLUME_SECRET];

	CHECK(fresh());
	CHECK_EQ(volume_load(disk, &volume), 0);
	CHECK_EQ(volume_secret(volume, secret), -ENOKEY);
	CHECK_EQ(volume_activate(volume, "redoubt-never"), -ENOKEY);
	CHECK_EQ(volume_add_key(volume, OTHER, &CHEAP), -ENOKEY);
	CHECK_EQ(volume_drop_other_keys(volume), -ENOKEY);
	CHECK_EQ(volume_unlock_key(volume, KEY), 0);
	CHECK_EQ(volume_secret(volume, secret), 0);
	CHECK_EQ(volume_add_key(volume, OTHER, &CHEAP), 0);
	CHECK_EQ(volume_unlock_key(volume, "x"), VOLUME_WRONG_KEY);
	CHECK_EQ(volume_secret(volume, same), -ENOKEY);
	CHECK_EQ(volume_unlock_key(volume, OTHER), 0);
	CHECK_EQ(volume_secret(volume, same), 0);
	CHECK(memcmp(secret, same, sizeof(same)) == 0);
	CHECK_EQ(volume_drop_other_keys(volume), 0);
	CHECK(!opens(disk, KEY) && opens(disk, OTHER));
	return true;
}

int main(void)
{
	char path[64];

	if (!mkdtemp(top))
		return 99;
	(void)snprintf(disk, sizeof(disk), "%s/disk", top);
	(void)snprintf(path, sizeof(path), "%s/state", top);
	if (mkdir(path, 0700) < 0 || setenv("REDOUBT_STATE", path, 1) < 0 ||
	    setenv("REDOUBT_VOLUME", disk, 1) < 0 || files_open_folder(path, &state))
		return 99;
	RUN(looking_at_the_key_leaves_it_there);
	RUN(only_who_types_its_last_group_has_it);
	RUN(a_key_that_does_not_open_is_never_erased);
	RUN(the_old_key_opens_until_the_new_one_is_confirmed);
	RUN(cut_at_any_moment_a_key_that_somebody_has_opens);
	RUN(the_lack_of_memory_costs_nobody_a_key);
	RUN(what_opens_the_volume_derives_one_secret);
	(void)snprintf(path, sizeof(path), "rm -rf %s", top);
	return system(path) == 0 ? tap_done() : 99; /* NOLINT: a path of our own */
}
