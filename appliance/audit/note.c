/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/note.h"

#include <errno.h>
#include <inttypes.h>
#include <stdckdint.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/crypto/crypto.h"
#include "common/secret.h"
#include "common/utf8.h"

static const char SIGNATURE_MARK[] = "\u2014 "; /* em dash, blank */

constexpr size_t ID_LEN = 4;
constexpr size_t TIME_LEN = 8;
constexpr size_t HEX_ID = 2 * ID_LEN;
constexpr size_t SIGNATURE_ROOM =
	4096;			    /* other keys may sign at length: ML-DSA-44 has 2,420 bytes */
constexpr size_t BASE64_ROOM = 128; /* of anything we write */

bool note_line(struct bytes *text, struct bytes *ret)
{
	if (text->len == 0)
		return false;

	const uint8_t *end = memchr(text->data, '\n', text->len);
	size_t len = end ? (size_t)(end - text->data) : text->len;
	size_t step = end ? len + 1 : len;

	*ret = (struct bytes) { text->data, len };
	text->data += step;
	text->len -= step;
	return true;
}

bool note_number(struct bytes text, uint64_t *ret)
{
	uint64_t value = 0;

	if (text.len == 0 || (text.len > 1 && text.data[0] == '0'))
		return false;
	for (size_t i = 0; i < text.len; i++) {
		auto digit = (uint8_t)(text.data[i] - '0');

		if (digit > 9 || ckd_mul(&value, value, (uint64_t)10) ||
		    ckd_add(&value, value, digit))
			return false;
	}
	*ret = value;
	return true;
}

/* Whether a key may be called so: printable, not empty, no blank, no plus. */
static bool is_name(const uint8_t *name, size_t len)
{
	return len > 0 && len < NOTE_NAME_MAX && utf8_is_printable((const char *)name, len) &&
	       !memchr(name, ' ', len) && !memchr(name, '+', len);
}

/* The id of a key used for signatures of this type. Returns 0 or -EIO. */
static int key_id(const struct note_key *key, uint8_t type, uint8_t ret[ID_LEN])
{
	uint8_t text[NOTE_NAME_MAX + 2 + CRYPTO_PUBLIC];
	uint8_t hash[CRYPTO_HASH];
	size_t len = strlen(key->name);

	memcpy(text, key->name, len);
	text[len++] = '\n';
	text[len++] = type;
	memcpy(text + len, key->public_key, CRYPTO_PUBLIC);
	int r = crypto_sha256(text, len + CRYPTO_PUBLIC, hash);
	if (r == 0)
		memcpy(ret, hash, ID_LEN);
	return r;
}

bool note_key_read(const char *text, size_t len, struct note_key *ret)
{
	const char *plus = memchr(text, '+', len);
	struct note_key key = {};
	uint8_t typed[1 + CRYPTO_PUBLIC], id[ID_LEN];
	char hex[HEX_ID + 1];
	size_t typed_len = 0;

	if (!plus || !is_name((const uint8_t *)text, (size_t)(plus - text)))
		return false;
	memcpy(key.name, text, (size_t)(plus - text));

	const char *rest = plus + 1;
	size_t left = len - (size_t)(rest - text);
	if (left < HEX_ID + 1 || rest[HEX_ID] != '+' ||
	    !crypto_base64_decode(rest + HEX_ID + 1, left - HEX_ID - 1, typed, sizeof(typed),
				  &typed_len) ||
	    typed_len != sizeof(typed) || typed[0] != NOTE_ED25519)
		return false;
	memcpy(key.public_key, typed + 1, CRYPTO_PUBLIC);
	if (key_id(&key, NOTE_ED25519, id))
		return false;
	crypto_hex(id, sizeof(id), hex);
	if (memcmp(hex, rest, HEX_ID) != 0)
		return false;
	*ret = key;
	return true;
}

void note_key_write(struct buf *out, const struct note_key *key)
{
	uint8_t typed[1 + CRYPTO_PUBLIC] = { NOTE_ED25519 };
	uint8_t id[ID_LEN] = {};
	char hex[HEX_ID + 1], base64[BASE64_ROOM];

	if (key_id(key, NOTE_ED25519, id)) {
		out->error = out->error ? out->error : -EIO;
		return;
	}
	memcpy(typed + 1, key->public_key, CRYPTO_PUBLIC);
	crypto_hex(id, sizeof(id), hex);
	crypto_base64(typed, sizeof(typed), base64);
	buf_addf(out, "%s+%s+%s", key->name, hex, base64);
}

/* One signature line, decoded. */
struct signature {
	struct bytes name;
	uint8_t raw[SIGNATURE_ROOM]; /* [len]: key id, then the signature */
	size_t len;
};

/* Take a signature line apart. Returns whether it is one. */
static bool read_signature(struct bytes line, struct signature *ret)
{
	size_t mark = strlen(SIGNATURE_MARK);

	if (line.len <= mark || memcmp(line.data, SIGNATURE_MARK, mark) != 0)
		return false;

	struct bytes rest = { line.data + mark, line.len - mark };
	const uint8_t *blank = memchr(rest.data, ' ', rest.len);
	if (!blank || !is_name(rest.data, (size_t)(blank - rest.data)))
		return false;
	ret->name = (struct bytes) { rest.data, (size_t)(blank - rest.data) };
	return crypto_base64_decode((const char *)blank + 1, rest.len - ret->name.len - 1, ret->raw,
				    sizeof(ret->raw), &ret->len) &&
	       ret->len > ID_LEN;
}

/* Whether text is UTF-8 without control characters but newlines. */
static bool is_text(const uint8_t *text, size_t len)
{
	struct bytes rest = { text, len }, line;

	while (note_line(&rest, &line))
		if (!utf8_is_printable((const char *)line.data, line.len))
			return false;
	return true;
}

bool note_read(const void *data, size_t len, struct note *ret)
{
	const uint8_t *text = data;
	struct bytes line;
	struct signature signature;
	size_t n = 0, blank = 0;

	if (len < 3 || len > NOTE_MAX || text[len - 1] != '\n' || !is_text(text, len))
		return false;
	/* The last blank line divides: the text may hold others. */
	for (size_t i = len - 1; i > 0 && blank == 0; i--)
		if (text[i] == '\n' && text[i - 1] == '\n')
			blank = i;
	if (blank == 0 || blank + 1 == len)
		return false;

	struct bytes rest = { text + blank + 1, len - blank - 1 };
	struct note note = { .text = { text, blank }, .signatures = rest };
	while (note_line(&rest, &line))
		if (++n > NOTE_SIGNATURES || !read_signature(line, &signature))
			return false;
	*ret = note;
	return true;
}

/*
 * Find the first signature under this key's name and id for the type.
 *
 * Returns whether there is one; *ret is set only then.
 */
static bool find_signature(const struct note *note, const struct note_key *key, uint8_t type,
			   struct signature *ret)
{
	struct bytes rest = note->signatures, line;
	uint8_t id[ID_LEN];

	if (key_id(key, type, id))
		return false;
	while (note_line(&rest, &line))
		if (read_signature(line, ret) && ret->name.len == strlen(key->name) &&
		    memcmp(ret->name.data, key->name, ret->name.len) == 0 &&
		    memcmp(ret->raw, id, ID_LEN) == 0)
			return true;
	return false;
}

int note_check(const struct note *note, const struct note_key *key)
{
	struct signature signature;

	if (!find_signature(note, key, NOTE_ED25519, &signature))
		return NOTE_UNSIGNED;
	if (signature.len != ID_LEN + CRYPTO_SIGNATURE ||
	    !crypto_verify(key->public_key, note->text.data, note->text.len,
			   signature.raw + ID_LEN))
		return NOTE_FORGED;
	return NOTE_GOOD;
}

/* Append what a cosignature signs. */
static void write_timed(struct buf *out, const void *text, size_t len, uint64_t time_s)
{
	buf_addf(out, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
	buf_add(out, text, len);
}

int note_check_time(const struct note *note, const struct note_key *key, uint64_t *ret_time_s)
{
	auto_buf struct buf signed_text = buf_make(NOTE_MAX + BASE64_ROOM);
	struct signature signature;
	uint64_t time_s = 0;

	if (!find_signature(note, key, NOTE_COSIGNATURE, &signature))
		return NOTE_UNSIGNED;
	if (signature.len != ID_LEN + TIME_LEN + CRYPTO_SIGNATURE)
		return NOTE_FORGED;
	for (size_t i = 0; i < TIME_LEN; i++)
		time_s = time_s << 8 | signature.raw[ID_LEN + i];
	write_timed(&signed_text, note->text.data, note->text.len, time_s);
	if (buf_error(&signed_text) ||
	    !crypto_verify(key->public_key, signed_text.data, signed_text.len,
			   signature.raw + ID_LEN + TIME_LEN))
		return NOTE_FORGED;
	*ret_time_s = time_s;
	return NOTE_GOOD;
}

/* Append one signature line; raw has the key id, then the signature. */
static void write_signature(struct buf *out, const struct note_key *key, const uint8_t *raw,
			    size_t len)
{
	char base64[BASE64_ROOM];

	crypto_base64(raw, len, base64);
	buf_addf(out, "%s%s %s\n", SIGNATURE_MARK, key->name, base64);
}

int note_sign(struct buf *out, const void *text, size_t len, const struct note_key *key,
	      const struct secret *private_key, uint64_t time_s)
{
	auto_buf struct buf timed = buf_make(NOTE_MAX + BASE64_ROOM);
	uint8_t plain[ID_LEN + CRYPTO_SIGNATURE];
	uint8_t dated[ID_LEN + TIME_LEN + CRYPTO_SIGNATURE];

	int r = key_id(key, NOTE_ED25519, plain);
	if (r == 0)
		r = crypto_sign(private_key, text, len, plain + ID_LEN);
	if (r == 0)
		r = key_id(key, NOTE_COSIGNATURE, dated);
	if (r)
		return r;

	write_timed(&timed, text, len, time_s);
	for (size_t i = 0; i < TIME_LEN; i++)
		dated[ID_LEN + i] = (uint8_t)(time_s >> (8 * (TIME_LEN - 1 - i)));
	r = buf_error(&timed);
	if (r == 0)
		r = crypto_sign(private_key, timed.data, timed.len, dated + ID_LEN + TIME_LEN);
	if (r)
		return r;

	buf_add(out, text, len);
	buf_add_str(out, "\n");
	write_signature(out, key, plain, sizeof(plain));
	if (time_s != 0)
		write_signature(out, key, dated, sizeof(dated));
	return 0;
}

void note_checkpoint_write(struct buf *out, const struct checkpoint *checkpoint)
{
	char base64[BASE64_ROOM];

	crypto_base64(checkpoint->root.byte, sizeof(checkpoint->root.byte), base64);
	buf_addf(out, "%s\n%" PRIu64 "\n%s\n", checkpoint->origin, checkpoint->size, base64);
}

bool note_checkpoint_read(const void *text, size_t len, struct checkpoint *ret)
{
	struct bytes rest = { text, len }, origin, size, root;
	struct checkpoint checkpoint = {};
	size_t root_len = 0;

	if (!note_line(&rest, &origin) || origin.len == 0 ||
	    origin.len >= sizeof(checkpoint.origin) ||
	    !utf8_is_printable((const char *)origin.data, origin.len))
		return false;
	memcpy(checkpoint.origin, origin.data, origin.len);
	if (!note_line(&rest, &size) || !note_number(size, &checkpoint.size) ||
	    !note_line(&rest, &root) ||
	    !crypto_base64_decode((const char *)root.data, root.len, checkpoint.root.byte,
				  sizeof(checkpoint.root.byte), &root_len) ||
	    root_len != sizeof(checkpoint.root.byte))
		return false;
	*ret = checkpoint;
	return true;
}
