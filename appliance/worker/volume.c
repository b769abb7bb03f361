/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/volume.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <libcryptsetup.h>

#include "appliance/worker/run.h"
#include "common/crypto/aead.h"

constexpr uint32_t KDF_ITERATIONS = 4;
constexpr uint32_t KDF_MEMORY_KB = 64 * 1024; /* RFC 9106 section 4, second recommendation */
constexpr uint64_t SMALL_MEMORY = 512ull << 20;
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
	char *key; /* [key_len] the volume key once unlocked, else nullptr */
	size_t key_len;
	int slot; /* that a typed key has unlocked, or -1 */
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
	volume->slot = -1;
	crypt_set_log_callback(volume->cd, on_log, volume);
	*ret = TAKE(volume);
	return 0;
}

static void forget_key(struct volume *volume)
{
	crypt_safe_free(volume->key);
	volume->key = nullptr;
	volume->key_len = 0;
	volume->slot = -1;
}

struct volume *volume_free(struct volume *volume)
{
	if (!volume)
		return nullptr;
	forget_key(volume);
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

struct volume_cost volume_cost_here(void)
{
	struct sysinfo info;
	bool small = sysinfo(&info) == 0 && (uint64_t)info.totalram * info.mem_unit < SMALL_MEMORY;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return (struct volume_cost) {
		.iterations = KDF_ITERATIONS,
		.memory_kb = small ? KDF_MEMORY_KB / 2 : KDF_MEMORY_KB,
		.threads = cpus >= 4   ? 4
			   : cpus >= 1 ? (uint32_t)cpus
				       : 1,
	};
}

/* argon2id at this cost; nothing is measured. */
static struct crypt_pbkdf_type pbkdf_of(const struct volume_cost *cost)
{
	return (struct crypt_pbkdf_type) {
		.type = CRYPT_KDF_ARGON2ID,
		.hash = "sha256",
		.iterations = cost->iterations,
		.max_memory_kb = cost->memory_kb,
		.parallel_threads = cost->threads,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
}

static int format(struct volume *volume, const char *path, const char *key,
		  const struct volume_cost *cost)
{
	const struct crypt_pbkdf_type pbkdf = pbkdf_of(cost);
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
	const char *path = getenv("REDOUBT_VOLUME"); /* a plain file in its place, for tests */

	if (path)
		return volume_load(path, ret);
	cleanup(volume_free_at) struct volume *volume = calloc(1, sizeof(*volume));

	if (!volume)
		return -ENOMEM;
	int r = crypt_init_by_name(&volume->cd, name);
	if (r < 0)
		return r;
	volume->slot = -1;
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

/* Make room for the volume key. Returns 0 or -errno. */
static int make_room(struct volume *volume)
{
	int size = crypt_get_volume_key_size(volume->cd);

	forget_key(volume);
	if (size <= 0)
		return -EINVAL;
	volume->key = crypt_safe_alloc((size_t)size);
	volume->key_len = (size_t)size;
	return volume->key ? 0 : -ENOMEM;
}

int volume_unlock_key(struct volume *volume, const char *key)
{
	int r = make_room(volume);

	if (r)
		return r;
	r = crypt_volume_key_get(volume->cd, CRYPT_ANY_SLOT, volume->key, &volume->key_len, key,
				 strlen(key));
	if (r >= 0) {
		volume->slot = r;
		return 0;
	}
	forget_key(volume);
	return r == -EPERM || r == -ENOENT ? VOLUME_WRONG_KEY : r;
}

int volume_unlock_tpm(struct volume *volume)
{
	struct crypt_keyslot_context *context = nullptr;
	int token = tpm_token(volume);

	if (token < 0)
		return VOLUME_NO_SLOT;
	volume->said[0] = '\0';
	int r = make_room(volume);
	if (r == 0)
		r = crypt_keyslot_context_init_by_token(volume->cd, token, TPM_TYPE, nullptr, 0,
							nullptr, &context);
	if (r == 0)
		r = crypt_volume_key_get_by_keyslot_context(volume->cd, CRYPT_ANY_SLOT, volume->key,
							    &volume->key_len, context);
	crypt_keyslot_context_free(context);
	if (r >= 0)
		return 0;
	forget_key(volume);
	return r == -ENOMEM ? r : VOLUME_WRONG_KEY;
}

int volume_activate(struct volume *volume, const char *name)
{
	if (!volume->key)
		return -ENOKEY;
	int r = crypt_activate_by_volume_key(volume->cd, name, volume->key, volume->key_len, 0);

	return r < 0 ? r : 0;
}

int volume_open_key(struct volume *volume, const char *name, const char *key)
{
	int r = volume_unlock_key(volume, key);

	return r || !name ? r : volume_activate(volume, name);
}

int volume_open_tpm(struct volume *volume, const char *name)
{
	int r = volume_unlock_tpm(volume);

	return r || !name ? r : volume_activate(volume, name);
}

int volume_secret(struct volume *volume, uint8_t ret[VOLUME_SECRET])
{
	static const char INFO[] = "redoubt keyring volume 1";

	if (!volume->key)
		return -ENOKEY;
	return crypto_hkdf(volume->key, volume->key_len, (struct crypto_extra) {},
			   (struct crypto_extra) { INFO, sizeof(INFO) - 1 }, ret, VOLUME_SECRET);
}

int volume_add_key(struct volume *volume, const char *key, const struct volume_cost *cost)
{
	const struct crypt_pbkdf_type pbkdf = pbkdf_of(cost);

	if (!volume->key)
		return -ENOKEY;
	int r = crypt_set_pbkdf_type(volume->cd, &pbkdf);
	if (r == 0)
		r = crypt_keyslot_add_by_volume_key(volume->cd, CRYPT_ANY_SLOT, volume->key,
						    volume->key_len, key, strlen(key));
	return r < 0 ? r : 0;
}

static bool is_active(struct volume *volume, int slot)
{
	crypt_keyslot_info info = crypt_keyslot_status(volume->cd, slot);

	return info == CRYPT_SLOT_ACTIVE || info == CRYPT_SLOT_ACTIVE_LAST;
}

/* Whether the slot is one that the TPM opens. */
static bool is_tpm_slot(struct volume *volume, int slot)
{
	int token = tpm_token(volume);

	return token >= 0 && crypt_token_is_assigned(volume->cd, token, slot) == 0;
}

bool volume_opens(struct volume *volume, const char *key)
{
	return crypt_activate_by_passphrase(volume->cd, nullptr, CRYPT_ANY_SLOT, key, strlen(key),
					    0) >= 0;
}

int volume_drop_other_keys(struct volume *volume)
{
	if (volume->slot < 0)
		return -ENOKEY;
	for (int slot = 0; slot < SLOTS; slot++) {
		if (slot == volume->slot || !is_active(volume, slot) || is_tpm_slot(volume, slot))
			continue;
		int r = crypt_keyslot_destroy(volume->cd, slot);
		if (r < 0)
			return r;
	}
	return 0;
}

const char *volume_device(const struct volume *volume)
{
	const char *device = crypt_get_device_name(volume->cd);

	return device ? device : "";
}

int volume_close(const char *name)
{
	int r = crypt_deactivate(nullptr, name);

	return r == -ENODEV ? 0 : r;
}

/* Take the TPM's tokens out of the header; their slots, as bits, are still to be destroyed. Returns 0 or -errno. */
static int drop_tpm_tokens(const char *path, uint32_t *ret_slots)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	int r = volume_load(path, &volume);

	*ret_slots = 0;
	if (r)
		return r < 0 ? r : -ENXIO;
	for (int token = tpm_token(volume); r == 0 && token >= 0; token = tpm_token(volume)) {
		for (int slot = 0; slot < SLOTS; slot++)
			if (crypt_token_is_assigned(volume->cd, token, slot) == 0)
				*ret_slots |= 1u << slot;
		r = crypt_token_json_set(volume->cd, token, nullptr);
		r = r < 0 ? r : 0;
	}
	return r;
}

static int destroy_slots(const char *path, uint32_t slots)
{
	cleanup(volume_free_at) struct volume *volume = nullptr;
	int r = volume_load(path, &volume);

	if (r)
		return r < 0 ? r : -ENXIO;
	for (int slot = 0; r == 0 && slot < SLOTS; slot++)
		if (slots & 1u << slot && !is_tpm_slot(volume, slot))
			r = crypt_keyslot_destroy(volume->cd, slot);
	return r;
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
	uint32_t old_slots = 0;
	int r = drop_tpm_tokens(path, &old_slots);

	if (r == 0)
		r = run_program(&run, output);
	/* Without a token nothing opens the old slots any more, whether or not there is a new one. */
	int dropped = old_slots ? destroy_slots(path, old_slots) : 0;
	return r ? r : dropped;
}

int volume_backup_header(struct volume *volume, const char *file)
{
	int r = crypt_header_backup(volume->cd, CRYPT_LUKS2, file);

	return r < 0 ? r : 0;
}

/* "recovery-key" or "tpm". Two recovery keys: a new one waits to be confirmed. */
static const char *slot_kind(struct volume *volume, int slot)
{
	return is_tpm_slot(volume, slot) ? "tpm" : "recovery-key";
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
		if (!is_active(volume, slot))
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
