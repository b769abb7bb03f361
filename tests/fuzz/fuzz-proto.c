/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/proto/access.h"
#include "common/proto/audit.h"
#include "common/proto/execute.h"
#include "common/proto/job.h"
#include "common/proto/queries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any union of what the decoders fill in; texts must end inside their field. */
union decoded {
	struct access_check check;
	struct access_denied denied;
	struct ssh_keys_request keys;
	struct execute execute;
	struct result result;
	struct credit credit;
	struct appliance_state state;
	struct audit_event event;
	struct job job;
	struct job_progress progress;
	struct job_done done;
	struct query_state query;
	struct query_kill query_kill;
	struct key_kill key_kill;
};

/* Any bytes at all: each decoder refuses them or yields texts that end inside their fields. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_free uint8_t *copy = malloc(size + !size); /* exact size: an overread is a crash */
	auto_free union decoded *got = calloc(1, sizeof(*got));

	if (!copy || !got)
		return 0;
	memcpy(copy, data, size);
	if (access_check_read(copy, size, &got->check) &&
	    strnlen(got->check.user_agent, ACCESS_NAME_MAX) == ACCESS_NAME_MAX)
		abort();
	if (execute_read(copy, size, &got->execute) &&
	    got->execute.body.len + got->execute.grant.len > size)
		abort();
	if (result_read(copy, size, &got->result) && got->result.body.len > size)
		abort();
	if (audit_event_read(copy, size, &got->event) &&
	    strnlen(got->event.detail, AUDIT_DETAIL_MAX) == AUDIT_DETAIL_MAX)
		abort();
	(void)!access_denied_read(copy, size, &got->denied);
	(void)!ssh_keys_request_read(copy, size, &got->keys);
	(void)!credit_read(copy, size, &got->credit);
	(void)!appliance_state_read(copy, size, &got->state);
	(void)!job_read(copy, size, &got->job);
	(void)!job_progress_read(copy, size, &got->progress);
	(void)!job_done_read(copy, size, &got->done);
	(void)!query_kill_read(copy, size, &got->query_kill);
	(void)!key_kill_read(copy, size, &got->key_kill);
	struct reader in = reader_make(copy, size);
	while (!reader_end(&in) && query_state_read(&in, &got->query))
		if (strnlen(got->query.text, QUERIES_TEXT) == QUERIES_TEXT)
			abort();
	return 0;
}
