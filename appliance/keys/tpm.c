/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/keys/tpm.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>

#include "appliance/keys/tcti.h"
#include "common/bytes.h"

constexpr size_t PATH_LEN = sizeof(((struct sockaddr_un *)nullptr)->sun_path);
constexpr TPMA_OBJECT OURS = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
			     TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;

struct tpm {
	int fd;
	char path[PATH_LEN];
	TSS2_RC error;
};

/* One conversation with the TPM; end_talk() leaves nothing behind in it. */
struct talk {
	int fd;
	bool own_fd;
	struct tcti tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR storage; /* the TPM's storage key */
	ESYS_TR session; /* encrypts the first parameter both ways */
	ESYS_TR object;	 /* what is being opened */
};

int tpm_new(int fd, const char *path, struct tpm **ret)
{
	if (fd < 0 && !path)
		return -EINVAL;
	if (path && strlen(path) >= PATH_LEN)
		return -ENAMETOOLONG;

	struct tpm *tpm = calloc(1, sizeof(*tpm));
	if (!tpm)
		return -ENOMEM;
	tpm->fd = fd;
	(void)snprintf(tpm->path, sizeof(tpm->path), "%s", path ? path : "");
	*ret = tpm;
	return 0;
}

struct tpm *tpm_free(struct tpm *tpm)
{
	free(tpm);
	return nullptr;
}

unsigned int tpm_error(const struct tpm *tpm)
{
	return tpm->error;
}

static void esys_free_at(void *at)
{
	void **ptr = at;

	Esys_Free(*ptr);
	*ptr = nullptr;
}
#define auto_esys cleanup(esys_free_at)

/* --- a conversation --------------------------------------------------------------------------- */

/* Open a device or connect to a socket. Returns the descriptor or -1. */
static int open_path(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct stat st;

	if (stat(path, &st) < 0)
		return -1;
	if (!S_ISSOCK(st.st_mode))
		return open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);

	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	int connected = fd;
	fd = -1;
	return connected;
}

static void flush(struct talk *talk, ESYS_TR *handle)
{
	if (*handle != ESYS_TR_NONE)
		(void)Esys_FlushContext(talk->esys, *handle);
	*handle = ESYS_TR_NONE;
}

static void end_talk(struct talk *talk)
{
	if (talk->esys) {
		flush(talk, &talk->object);
		flush(talk, &talk->session);
		flush(talk, &talk->storage);
		Esys_Finalize(&talk->esys);
	}
	if (talk->own_fd)
		close_at(&talk->fd);
}

/* The storage key is made anew each time: the same template gives the same key until the TPM's owner is cleared. */
static TSS2_RC make_storage(struct talk *talk)
{
	static const TPM2B_PUBLIC TEMPLATE = {
		.publicArea = {
			.type = TPM2_ALG_ECC,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = OURS | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT |
					    TPMA_OBJECT_SENSITIVEDATAORIGIN,
			.parameters.eccDetail = {
				.symmetric = { .algorithm = TPM2_ALG_AES,
					       .keyBits.aes = 128,
					       .mode.aes = TPM2_ALG_CFB },
				.scheme.scheme = TPM2_ALG_NULL,
				.curveID = TPM2_ECC_NIST_P256,
				.kdf.scheme = TPM2_ALG_NULL,
			},
		},
	};
	static const TPM2B_SENSITIVE_CREATE NOTHING;
	static const TPM2B_DATA NO_DATA;
	static const TPML_PCR_SELECTION NO_PCR;

	return Esys_CreatePrimary(talk->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				  ESYS_TR_NONE, &NOTHING, &TEMPLATE, &NO_DATA, &NO_PCR,
				  &talk->storage, nullptr, nullptr, nullptr, nullptr);
}

static TSS2_RC start_session(struct talk *talk)
{
	static const TPMT_SYM_DEF CIPHER = { .algorithm = TPM2_ALG_AES,
					     .keyBits.aes = 128,
					     .mode.aes = TPM2_ALG_CFB };
	constexpr TPMA_SESSION USE =
		TPMA_SESSION_DECRYPT | TPMA_SESSION_ENCRYPT | TPMA_SESSION_CONTINUESESSION;
	TSS2_RC rc = Esys_StartAuthSession(talk->esys, talk->storage, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, ESYS_TR_NONE, nullptr, TPM2_SE_HMAC,
					   &CIPHER, TPM2_ALG_SHA256, &talk->session);

	return rc ? rc : Esys_TRSess_SetAttributes(talk->esys, talk->session, USE, 0xff);
}

/* Begin a conversation; end_talk() is due even after a failure. */
static TSS2_RC begin_talk(const struct tpm *tpm, struct talk *talk)
{
	*talk = (struct talk) { .fd = tpm->fd,
				.own_fd = tpm->fd < 0,
				.storage = ESYS_TR_NONE,
				.session = ESYS_TR_NONE,
				.object = ESYS_TR_NONE };
	if (talk->own_fd)
		talk->fd = open_path(tpm->path);
	if (talk->fd < 0)
		return TSS2_TCTI_RC_IO_ERROR;
	tcti_init(&talk->tcti, talk->fd);
	TSS2_RC rc = Esys_Initialize(&talk->esys, tcti_context(&talk->tcti), nullptr);
	if (rc == 0)
		rc = make_storage(talk);
	return rc ? rc : start_session(talk);
}

/* What a response code means to who asked. Source: TPM 2.0 library part 1, section 39.4: response codes. */
static int outcome(struct tpm *tpm, TSS2_RC rc)
{
	if (rc == 0)
		return LOCK_OK;
	tpm->error = rc;
	if (rc == TSS2_ESYS_RC_MEMORY)
		return -ENOMEM;
	bool from_tpm = (rc & TSS2_RC_LAYER_MASK) == TSS2_TPM_RC_LAYER;
	bool format_one = rc & TPM2_RC_FMT1; /* about a parameter: the blob is not for this TPM */
	return from_tpm && format_one ? LOCK_REFUSED : LOCK_UNAVAILABLE;
}

/* --- the lock --------------------------------------------------------------------------------- */

/* A slot is the object's public part, then its private part, each counted. */
static int write_slot(const TPM2B_PUBLIC *public_part, const TPM2B_PRIVATE *private_part,
		      struct buf *ret)
{
	uint8_t room[sizeof(TPM2B_PUBLIC) + sizeof(TPM2B_PRIVATE)];
	size_t len = 0;

	if (Tss2_MU_TPM2B_PUBLIC_Marshal(public_part, room, sizeof(room), &len))
		return -EPROTO;
	write_bytes(ret, room, len);
	len = 0;
	if (Tss2_MU_TPM2B_PRIVATE_Marshal(private_part, room, sizeof(room), &len))
		return -EPROTO;
	write_bytes(ret, room, len);
	return buf_error(ret);
}

static bool read_slot(const uint8_t *slot, size_t len, TPM2B_PUBLIC *ret_public,
		      TPM2B_PRIVATE *ret_private)
{
	struct reader in = reader_make(slot, len);
	struct bytes public_part = read_bytes(&in, LOCK_SLOT_MAX);
	struct bytes private_part = read_bytes(&in, LOCK_SLOT_MAX);
	size_t public_end = 0, private_end = 0;

	return reader_end(&in) && public_part.len > 0 && private_part.len > 0 &&
	       Tss2_MU_TPM2B_PUBLIC_Unmarshal(public_part.data, public_part.len, &public_end,
					      ret_public) == 0 &&
	       Tss2_MU_TPM2B_PRIVATE_Unmarshal(private_part.data, private_part.len, &private_end,
					       ret_private) == 0 &&
	       public_end == public_part.len && private_end == private_part.len;
}

static TSS2_RC create_object(struct talk *talk, const uint8_t key[CRYPTO_KEY],
			     TPM2B_PRIVATE **ret_private, TPM2B_PUBLIC **ret_public)
{
	static const TPM2B_PUBLIC TEMPLATE = {
		.publicArea = {
			.type = TPM2_ALG_KEYEDHASH,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = OURS,
			.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL,
		},
	};
	static const TPM2B_DATA NO_DATA;
	static const TPML_PCR_SELECTION NO_PCR;
	TPM2B_SENSITIVE_CREATE sensitive = { .sensitive.data.size = CRYPTO_KEY };

	memcpy(sensitive.sensitive.data.buffer, key, CRYPTO_KEY);
	TSS2_RC rc = Esys_Create(talk->esys, talk->storage, talk->session, ESYS_TR_NONE,
				 ESYS_TR_NONE, &sensitive, &TEMPLATE, &NO_DATA, &NO_PCR,
				 ret_private, ret_public, nullptr, nullptr, nullptr);
	explicit_bzero(&sensitive, sizeof(sensitive));
	return rc;
}

static int tpm_seal(void *self, const uint8_t key[CRYPTO_KEY], struct buf *ret)
{
	struct tpm *tpm = self;
	auto_esys TPM2B_PRIVATE *private_part = nullptr;
	auto_esys TPM2B_PUBLIC *public_part = nullptr;
	cleanup(end_talk) struct talk talk;
	TSS2_RC rc = begin_talk(tpm, &talk);

	if (rc == 0)
		rc = create_object(&talk, key, &private_part, &public_part);
	int r = outcome(tpm, rc);
	if (r)
		return r < 0 ? r : LOCK_UNAVAILABLE;
	return write_slot(public_part, private_part, ret);
}

static TSS2_RC open_object(struct talk *talk, const TPM2B_PUBLIC *public_part,
			   const TPM2B_PRIVATE *private_part, uint8_t ret_key[CRYPTO_KEY])
{
	auto_esys TPM2B_SENSITIVE_DATA *data = nullptr;
	TSS2_RC rc = Esys_Load(talk->esys, talk->storage, talk->session, ESYS_TR_NONE, ESYS_TR_NONE,
			       private_part, public_part, &talk->object);

	if (rc == 0)
		rc = Esys_Unseal(talk->esys, talk->object, talk->session, ESYS_TR_NONE,
				 ESYS_TR_NONE, &data);
	if (rc)
		return rc;
	bool fits = data->size == CRYPTO_KEY;
	if (fits)
		memcpy(ret_key, data->buffer, CRYPTO_KEY);
	explicit_bzero(data, sizeof(*data));
	return fits ? 0 : TPM2_RC_SIZE;
}

static int tpm_open(void *self, const uint8_t *slot, size_t len, uint8_t ret_key[CRYPTO_KEY])
{
	struct tpm *tpm = self;
	TPM2B_PUBLIC public_part = {};
	TPM2B_PRIVATE private_part = {};
	cleanup(end_talk) struct talk talk = {};

	if (!read_slot(slot, len, &public_part, &private_part))
		return LOCK_REFUSED;
	TSS2_RC rc = begin_talk(tpm, &talk);
	if (rc) { /* whatever it says, it is not about the slot */
		int r = outcome(tpm, rc);

		return r < 0 ? r : LOCK_UNAVAILABLE;
	}
	return outcome(tpm, open_object(&talk, &public_part, &private_part, ret_key));
}

/* Only the TPM could tell. */
static bool tpm_fits(void *, const uint8_t *, size_t)
{
	return true;
}

struct lock tpm_lock(struct tpm *tpm)
{
	return (struct lock) {
		.kind = LOCK_TPM, .self = tpm, .seal = tpm_seal, .open = tpm_open, .fits = tpm_fits
	};
}
