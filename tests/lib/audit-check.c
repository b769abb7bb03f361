/* SPDX-License-Identifier: Apache-2.0 */

/*
 * audit-check: verify a ledger's folder, for tests; `redoubt audit verify` is the same for people.
 *
 *   audit-check FOLDER VKEY [EARLIER-CHECKPOINT-FILE]
 *
 * Prints the sentence; exits with the verdict.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>

#include "appliance/audit/folder.h"
#include "appliance/audit/note.h"
#include "appliance/audit/verify.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"

int main(int argc, char **argv)
{
	auto_buf struct buf from = buf_make(NOTE_MAX);
	struct verify_options options = { .now_s = clock_wall_us() / 1'000'000 };
	struct verify_report report;

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
