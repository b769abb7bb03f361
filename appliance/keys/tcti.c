/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/keys/tcti.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <tss2/tss2_tpm2_types.h>

constexpr uint64_t MAGIC = 0x7264744b455953ull; /* any number: only the library looks at it */
constexpr int ANSWER_MS = 4000; /* making a key takes a slow TPM a second; a client waits five */
constexpr size_t HEADER = 10;	/* tag, size, response code: TPM 2.0 part 1, section 18.3 */

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *command)
{
	const struct tcti *tcti = (const struct tcti *)context;

	while (size > 0) { /* a device takes a command whole, a socket perhaps in parts */
		ssize_t done = write(tcti->fd, command, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return TSS2_TCTI_RC_IO_ERROR;
		command += done;
		size -= (size_t)done;
	}
	return TSS2_RC_SUCCESS;
}

/* Wait for something to read. */
static bool wait_for(int fd)
{
	struct pollfd waiting = { .fd = fd, .events = POLLIN };
	int n;

	do
		n = poll(&waiting, 1, ANSWER_MS);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

/* How long the response says it is; 0 while too little of it is there. */
static size_t response_len(const uint8_t *response, size_t have)
{
	if (have < HEADER)
		return 0;
	return (size_t)response[2] << 24 | (size_t)response[3] << 16 | (size_t)response[4] << 8 |
	       response[5];
}

/* The library asks without a time limit; ours is ANSWER_MS between two pieces. */
static TSS2_RC receive(TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *response, int32_t)
{
	const struct tcti *tcti = (const struct tcti *)context;
	size_t have = 0;

	if (!response) {
		*size = TPM2_MAX_RESPONSE_SIZE;
		return TSS2_RC_SUCCESS;
	}
	for (;;) {
		size_t want = response_len(response, have);

		if (have >= HEADER && (want < HEADER || want > *size))
			return TSS2_TCTI_RC_MALFORMED_RESPONSE;
		if (have >= HEADER && have >= want)
			break;
		if (!wait_for(tcti->fd))
			return TSS2_TCTI_RC_IO_ERROR;
		ssize_t got = read(tcti->fd, response + have, *size - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return TSS2_TCTI_RC_IO_ERROR;
		have += (size_t)got;
	}
	*size = have;
	return TSS2_RC_SUCCESS;
}

void tcti_init(struct tcti *ret, int fd)
{
	*ret = (struct tcti) { .common = { .magic = MAGIC,
					   .version = 1,
					   .transmit = transmit,
					   .receive = receive },
			       .fd = fd };
}

TSS2_TCTI_CONTEXT *tcti_context(struct tcti *tcti)
{
	return (TSS2_TCTI_CONTEXT *)tcti;
}
