/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/accounts/sshkey.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libssh/libssh.h>

#include "common/base.h"
#include "common/crypto/crypto.h"
#include "common/utf8.h"

constexpr uint32_t ELLIPTIC_BITS = 256;	 /* Ed25519 and NIST P-256 */
constexpr uint32_t RSA_BITS_MAX = 16384; /* OpenSSH reads no longer ones */
constexpr size_t BLOB_MAX = SSHKEY_BASE64_MAX / 4 * 3;

/* What may stand first in a line. verdict 0 lets the key itself decide. */
static const struct type {
	const char *name;
	enum ssh_keytypes_e type;
	int verdict;
} TYPES[] = {
	{ "ssh-ed25519", SSH_KEYTYPE_ED25519, SSHKEY_OK },
	{ "sk-ssh-ed25519@openssh.com", SSH_KEYTYPE_SK_ED25519, SSHKEY_OK },
	{ "sk-ecdsa-sha2-nistp256@openssh.com", SSH_KEYTYPE_SK_ECDSA, SSHKEY_OK },
	{ "ssh-rsa", SSH_KEYTYPE_RSA, SSHKEY_OK },
	{ "ssh-dss", SSH_KEYTYPE_UNKNOWN, SSHKEY_DSA },
	{ "ecdsa-sha2-nistp256", SSH_KEYTYPE_UNKNOWN, SSHKEY_ECDSA },
	{ "ecdsa-sha2-nistp384", SSH_KEYTYPE_UNKNOWN, SSHKEY_ECDSA },
	{ "ecdsa-sha2-nistp521", SSH_KEYTYPE_UNKNOWN, SSHKEY_ECDSA },
};

#define PASTE "paste the line of the .pub file"

static const char *const REASONS[SSHKEY_OUTCOME_COUNT] = {
	[SSHKEY_OK] = "",
	[SSHKEY_EMPTY] = "There is no key: " PASTE ", such as \"ssh-ed25519 AAAA... name\".",
	[SSHKEY_TOO_LONG] = "The line is longer than any SSH public key.",
	[SSHKEY_NOT_ONE_LINE] = "There is more than one line: give one public key at a time.",
	[SSHKEY_NOT_PRINTABLE] = "The line holds characters that cannot be printed.",
	[SSHKEY_PRIVATE] =
		"This is not a public key line. If it is a private key, it must never be "
		"given to anybody: " PASTE " instead.",
	[SSHKEY_OPTIONS] = "Options before the key are not taken; the appliance sets its own.",
	[SSHKEY_TYPE_UNKNOWN] = "The line does not start with a key type that is known here: " PASTE
				", such as \"ssh-ed25519 AAAA... name\".",
	[SSHKEY_DSA] = "DSA keys are broken and refused: make one with ssh-keygen -t ed25519.",
	[SSHKEY_ECDSA] =
		"ECDSA keys are taken only from a FIDO2 token: make one with ssh-keygen -t ed25519.",
	[SSHKEY_CERTIFICATE] = "This is a certificate, not a plain public key: paste the .pub file "
			       "whose name does not end in -cert.pub.",
	[SSHKEY_RSA_SHORT] =
		"RSA keys need 3072 bits or more: make one with ssh-keygen -t ed25519.",
	[SSHKEY_DAMAGED] = "The key is damaged or cut off: " PASTE " once more, whole.",
	[SSHKEY_COMMENT_LONG] = "The comment after the key is longer than 255 bytes.",
};

const char *sshkey_reason(int outcome)
{
	return outcome > 0 && outcome < SSHKEY_OUTCOME_COUNT ? REASONS[outcome] : "";
}

struct word {
	const char *at;
	size_t len;
};

/* Cut the next word off *line; blanks separate words. */
static struct word cut(struct word *line)
{
	while (line->len > 0 && (*line->at == ' ' || *line->at == '\t')) {
		line->at++;
		line->len--;
	}

	struct word word = { line->at, 0 };
	while (word.len < line->len && word.at[word.len] != ' ' && word.at[word.len] != '\t')
		word.len++;
	line->at += word.len;
	line->len -= word.len;
	return word;
}

static bool ends_with(struct word word, const char *end)
{
	size_t len = strlen(end);

	return word.len >= len && memcmp(word.at + word.len - len, end, len) == 0;
}

/* The row for a line's first word. Returns 0 or the outcome that refuses it. */
static int find_type(struct word word, const struct type **ret)
{
	for (size_t i = 0; i < countof(TYPES); i++) {
		if (strlen(TYPES[i].name) != word.len ||
		    memcmp(TYPES[i].name, word.at, word.len) != 0)
			continue;
		*ret = &TYPES[i];
		return TYPES[i].verdict;
	}
	if (ends_with(word, "-cert-v01@openssh.com"))
		return SSHKEY_CERTIFICATE;
	if (word.len >= 5 && memcmp(word.at, "-----", 5) == 0)
		return SSHKEY_PRIVATE;
	if (memchr(word.at, '=', word.len) || memchr(word.at, ',', word.len))
		return SSHKEY_OPTIONS;

	static const char *const FLAGS[] = {
		"restrict",	   "cert-authority", "pty",	"no-pty",    "agent-forwarding",
		"port-forwarding", "X11-forwarding", "user-rc", "no-user-rc"
	};
	for (size_t i = 0; i < countof(FLAGS); i++)
		if (strlen(FLAGS[i]) == word.len && memcmp(FLAGS[i], word.at, word.len) == 0)
			return SSHKEY_OPTIONS;
	return SSHKEY_TYPE_UNKNOWN;
}

/* The next length-prefixed field of a key blob (RFC 4251 section 5), or one of length 0 with at = nullptr. */
static struct word cut_field(const uint8_t *blob, size_t len, size_t *at)
{
	if (len - *at < 4)
		return (struct word) {};

	const uint8_t *p = blob + *at;
	size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
	if (n > len - *at - 4)
		return (struct word) {};
	*at += 4 + n;
	return (struct word) { (const char *)p + 4, n };
}

/* Bits of the modulus in an ssh-rsa blob: string type, mpint e, mpint n. 0 if it is not one. */
static uint32_t rsa_bits(const uint8_t *blob, size_t len)
{
	size_t at = 0;

	(void)cut_field(blob, len, &at);
	struct word e = cut_field(blob, len, &at);
	struct word n = cut_field(blob, len, &at);
	if (e.len == 0 || n.len == 0 || at != len || n.len > RSA_BITS_MAX / 8 + 1)
		return 0;

	auto digit = (const uint8_t *)n.at;
	size_t zeros = digit[0] == 0;
	if (n.len == zeros)
		return 0;
	auto bits = (uint32_t)((n.len - zeros) * 8);
	for (uint8_t top = digit[zeros]; bits > 0 && !(top & 0x80); top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

static ssh_key key_free(ssh_key key)
{
	ssh_key_free(key);
	return nullptr;
}
CLEANUP_FN(struct ssh_key_struct, key_free)

static void clean_string(char **at)
{
	ssh_string_free_char(*at);
}

static void clean_hash(unsigned char **at)
{
	ssh_clean_pubkey_hash(at);
}

/* Let libssh read the key, and see that it reads all of it. Fills ret's fingerprint. */
static int import(struct sshkey *ret, enum ssh_keytypes_e type)
{
	cleanup(key_free_at) ssh_key key = nullptr;
	cleanup(clean_string) char *again = nullptr;
	cleanup(clean_hash) unsigned char *hash = nullptr;
	cleanup(clean_string) char *print = nullptr;
	size_t hash_len = 0;

	if (ssh_pki_import_pubkey_base64(ret->base64, type, &key) != SSH_OK)
		return SSHKEY_DAMAGED;
	/* Also refuses a blob with something after the key, or one that says another type inside. */
	if (ssh_key_type(key) != type || ssh_pki_export_pubkey_base64(key, &again) != SSH_OK ||
	    strcmp(again, ret->base64) != 0)
		return SSHKEY_DAMAGED;
	if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &hash_len) != SSH_OK)
		return -EIO;
	print = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, hash_len);
	if (!print)
		return -ENOMEM;
	(void)snprintf(ret->fingerprint, sizeof(ret->fingerprint), "%s", print);
	return 0;
}

/* Judge the key in base64, given its row. Fills bits and fingerprint. */
static int judge(struct sshkey *ret, const struct type *type)
{
	uint8_t blob[BLOB_MAX];
	size_t len = 0, at = 0;

	if (!crypto_base64_decode(ret->base64, strlen(ret->base64), blob, sizeof(blob), &len))
		return SSHKEY_DAMAGED;
	struct word inside = cut_field(blob, len, &at);
	if (inside.len != strlen(type->name) || memcmp(inside.at, type->name, inside.len) != 0)
		return SSHKEY_DAMAGED;

	ret->bits = type->type == SSH_KEYTYPE_RSA ? rsa_bits(blob, len) : ELLIPTIC_BITS;
	if (ret->bits == 0 || ret->bits > RSA_BITS_MAX)
		return SSHKEY_DAMAGED;
	if (type->type == SSH_KEYTYPE_RSA && ret->bits < SSHKEY_RSA_BITS_MIN)
		return SSHKEY_RSA_SHORT;
	return import(ret, type->type);
}

/* Take blanks and one line's end off the end of a line. */
static void trim(struct word *line)
{
	while (line->len > 0 && strchr(" \t\r\n", line->at[line->len - 1]) &&
	       line->at[line->len - 1] != '\0')
		line->len--;
	while (line->len > 0 && (*line->at == ' ' || *line->at == '\t')) {
		line->at++;
		line->len--;
	}
}

/* Whether a line is all printable; a tab counts as a blank. */
static bool is_printable(struct word line)
{
	for (size_t i = 0; i < line.len;) {
		size_t step = line.at[i] == '\t' ? 1 : utf8_step(line.at + i, line.len - i);

		if (step == 0 || (line.at[i] != '\t' && !utf8_is_printable(line.at + i, step)))
			return false;
		i += step;
	}
	return true;
}

int sshkey_parse(const char *line, size_t len, struct sshkey *ret)
{
	struct word rest = { line, len };
	const struct type *type = nullptr;
	auto_free struct sshkey *key = calloc(1, sizeof(*key));

	if (!key)
		return -ENOMEM;
	if (len > SSHKEY_LINE_MAX)
		return SSHKEY_TOO_LONG;
	trim(&rest);
	if (rest.len == 0)
		return SSHKEY_EMPTY;

	struct word first = { rest.at, 0 };
	while (first.len < rest.len && !strchr(" \t\r\n", first.at[first.len]))
		first.len++;
	if (first.len >= 5 && memcmp(first.at, "-----", 5) == 0)
		return SSHKEY_PRIVATE; /* before "more than one line": the advice matters more */
	if (memchr(rest.at, '\n', rest.len) || memchr(rest.at, '\r', rest.len))
		return SSHKEY_NOT_ONE_LINE;
	if (!is_printable(rest))
		return SSHKEY_NOT_PRINTABLE;

	int r = find_type(cut(&rest), &type);
	if (r)
		return r;

	struct word base64 = cut(&rest);
	if (base64.len == 0 || base64.len >= sizeof(key->base64))
		return SSHKEY_DAMAGED;
	trim(&rest);
	if (rest.len >= sizeof(key->comment))
		return SSHKEY_COMMENT_LONG;
	memcpy(key->base64, base64.at, base64.len);
	memcpy(key->comment, rest.at, rest.len);
	(void)snprintf(key->type, sizeof(key->type), "%s", type->name);

	r = judge(key, type);
	if (r)
		return r;
	*ret = *key;
	return 0;
}
