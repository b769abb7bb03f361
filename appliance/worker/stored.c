/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/stored.h"

#include <fcntl.h>
#include <stddef.h>

#include "appliance/worker/files.h"

int stored_read(int state, struct buf *text, struct config *ret, char why[CONFIG_ERROR])
{
	auto_close int dir =
		openat(state, "config", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (dir < 0)
		return neg_errno();
	int r = files_read(dir, "config.json", text);
	return r ? r : config_parse((const char *)text->data, text->len, ret, why);
}
