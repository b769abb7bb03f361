/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/audit/note.h"
#include "appliance/audit/verify.h"
#include "common/base.h"
#include "common/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char VKEY[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

/* A checkpoint that is read is written as the same three lines. */
static void read_checkpoint(const struct note *note)
{
	auto_buf struct buf again = buf_make(NOTE_MAX);
	struct checkpoint checkpoint;

	if (!note_checkpoint_read(note->text.data, note->text.len, &checkpoint))
		return;
	note_checkpoint_write(&again, &checkpoint);
	if (buf_error(&again) == 0 && memcmp(again.data, note->text.data, again.len) != 0)
		abort();
}

/* Any bytes as a key, a note, a checkpoint, a proof: refused, or read without going astray. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free uint8_t *copy = malloc(size + !size); /* exact size: an overread is a crash */
	auto_buf struct buf again = buf_make(NOTE_MAX);
	struct note_key key;
	struct note note;
	uint64_t time_s;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	if (note_key_read((const char *)copy, size, &key)) {
		note_key_write(&again, &key);
		if (buf_error(&again) == 0 &&
		    (again.len != size || memcmp(again.data, copy, size) != 0))
			abort();
	}
	if (!note_key_read(VKEY, strlen(VKEY), &key))
		abort();
	if (note_read(copy, size, &note)) {
		(void)!note_check(&note, &key);
		(void)!note_check_time(&note, &key, &time_s);
		read_checkpoint(&note);
	}
	if (verify_proof((const char *)copy, size, "entry", 5, VKEY) == VERIFY_CANNOT)
		abort();
	return 0;
}
