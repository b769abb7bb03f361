/* SPDX-License-Identifier: Apache-2.0 */

/*
 * audit-check: verify a ledger's folder, for tests; `redoubt audit verify` is the same for people.
 *
 *   audit-check FOLDER VKEY [EARLIER-CHECKPOINT-FILE]
 *   audit-check --list FOLDER
 *
 * Prints the sentence; exits with the verdict. --list prints "INDEX TARGET CODE OUTCOME" for each entry in a bundle.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/folder.h"
#include "appliance/audit/note.h"
#include "appliance/audit/tile.h"
#include "appliance/audit/verify.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/clock.h"

/* Print what a bundle holds. Returns whether it is one. */
static bool list_bundle(int dir, uint64_t index, unsigned int width)
{
	auto_buf struct buf bundle = buf_make(TILE_BUNDLE_BYTES);
	char path[TILE_PATH_MAX];
	struct bytes rest, text;

	tile_path(TILE_ENTRIES, index, width, path);
	if (folder_read(dir, path, &bundle))
		return false;
	rest = (struct bytes) { bundle.data, bundle.len };
	while (tile_bundle_next(&rest, &text)) {
		auto_entry struct entry entry = {};

		if (entry_read(text.data, text.len, &entry))
			return false;
		printf("%" PRIu64 " %s %s %s\n", entry.index, entry.target, entry.code,
		       entry.outcome);
	}
	return rest.len == 0;
}

static int list(const char *path)
{
	auto_buf struct buf text = buf_make(NOTE_MAX);
	struct checkpoint checkpoint;
	auto_close int dir = -1;
	struct note note;

	if (folder_open(path, &dir) || folder_read(dir, "checkpoint", &text) ||
	    !note_read(text.data, text.len, &note) ||
	    !note_checkpoint_read(note.text.data, note.text.len, &checkpoint))
		return 1;
	for (uint64_t at = 0; at < checkpoint.size; at += TILE_WIDTH) {
		uint64_t left = checkpoint.size - at;

		if (!list_bundle(dir, at / TILE_WIDTH,
				 left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH))
			return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	auto_buf struct buf from = buf_make(NOTE_MAX);
	struct verify_options options = { .now_s = clock_wall_us() / 1'000'000 };
	struct verify_report report;

	if (argc == 3 && strcmp(argv[1], "--list") == 0)
		return list(argv[2]);
	if (argc < 3 || argc > 4 || (argc == 4 && folder_read(AT_FDCWD, argv[3], &from)))
		return VERIFY_CANNOT;
	options.vkey = argv[2];
	options.from = argc == 4 ? buf_text(&from) : nullptr;
	options.from_len = from.len;
	if (verify_folder(argv[1], &options, &report))
		return VERIFY_CANNOT;
	printf("%s\n", report.message);
	return (int)report.verdict;
}
