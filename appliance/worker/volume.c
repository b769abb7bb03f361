/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/volume.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <libcryptsetup.h>

#include "appliance/worker/run.h"

constexpr size_t VOLUME_KEY_LEN = 64; /* xts: two AES-256 keys */
constexpr int SLOT_RECOVERY = 0;
constexpr int TOKEN_STATE = 31; /* the last one: systemd-cryptenroll takes the first free */
constexpr int TOKENS = 32;	/* LUKS2's limit */
constexpr int SLOTS = 32;
constexpr int ENROLL_TIMEOUT_S = 120; /* a software TPM under emulation is slow */
static const char TPM_TYPE[] = "systemd-tpm2";
static const char MAKING[] = "{\"type\":\"redoubt\",\"keyslots\":[],\"state\":\"making\"}";
static const char COMPLETE[] = "{\"type\":\"redoubt\",\"keyslots\":[],\"state\":\"complete\"}";

struct volume {
	struct crypt_device *cd;
	char said[VOLUME_SAID];
};

/* Keep the last error that the library reports, without its newline. */
static void on_log(int level, const char *message, void *userdata)
{
	struct volume *volume = userdata;

	if (level != CRYPT_LOG_ERROR)
		return;
	(void)snprintf(volume->said, sizeof(volume->said), "%s", message);
	volume->said[strcspn(volume->said, "\n")] = '\0';
}

static int volume_new(const char *path, struct volume **ret)
{
	cleanup(volume_free_at) struct volume *volume = calloc(1, sizeof(*volume));

	if (!volume)
		return -ENOMEM;
	int r = crypt_init(&volume->cd, path);
	if (r < 0)
		return r;
	crypt_set_log_callback(volume->cd, on_log, volume);
	*ret = TAKE(volume);
	return 0;
}

struct volume *volume_free(struct volume *volume)
{
	if (!volume)
		return nullptr;
	crypt_free(volume->cd);
	free(volume);
	return nullptr;
}

/* 4096-byte sectors if the size is a multiple of it; else 512. */
static uint32_t sector_size(const char *path, uint64_t size)
{
	struct stat st;

	if (size == 0 && stat(path, &st) == 0)
		size = (uint64_t)st.st_size;
	return size % 4096 == 0 ? 4096 : 512;
}

static int format(struct volume *volume, const char *path, const char *key,
		  const struct volume_cost *cost)
{
	const struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_ARGON2ID,
		.hash = "sha256",
		.iterations = cost->iterations,
		.max_memory_kb = cost->memory_kb,
		.parallel_threads = cost->threads,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 params = {
		.pbkdf = &pbkdf,
		.sector_size = sector_size(path, 0),
		.label = VOLUME_LABEL,
	};

	crypt_set_rng_type(volume->cd, CRYPT_RNG_URANDOM); /* getrandom(2): waits for the seed */
	int r = crypt_format(volume->cd, CRYPT_LUKS2, "aes", "xts-plain64", nullptr, nullptr,
			     VOLUME_KEY_LEN, &params);
	if (r < 0 && params.sector_size != 512) {
		params.sector_size = 512;
		r = crypt_format(volume->cd, CRYPT_LUKS2, "aes", "xts-plain64", nullptr, nullptr,
				 VOLUME_KEY_LEN, &params);
	}
	if (r >= 0)
		r = crypt_token_json_set(volume->cd, TOKEN_STATE, MAKING);
	if (r >= 0)
		r = crypt_keyslot_add_by_volume_key(volume->cd, SLOT_RECOVERY, nullptr, 0, key,
						    strlen(key));
	return r < 0 ? r : 0;
}

int volume_format(const char *path, const char *recovery_key, const struct volume_cost *cost,
		  struct volume **ret, char said[VOLUME_SAID])
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	int r = volume_new(path, &volume);

	said[0] = '\0';
	if (r)
		return r;
	r = format(volume, path, recovery_key, cost);
	if (r) {
		memcpy(said, volume->said, VOLUME_SAID);
		return r;
	}
	*ret = TAKE(volume);
	return 0;
}

/* Whether the header is LUKS2 with our label. */
static bool is_ours(struct volume *volume)
{
	const char *type = crypt_get_type(volume->cd);
	const char *label = crypt_get_label(volume->cd);

	return type && strcmp(type, CRYPT_LUKS2) == 0 && label && strcmp(label, VOLUME_LABEL) == 0;
}

int volume_load(const char *path, struct volume **ret)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	int r = volume_new(path, &volume);

	if (r)
		return r;
	r = crypt_load(volume->cd, CRYPT_LUKS2, nullptr);
	if (r == -EINVAL || (r == 0 && !is_ours(volume)))
		return VOLUME_NOT_OURS;
	if (r < 0)
		return r;
	*ret = TAKE(volume);
	return 0;
}

int volume_load_open(const char *name, struct volume **ret)
{
	cleanup(volume_free_at) struct volume *volume = calloc(1, sizeof(*volume));

	if (!volume)
		return -ENOMEM;
	int r = crypt_init_by_name(&volume->cd, name);
	if (r < 0)
		return r;
	crypt_set_log_callback(volume->cd, on_log, volume);
	if (!is_ours(volume))
		return VOLUME_NOT_OURS;
	*ret = TAKE(volume);
	return 0;
}

/* The slot's number of the first active one, or -1. */
static int first_slot(struct volume *volume)
{
	for (int slot = 0; slot < SLOTS; slot++) {
		crypt_keyslot_info info = crypt_keyslot_status(volume->cd, slot);

		if (info == CRYPT_SLOT_ACTIVE || info == CRYPT_SLOT_ACTIVE_LAST)
			return slot;
	}
	return -1;
}

enum volume_state volume_state(struct volume *volume)
{
	const char *json = nullptr;
	int r = crypt_token_json_get(volume->cd, TOKEN_STATE, &json);

	if (r < 0 || !json || !strstr(json, "\"redoubt\""))
		return first_slot(volume) < 0 ? VOLUME_HALF : VOLUME_FOREIGN;
	return strstr(json, "\"complete\"") ? VOLUME_COMPLETE : VOLUME_HALF;
}

int volume_set_complete(struct volume *volume)
{
	int r = crypt_token_json_set(volume->cd, TOKEN_STATE, COMPLETE);

	return r < 0 ? r : 0;
}

/* The number of the TPM's token, or -1. */
static int tpm_token(struct volume *volume)
{
	for (int token = 0; token < TOKENS; token++) {
		const char *type = nullptr;
		crypt_token_info info = crypt_token_status(volume->cd, token, &type);

		if (info != CRYPT_TOKEN_INACTIVE && info != CRYPT_TOKEN_INVALID && type &&
		    strcmp(type, TPM_TYPE) == 0)
			return token;
	}
	return -1;
}

bool volume_has_tpm_slot(struct volume *volume)
{
	return tpm_token(volume) >= 0;
}

int volume_open_key(struct volume *volume, const char *name, const char *key)
{
	int r = crypt_activate_by_passphrase(volume->cd, name, CRYPT_ANY_SLOT, key, strlen(key), 0);

	if (r == -EPERM || r == -ENOENT)
		return VOLUME_WRONG_KEY;
	return r < 0 ? r : 0;
}

int volume_open_tpm(struct volume *volume, const char *name)
{
	int token = tpm_token(volume);

	if (token < 0)
		return VOLUME_NO_SLOT;
	volume->said[0] = '\0';
	int r = crypt_activate_by_token_pin(volume->cd, name, TPM_TYPE, token, nullptr, 0, nullptr,
					    0);
	if (r >= 0)
		return 0;
	/* What the device mapper refuses has nothing to do with keys. */
	return r == -EEXIST || r == -EBUSY || r == -ENOMEM ? r : VOLUME_WRONG_KEY;
}

int volume_close(const char *name)
{
	int r = crypt_deactivate(nullptr, name);

	return r == -ENODEV ? 0 : r;
}

int volume_enroll_tpm(const char *path, const char *recovery_key, struct buf *output)
{
	const char *const argv[] = {
		"/usr/bin/systemd-cryptenroll",
		"--unlock-key-file=/dev/fd/3", /* RUN_SECRET_FD */
		"--tpm2-device=auto",
		"--tpm2-pcrs=7",
		"--tpm2-pcrlock=",
		path,
		nullptr,
	};
	static_assert(RUN_SECRET_FD == 3);
	struct run run = {
		.argv = argv,
		.secret = recovery_key,
		.secret_len = strlen(recovery_key),
		.timeout_s = ENROLL_TIMEOUT_S,
	};

	return run_program(&run, output);
}

int volume_backup_header(struct volume *volume, const char *file)
{
	int r = crypt_header_backup(volume->cd, CRYPT_LUKS2, file);

	return r < 0 ? r : 0;
}

/* "recovery-key", "tpm" or "other". */
static const char *slot_kind(struct volume *volume, int slot)
{
	int token = tpm_token(volume);

	if (token >= 0 && crypt_token_is_assigned(volume->cd, token, slot) == 0)
		return "tpm";
	return slot == SLOT_RECOVERY ? "recovery-key" : "other";
}

void volume_describe(struct volume *volume, struct buf *ret)
{
	static const char *const STATES[] = {
		[VOLUME_FOREIGN] = "foreign",
		[VOLUME_HALF] = "half-made",
		[VOLUME_COMPLETE] = "complete",
	};
	const char *device = crypt_get_device_name(volume->cd);
	const char *separator = "";

	buf_add_str(ret, "{\"device\":");
	buf_add_json(ret, device ? device : "", strlen(device ? device : ""));
	buf_addf(ret, ",\"cipher\":\"%s-%s\",\"key_bits\":%d,\"sector_size\":%d,\"keyslots\":[",
		 crypt_get_cipher(volume->cd), crypt_get_cipher_mode(volume->cd),
		 crypt_get_volume_key_size(volume->cd) * 8, crypt_get_sector_size(volume->cd));
	for (int slot = 0; slot < SLOTS; slot++) {
		crypt_keyslot_info info = crypt_keyslot_status(volume->cd, slot);

		if (info != CRYPT_SLOT_ACTIVE && info != CRYPT_SLOT_ACTIVE_LAST)
			continue;
		buf_addf(ret, "%s\"%d %s\"", separator, slot, slot_kind(volume, slot));
		separator = ",";
	}
	buf_addf(ret, "],\"state\":\"%s\"}", STATES[volume_state(volume)]);
}

const char *volume_said(const struct volume *volume)
{
	return volume->said;
}
