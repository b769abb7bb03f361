/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/ssh_key.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base.h"
#include "common/crypto/crypto.h"
#include "common/utf8.h"

constexpr size_t BLOB_MAX = 6 * 1024;
constexpr size_t ED25519_LEN = 32;
constexpr size_t RSA_BITS_MIN = 3072;

enum shape {
	SHAPE_ED25519,
	SHAPE_RSA,
	SHAPE_SECURITY_KEY, /* the parts behind the type are not looked at */
};

static const struct {
	const char *type;
	enum shape shape;
} TYPES[] = {
	{ "ssh-ed25519", SHAPE_ED25519 },
	{ "sk-ssh-ed25519@openssh.com", SHAPE_SECURITY_KEY },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", SHAPE_SECURITY_KEY },
	{ "ssh-rsa", SHAPE_RSA },
};

struct blob {
	const uint8_t *data;
	size_t len;
};

/* Cut the next big-endian u32-counted string off the blob. Returns whether there was one. */
static bool next(struct blob *in, struct blob *ret)
{
	if (in->len < 4)
		return false;
	size_t len = (size_t)in->data[0] << 24 | (size_t)in->data[1] << 16 |
		     (size_t)in->data[2] << 8 | in->data[3];
	if (len > in->len - 4)
		return false;
	*ret = (struct blob) { in->data + 4, len };
	*in = (struct blob) { in->data + 4 + len, in->len - 4 - len };
	return true;
}

static const char *check_rsa(struct blob rest)
{
	struct blob exponent, modulus;

	if (!next(&rest, &exponent) || !next(&rest, &modulus) || rest.len != 0)
		return "is not a whole SSH public key; copy the line of the .pub file again";
	while (modulus.len > 0 && modulus.data[0] == 0)
		modulus = (struct blob) { modulus.data + 1, modulus.len - 1 };
	/* The first byte may have leading zero bits; 8 of slack is the whole error. */
	if (modulus.len * 8 < RSA_BITS_MIN)
		return "is an RSA key of less than 3072 bits; make a new one: ssh-keygen -t ed25519";
	return nullptr;
}

static const char *check_blob(struct blob blob, const char *type, size_t type_len, enum shape shape)
{
	static const char BROKEN[] =
		"is not a whole SSH public key; copy the line of the .pub file again";
	struct blob inner, key;

	if (!next(&blob, &inner) || inner.len != type_len ||
	    memcmp(inner.data, type, type_len) != 0)
		return BROKEN;
	switch (shape) {
	case SHAPE_ED25519:
		return next(&blob, &key) && key.len == ED25519_LEN && blob.len == 0 ? nullptr
										    : BROKEN;
	case SHAPE_RSA:
		return check_rsa(blob);
	case SHAPE_SECURITY_KEY:
		return blob.len > 0 ? nullptr : BROKEN;
	}
	return BROKEN;
}

const char *ssh_key_wrong(const char *line, size_t len)
{
	uint8_t blob[BLOB_MAX];
	size_t blob_len = 0;

	if (len > 0 && memmem(line, len, "PRIVATE KEY", 11))
		return "is a private key; give the public one (the line of the .pub file) and keep "
		       "the private one to yourself";
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			return "must be one line without control characters";

	const char *space = memchr(line, ' ', len);
	if (!space)
		return "must be a line such as \"ssh-ed25519 AAAA… name\"";
	size_t type_len = (size_t)(space - line);
	const char *text = space + 1;
	size_t rest = len - type_len - 1;
	const char *end = memchr(text, ' ', rest);
	size_t text_len = end ? (size_t)(end - text) : rest;

	for (size_t i = 0; i < countof(TYPES); i++) {
		if (strlen(TYPES[i].type) != type_len || memcmp(line, TYPES[i].type, type_len) != 0)
			continue;
		if (!crypto_base64_decode(text, text_len, blob, sizeof(blob), &blob_len))
			return "is not a whole SSH public key; copy the line of the .pub file again";
		return check_blob((struct blob) { blob, blob_len }, line, type_len, TYPES[i].shape);
	}
	return "must be an ed25519 key, a security key (sk-…) or RSA from 3072 bits; make one: "
	       "ssh-keygen -t ed25519";
}
