/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "appliance/worker/config_job.h"
#include "appliance/worker/era.h"
#include "appliance/worker/files.h"
#include "appliance/worker/identity.h"
#include "appliance/worker/key_jobs.h"
#include "appliance/worker/run.h"
#include "appliance/worker/stored.h"
#include "appliance/worker/volume.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/crypto/cert.h"
#include "common/crypto/crypto.h"
#include "common/log.h"
#include "common/sandbox.h"

constexpr int CHECK_TIMEOUT_S = 300;
static const char CHECK_PROGRAM[] = "/usr/lib/redoubt/redoubt-check";

[[gnu::format(printf, 3, 4)]] static void finish(struct boot *boot, enum job_outcome outcome,
						 const char *format, ...)
{
	va_list args;

	boot->done->outcome = outcome;
	va_start(args, format);
	(void)vsnprintf(boot->done->text, sizeof(boot->done->text), format, args);
	va_end(args);
}

/* Copy a text into the answer, as much as fits by whole lines. */
static void answer(struct boot *boot, struct buf *text)
{
	size_t len = text->len < JOB_DATA_MAX - 1 ? text->len : JOB_DATA_MAX - 1;

	while (len < text->len && len > 0 && text->data[len - 1] != '\n')
		len--;
	if (len > 0)
		memcpy(boot->done->data, text->data, len);
	boot->done->data[len] = '\0';
}

static enum jobs_end do_boot(const struct job *job, struct boot *boot)
{
	(void)job;
	boot_start(boot);
	return JOBS_END_NOTHING;
}

static enum jobs_end do_provision(const struct job *job, struct boot *boot)
{
	boot_provision(boot, job->argument);
	return JOBS_END_NOTHING;
}

static enum jobs_end do_unlock(const struct job *job, struct boot *boot)
{
	boot_unlock(boot, job->argument);
	return JOBS_END_NOTHING;
}

/* Open the state folder; without the volume in it there is nothing to be done there. */
static bool open_state(struct boot *boot, int *state)
{
	int r = files_open_folder(files_state(), state);

	if (r == 0 && faccessat(*state, "config/config.json", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return true;
	finish(boot, JOB_LOCKED, "the data volume is not open");
	return false;
}

static enum jobs_end do_take_recovery_key(const struct job *job, struct boot *boot)
{
	auto_close int state = -1;

	(void)job;
	if (open_state(boot, &state))
		key_jobs_show(boot, state);
	return JOBS_END_NOTHING;
}

static enum jobs_end do_confirm_recovery_key(const struct job *job, struct boot *boot)
{
	auto_close int state = -1;

	if (open_state(boot, &state))
		key_jobs_confirm(boot, state, job->argument);
	return JOBS_END_NOTHING;
}

static enum jobs_end do_new_recovery_key(const struct job *job, struct boot *boot)
{
	auto_close int state = -1;

	if (open_state(boot, &state))
		key_jobs_new(boot, state, job->argument);
	return JOBS_END_NOTHING;
}

static enum jobs_end do_bind_tpm(const struct job *job, struct boot *boot)
{
	auto_close int state = -1;

	if (open_state(boot, &state))
		key_jobs_bind(boot, state, job->argument);
	return JOBS_END_NOTHING;
}

static enum jobs_end do_install_certificate(const struct job *job, struct boot *boot)
{
	cleanup(stored_free_at) struct stored *stored = nullptr;
	auto_close int state = -1;
	char why[IDENTITY_TEXT];

	if (!open_state(boot, &state))
		return JOBS_END_NOTHING;
	int r = stored_look(state, &stored);
	if (r == 0 && !stored->sound)
		r = -EBADMSG;
	if (r == 0)
		r = identity_install(state, &stored->config, job->argument, job->second,
				     clock_wall_us() / 1'000'000, why);
	if (r == IDENTITY_REFUSED)
		finish(boot, JOB_REFUSED, "%s", why);
	else if (r)
		finish(boot, JOB_FAULT, "the certificate could not be stored: %s",
		       strerrordesc_np(-r));
	else
		finish(boot, JOB_OK, "the certificate is installed; HTTPS uses it in a moment");
	return JOBS_END_NOTHING;
}

/* Append "a b c" as ["a","b","c"]. */
static void add_words(const char *words, struct buf *ret)
{
	const char *separator = "";

	buf_add_str(ret, "[");
	while (*words) {
		size_t len = strcspn(words, " ");

		buf_add_str(ret, separator);
		buf_add_json(ret, words, len);
		separator = ",";
		words += len + (words[len] == ' ');
	}
	buf_add_str(ret, "]");
}

/* Append what is to be known of a certificate below the state folder. */
static void describe_certificate(int state, const char *file, bool server, struct buf *ret)
{
	auto_buf struct buf pem = buf_make(CERT_PEM_MAX), names = buf_make(JOB_DATA_MAX / 4);
	char fingerprint[65], ends[CLOCK_TEXT];
	uint64_t end_s = 0;

	if (files_read(state, file, &pem) ||
	    !cert_describe(pem.data, pem.len, &end_s, fingerprint, &names))
		return;
	if (!server) {
		buf_addf(ret, ",\"ca_fingerprint\":\"%s\"", fingerprint);
		return;
	}
	const char *words = buf_text(&names);
	clock_text_s(end_s * 1'000'000, ends);
	buf_addf(ret, ",\"tls_expires\":\"%s\",\"tls_names\":", ends);
	add_words(words ? words : "", ret);
}

/* Append the host key's fingerprint as ssh-keygen -l shows it. */
static void describe_host_key(int state, struct buf *ret)
{
	auto_buf struct buf line = buf_make(1024);
	uint8_t blob[512], hash[CRYPTO_HASH];
	char text[64];
	size_t len = 0;

	if (files_read(state, "ssh/ssh_host_ed25519_key.pub", &line))
		return;
	const char *key = buf_text(&line);
	key = key ? strchr(key, ' ') : nullptr;
	if (!key ||
	    !crypto_base64_decode(key + 1, strcspn(key + 1, " \n"), blob, sizeof(blob), &len) ||
	    crypto_sha256(blob, len, hash))
		return;
	static_assert(sizeof(text) > (CRYPTO_HASH + 2) / 3 * 4);
	crypto_base64(hash, sizeof(hash), text);
	buf_addf(ret, ",\"ssh_host_key\":\"SHA256:%.*s\"", (int)strcspn(text, "="), text);
}

/* The status is asked for every ten minutes: the last time seen is not older than that. */
static void keep_time(int state)
{
	struct era era;

	era_look(state, &era);
	int r = era.doubtful ? 0 : era_keep(state, &era);
	if (r)
		log_event(LOG_WARNING, EVENT_TLS, r, "the time is not kept", nullptr);
}

static enum jobs_end do_volume_status(const struct job *job, struct boot *boot)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	auto_buf struct buf text = buf_make(JOB_DATA_MAX - 1);
	auto_close int state = -1;
	int r = volume_load_open(VOLUME_NAME, &volume);

	(void)job;
	if (r) {
		finish(boot, JOB_LOCKED, "the data volume is not open");
		return JOBS_END_NOTHING;
	}
	buf_add_str(&text, "{\"volume\":");
	volume_describe(volume, &text);
	if (files_open_folder(files_state(), &state) == 0) {
		keep_time(state);
		describe_certificate(state, "tls/cert.pem", true, &text);
		describe_certificate(state, "ca/ca.pem", false, &text);
		describe_host_key(state, &text);
		bool pending = key_jobs_pending(state);
		buf_addf(&text, ",\"recovery_key_pending\":%s", pending ? "true" : "false");
		config_job_describe(state, &text);
	}
	buf_add_str(&text, "}");
	if (buf_error(&text)) {
		finish(boot, JOB_FAULT, "the status is too long to be told");
		return JOBS_END_NOTHING;
	}
	answer(boot, &text);
	finish(boot, JOB_OK, "%s", "");
	return JOBS_END_NOTHING;
}

static enum jobs_end do_check_hardening(const struct job *job, struct boot *boot)
{
	auto_buf struct buf said = buf_make(JOB_DATA_MAX - 1);
	const char *const argv[] = { CHECK_PROGRAM, nullptr };
	struct run run = { .argv = argv, .timeout_s = CHECK_TIMEOUT_S };
	int r = run_program(&run, &said);

	(void)job;
	if (r < 0 || r >= 126) {
		finish(boot, JOB_FAULT, "the hardening checks could not be run");
		return JOBS_END_NOTHING;
	}
	answer(boot, &said);
	finish(boot, JOB_OK, r ? "some checks failed" : "every check passed");
	return JOBS_END_NOTHING;
}

/* Whoever asks for it has looked at the clock and vouches for it. */
static enum jobs_end do_renew_certificate(const struct job *job, struct boot *boot)
{
	cleanup(stored_free_at) struct stored *stored = nullptr;
	auto_close int state = -1;
	char now[CLOCK_TEXT];
	struct era era;

	(void)job;
	if (!open_state(boot, &state))
		return JOBS_END_NOTHING;
	int r = stored_look(state, &stored);
	if (r == 0 && !stored->sound)
		r = -EBADMSG;
	if (r == 0) {
		era_look(state, &era);
		era.doubtful = false;
		r = identity_renew(state, &stored->config, &era);
	}
	if (r == 0)
		r = era_keep(state, &era);
	if (r == IDENTITY_REFUSED)
		finish(boot, JOB_REFUSED,
		       "the certificate was installed by somebody, who has to renew it: "
		       "`certificate install`");
	else if (r)
		finish(boot, JOB_FAULT, "the certificate could not be renewed: %s",
		       strerrordesc_np(-r));
	else {
		clock_text_s(era.now_s * 1'000'000, now);
		finish(boot, JOB_OK,
		       "the certificate is new, valid from %s; HTTPS uses it in a moment", now);
	}
	return JOBS_END_NOTHING;
}

static enum jobs_end do_config_read(const struct job *job, struct boot *boot)
{
	config_job_read(job, boot->done);
	return JOBS_END_NOTHING;
}

static enum jobs_end do_config_change(const struct job *job, struct boot *boot)
{
	config_job_change(job, boot->done);
	return JOBS_END_NOTHING;
}

static enum jobs_end do_power_off(const struct job *job, struct boot *boot)
{
	(void)job;
	finish(boot, JOB_OK, "powering off");
	return JOBS_END_POWER_OFF;
}

static enum jobs_end do_reboot(const struct job *job, struct boot *boot)
{
	(void)job;
	finish(boot, JOB_OK, "restarting");
	return JOBS_END_REBOOT;
}

static enum jobs_end (*const JOBS[])(const struct job *, struct boot *) = {
	[JOB_BOOT] = do_boot,
	[JOB_PROVISION] = do_provision,
	[JOB_UNLOCK] = do_unlock,
	[JOB_TAKE_RECOVERY_KEY] = do_take_recovery_key,
	[JOB_INSTALL_CERTIFICATE] = do_install_certificate,
	[JOB_VOLUME_STATUS] = do_volume_status,
	[JOB_CHECK_HARDENING] = do_check_hardening,
	[JOB_RENEW_CERTIFICATE] = do_renew_certificate,
	[JOB_CONFIG_READ] = do_config_read,
	[JOB_CONFIG_CHANGE] = do_config_change,
	[JOB_POWER_OFF] = do_power_off,
	[JOB_REBOOT] = do_reboot,
	[JOB_CONFIRM_RECOVERY_KEY] = do_confirm_recovery_key,
	[JOB_NEW_RECOVERY_KEY] = do_new_recovery_key,
	[JOB_BIND_TPM] = do_bind_tpm,
};
static_assert(countof(JOBS) == JOB_KIND_COUNT);

enum jobs_end jobs_run(const struct job *job, struct boot *boot)
{
	return JOBS[job->kind](job, boot);
}

void jobs_end(enum jobs_end end)
{
	/* systemd(1): SIGRTMIN+4 starts poweroff.target, SIGRTMIN+5 reboot.target. */
	const int signal_of[] = {
		[JOBS_END_NOTHING] = 0,
		[JOBS_END_POWER_OFF] = SIGRTMIN + 4,
		[JOBS_END_REBOOT] = SIGRTMIN + 5,
	};

	if (signal_of[end] && kill(1, signal_of[end]) < 0)
		log_event(LOG_ERR, EVENT_REQUEST_FAILED, neg_errno(), "systemd was not asked",
			  nullptr);
}

static bool reach_network(void)
{
	return sandbox_try_inet_socket();
}

static bool reach_bus(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX,
				       .sun_path = "/run/dbus/system_bus_socket" };
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

static bool read_people(void)
{
	return sandbox_try_read("/run/userdb");
}

static bool read_memory(void)
{
	return sandbox_try_read("/dev/mem") || sandbox_try_read("/dev/kmsg") ||
	       sandbox_try_read("/proc/kcore");
}

/* Try one thing and print its TAP line. Returns 1 if what is forbidden worked. */
static int try_one(size_t number, const struct sandbox_trial *trial)
{
	bool worked = trial->succeeds();

	printf("%s %zu - cannot %s\n", worked ? "not ok" : "ok", number, trial->what);
	return worked;
}

int jobs_self_test(void)
{
	static const struct sandbox_trial OWN[] = {
		{ "reach the network", reach_network },
		{ "reach the bus", reach_bus },
		{ "read who the people are", read_people },
		{ "read the machine's memory", read_memory },
	};
	/* The one common trial that a worker may: disks are its trade. */
	static const char TRADE[] = "read a disk or memory device";
	size_t number = 0;
	int failed = 0;

	printf("TAP version 13\n1..%zu\n", SANDBOX_TRIALS_COUNT + countof(OWN));
	for (size_t i = 0; i < SANDBOX_TRIALS_COUNT; i++) {
		number++;
		if (strcmp(SANDBOX_TRIALS[i].what, TRADE) == 0)
			printf("ok %zu - # SKIP a worker opens disks\n", number);
		else
			failed |= try_one(number, &SANDBOX_TRIALS[i]);
	}
	for (size_t i = 0; i < countof(OWN); i++)
		failed |= try_one(++number, &OWN[i]);
	return failed;
}
