/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * note: signed notes, the keys that verify them, and checkpoints, the notes that a ledger signs.
 *
 * Layer 2 (appliance/audit). Pure functions over (pointer, length). Notes and keys are untrusted input.
 * Source: C2SP signed-note, tlog-checkpoint, tlog-cosignature (FORMAT.md sections 4 and 5).
 */

#include <stddef.h>
#include <stdint.h>

#include "appliance/audit/merkle.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/crypto/crypto.h"

constexpr size_t NOTE_MAX = 16 * 1024;	/* a whole note; ours has under 500 bytes */
constexpr size_t NOTE_NAME_MAX = 128;	/* of a key, and an origin, with the NUL */
constexpr size_t NOTE_SIGNATURES = 100; /* signature lines of one note */

enum : uint8_t {
	NOTE_ED25519 = 0x01,
	NOTE_COSIGNATURE = 0x04, /* Ed25519 over the note and a time */
};

/* The public half of a key, with the name it signs under. */
struct note_key {
	char name[NOTE_NAME_MAX];
	uint8_t public_key[CRYPTO_PUBLIC];
};

/* The two parts of a note; both point into it. */
struct note {
	struct bytes text;	 /* with its closing newline: what is signed */
	struct bytes signatures; /* the lines below the blank one */
};

struct checkpoint {
	char origin[NOTE_NAME_MAX];
	uint64_t size;
	struct merkle_hash root;
};

enum {
	NOTE_GOOD = 0,
	NOTE_UNSIGNED, /* no signature by this key */
	NOTE_FORGED,   /* a signature under this key's name and id that is not the key's */
};

/*
 * Read a verifier key, "name+hexid+base64".
 *
 * Returns whether it is one, of type Ed25519, and the id in it is right; *ret is set only then.
 */
[[nodiscard]] bool note_key_read(const char *text, size_t len, struct note_key *ret);

/* Append the verifier key's text. A failure sticks to out. */
void note_key_write(struct buf *out, const struct note_key *key);

/*
 * Take a note apart.
 *
 * data  [len] untrusted
 *
 * Returns whether it is a note: UTF-8, no control characters but newlines, one to NOTE_SIGNATURES well-formed
 * signature lines. No signature is checked. *ret is set only then and points into data.
 */
[[nodiscard]] bool note_read(const void *data, size_t len, struct note *ret);

/*
 * Check the note's plain signature by this key. Other keys' signatures are ignored.
 *
 * Returns NOTE_GOOD, NOTE_UNSIGNED or NOTE_FORGED.
 */
[[nodiscard]] int note_check(const struct note *note, const struct note_key *key);

/*
 * Check the note's timestamped cosignature by this key.
 *
 * ret_time_s  seconds since 1970; set only on NOTE_GOOD
 *
 * Returns NOTE_GOOD, NOTE_UNSIGNED or NOTE_FORGED.
 */
[[nodiscard]] int note_check_time(const struct note *note, const struct note_key *key,
				  uint64_t *ret_time_s);

/*
 * Append a note: text, blank line, the key's signature and, if time_s is not 0, its cosignature with that time.
 *
 * text  [len] ends with a newline
 *
 * Returns 0 or -EIO; a failure to append sticks to out.
 */
[[nodiscard]] int note_sign(struct buf *out, const void *text, size_t len,
			    const struct note_key *key, const struct secret *private_key,
			    uint64_t time_s);

/* Append a checkpoint's text, unsigned. A failure sticks to out. */
void note_checkpoint_write(struct buf *out, const struct checkpoint *checkpoint);

/* Read a note's text as a checkpoint; further lines are ignored. Returns whether it is one. */
[[nodiscard]] bool note_checkpoint_read(const void *text, size_t len, struct checkpoint *ret);

/* The next line of text, without its newline, and step past it. Returns whether there was one. */
[[nodiscard]] bool note_line(struct bytes *text, struct bytes *ret);

/* Read a decimal number: no sign, no leading zero, nothing else. Returns whether it is one. */
[[nodiscard]] bool note_number(struct bytes text, uint64_t *ret);
