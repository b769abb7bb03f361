/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "appliance/accounts/accounts.h"
#include "appliance/accounts/frontlink.h"
#include "appliance/accounts/sessions.h"
#include "appliance/accounts/sshkeys.h"
#include "appliance/accounts/store.h"
#include "common/base.h"
#include "common/proto/access.h"
#include "common/proto/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Accounts over an empty database and without a ledger; made once. */
static struct accounts *empty_accounts(void)
{
	static struct accounts accounts;

	if (!accounts.store) {
		/* No such socket: each record fails at once. */
		if (setenv("REDOUBT_RUN", "/nonexistent", 1) < 0 ||
		    setenv("JOURNAL_STREAM", "1:1", 1) < 0 ||
		    audit_client_new("audit-accounts.sock", &accounts.audit) ||
		    store_open(":memory:", &accounts.store) ||
		    sessions_new(&accounts, &accounts.sessions))
			abort();
	}
	return &accounts;
}

/* Whatever front or sshd's helper sends: with no people and no ledger, nobody is ever let in. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free uint8_t *copy = malloc(size + !size); /* exact size: an overread is a crash */
	auto_free struct access_check *check = calloc(1, sizeof(*check));
	auto_free struct grant *grant = calloc(1, sizeof(*grant));
	struct access_denied denied = {};
	struct ssh_keys_request request;
	auto_buf struct buf line = buf_make(16384);

	if (!copy || !check || !grant)
		return 0;
	memcpy(copy, data, size);
	if (access_check_read(copy, size, check) &&
	    (frontlink_decide(empty_accounts(), check, grant, &denied) != ACCESS_DENIED ||
	     denied.http_status < 400 || denied.message[0] == '\0'))
		abort();
	if (ssh_keys_request_read(copy, size, &request)) {
		sshkeys_answer(empty_accounts(), &request, &line);
		if (line.len > 0)
			abort();
	}
	return 0;
}
