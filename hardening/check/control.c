/* SPDX-License-Identifier: Apache-2.0 */
#include "hardening/check/control.h"

#include <stddef.h>
#include <string.h>

#include "common/base.h"

/* Cut the next line off; nullptr at the end. */
static char *next_line(char **at)
{
	char *line = *at;

	if (*line == '\0')
		return nullptr;
	size_t len = strcspn(line, "\n");

	*at = line + len + (line[len] == '\n');
	line[len] = '\0';
	return line;
}

int control_next(char **at, struct control *ret)
{
	const char *field[6];
	size_t n = 0;
	char *line;

	do
		line = next_line(at);
	while (line && (*line == '\0' || *line == '#'));
	if (!line)
		return CONTROL_END;

	for (char *rest = line; rest; n++) {
		char *word = strsep(&rest, "\t");

		if (n == countof(field))
			return CONTROL_BROKEN;
		field[n] = word;
	}
	if (n != countof(field) || !*field[0] || !*field[1] || !*field[4])
		return CONTROL_BROKEN;
	*ret = (struct control) { .id = field[0],
				  .kind = field[1],
				  .argument = field[2],
				  .expected = field[3],
				  .title = field[4],
				  .reason = field[5] };
	return CONTROL_OK;
}
