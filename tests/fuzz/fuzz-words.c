/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "tui/model/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any command line: it is refused, or its words together are no longer than it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *line = malloc(size + 1);
	struct words words = {};
	size_t total = 0;

	if (!line)
		return 0;
	memcpy(line, data, size);
	line[size] = '\0';
	if (words_split(line, &words) != 0)
		return 0;
	if (words.n > WORDS_MAX || words.word[words.n])
		abort();
	for (size_t i = 0; i < words.n; i++)
		total += strlen(words.word[i]);
	if (total > strlen(line))
		abort();
	words_done(&words);
	return 0;
}
