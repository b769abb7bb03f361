/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/worker/apply.h"
#include "appliance/worker/config.h"
#include "common/base.h"
#include "common/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is accepted must give a network file and a firewall script; whatever is not, a reason. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free char *copy = malloc(size + !size); /* exact size: an overread is a crash */
	auto_free struct config *config = calloc(1, sizeof(*config));
	auto_buf struct buf network = buf_make(1 << 16), firewall = buf_make(1 << 16);
	char error[CONFIG_ERROR] = "";

	if (!copy || !config)
		return 0;
	memcpy(copy, data, size);
	int r = config_parse(copy, size, config, error);
	if (r == CONFIG_INVALID && !error[0])
		abort();
	if (r != CONFIG_OK)
		return 0;
	apply_network_text(config, &network);
	apply_firewall_text(config, &firewall);
	if (buf_error(&network) || buf_error(&firewall))
		abort();
	/* Nothing of the input may end a statement and begin another. */
	if (memchr(firewall.data, ';', firewall.len) || memchr(network.data, '\0', network.len))
		abort();
	return 0;
}
