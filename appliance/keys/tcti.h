/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * tcti: speak to a TPM over a descriptor that somebody else has opened.
 *
 * Layer 2 (appliance/keys). The libraries' own transports open a device by its name and are loaded
 * while the program runs; the sandbox allows neither. A descriptor of /dev/tpmrm0, or a stream
 * socket with a TPM behind it (swtpm), is all that is needed.
 * Source: TCG TSS 2.0 TCTI specification 1.0, section 3.2; tpm(4).
 */

#include <tss2/tss2_tcti.h>

struct tcti {
	TSS2_TCTI_CONTEXT_COMMON_V1 common; /* first: the library casts */
	int fd;				    /* borrowed */
};

/* Make a transport over fd. The result is used through tcti_context() and needs no end. */
void tcti_init(struct tcti *ret, int fd);

/* The transport as the library wants it; lives as long as tcti. */
[[nodiscard]] TSS2_TCTI_CONTEXT *tcti_context(struct tcti *tcti);
