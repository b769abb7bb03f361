/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * exports: copies of the ledger on their way out, each through a pipe that whoever asked for it reads from.
 *
 * Layer 2 (appliance/audit; redoubt-audit only). A reader that is slow or goes away holds up nobody: what is written
 * waits in the pipe, and one that takes nothing for ten minutes is given up.
 */

#include <stdint.h>

#include "appliance/audit/ledger.h"
#include "common/base.h"
#include "common/loop.h"
#include "common/proto/audit.h"

constexpr size_t EXPORTS_MAX = 4;	  /* at once */
constexpr size_t EXPORTS_SENDER_MAX = 64; /* of a connection's name on the bus */

/*
 * Record an event durably, the ledger's own; what is in the batch goes with it.
 *
 * Returns 0, or anything else if it was not recorded.
 */
typedef int exports_record_fn(void *userdata, const struct audit_event *event, uint64_t *ret_index);

enum {
	EXPORTS_OK = 0,
	EXPORTS_BUSY,	    /* as many as there may be */
	EXPORTS_BEYOND,	    /* from is more than there is */
	EXPORTS_UNRECORDED, /* the ledger does not take that it is exported */
	EXPORTS_NOT_FINISHED, /* of this connection, no export of that size has been taken to its end */
};

struct exports;

/* Make it. loop and ledger are borrowed. Returns 0 or -ENOMEM. */
[[nodiscard]] int exports_new(struct loop *loop, struct ledger *ledger, exports_record_fn *record,
			      void *userdata, struct exports **ret);

/* End every export and free; nullptr is a no-op. Always returns nullptr. */
struct exports *exports_free(struct exports *exports);
CLEANUP_FN(struct exports, exports_free)

/*
 * Sign what there is and begin to export it. The ledger gets an intent now and the outcome when the stream has ended.
 *
 * sender     the connection that asks; the one that may call exports_mark()
 * person     who it is
 * from       as in export_new()
 * ret_fd     where to read from; the caller closes it
 * ret_size   of how many entries
 *
 * Returns 0, EXPORTS_BUSY, EXPORTS_BEYOND, EXPORTS_UNRECORDED, -ENOMEM or another -errno.
 */
[[nodiscard]] int exports_begin(struct exports *exports, const char *sender, const char *person,
				uint64_t from, int *ret_fd, uint64_t *ret_size);

/*
 * Record ledger.exported: a person has all of the first size entries now. What may be pruned depends on this entry;
 * its detail is {"size":N,"root":"base64","bytes":N}.
 *
 * Returns 0, EXPORTS_NOT_FINISHED or EXPORTS_UNRECORDED.
 */
[[nodiscard]] int exports_mark(struct exports *exports, const char *sender, const char *person,
			       uint64_t size);
