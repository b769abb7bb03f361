/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "appliance/audit/merkle.h"
#include "appliance/audit/note.h"
#include "appliance/audit/verify.h"
#include "common/bytes.h"
#include "common/crypto/crypto.h"

static const char TITLE[] = "c2sp.org/tlog-proof@v1";
static const char INDEX[] = "index ";

/* Read the lines up to the blank one. Returns whether they are a proof; rest is then the checkpoint. */
static bool read_head(struct bytes *rest, uint64_t *ret_index, struct merkle_proof *ret)
{
	struct bytes line;
	size_t len = 0;

	if (!note_line(rest, &line) || line.len != strlen(TITLE) ||
	    memcmp(line.data, TITLE, line.len) != 0 || !note_line(rest, &line) ||
	    line.len < strlen(INDEX) || memcmp(line.data, INDEX, strlen(INDEX)) != 0)
		return false;
	line.data += strlen(INDEX);
	line.len -= strlen(INDEX);
	if (!note_number(line, ret_index))
		return false;
	while (note_line(rest, &line) && line.len > 0) {
		struct merkle_hash *hash = &ret->hash[ret->n];

		if (ret->n == MERKLE_PROOF_MAX ||
		    !crypto_base64_decode((const char *)line.data, line.len, hash->byte,
					  sizeof(hash->byte), &len) ||
		    len != sizeof(hash->byte))
			return false;
		ret->n++;
	}
	return line.len == 0;
}

enum verify_verdict verify_proof(const char *proof, size_t proof_len, const void *entry,
				 size_t entry_len, const char *vkey)
{
	struct bytes rest = { (const uint8_t *)proof, proof_len };
	struct merkle_proof path = {};
	struct checkpoint checkpoint;
	struct merkle_hash leaf;
	struct note_key key;
	struct note note;
	uint64_t index = 0;

	if (!note_key_read(vkey, strlen(vkey), &key))
		return VERIFY_CANNOT;
	if (!read_head(&rest, &index, &path) || !note_read(rest.data, rest.len, &note) ||
	    !note_checkpoint_read(note.text.data, note.text.len, &checkpoint) ||
	    strcmp(checkpoint.origin, key.name) != 0 || note_check(&note, &key) != NOTE_GOOD ||
	    merkle_leaf(entry, entry_len, &leaf) ||
	    !merkle_check_inclusion(&leaf, index, checkpoint.size, &path, &checkpoint.root))
		return VERIFY_INVALID;
	return VERIFY_VALID;
}
