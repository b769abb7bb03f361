/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/job.h"

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/bytes.h"

void job_write(struct buf *out, const struct job *job)
{
	write_u8(out, job->kind);
	write_str(out, job->argument);
	write_str(out, job->second);
}

bool job_read(const void *data, size_t len, struct job *ret)
{
	struct reader in = reader_make(data, len);
	uint8_t kind = read_u8(&in);

	read_str(&in, ret->argument, sizeof(ret->argument));
	read_str(&in, ret->second, sizeof(ret->second));
	if (!reader_end(&in) || kind >= JOB_KIND_COUNT)
		return false;
	ret->kind = (enum job_kind)kind;
	return true;
}

void job_progress_write(struct buf *out, const struct job_progress *progress)
{
	write_u8(out, progress->percent);
	write_str(out, progress->text);
}

bool job_progress_read(const void *data, size_t len, struct job_progress *ret)
{
	struct reader in = reader_make(data, len);

	ret->percent = read_u8(&in);
	read_str(&in, ret->text, sizeof(ret->text));
	return reader_end(&in) && ret->percent <= 100;
}

void job_done_write(struct buf *out, const struct job_done *done)
{
	write_u8(out, done->outcome);
	write_str(out, done->text);
	write_str(out, done->data);
}

bool job_done_read(const void *data, size_t len, struct job_done *ret)
{
	struct reader in = reader_make(data, len);
	uint8_t outcome = read_u8(&in);

	read_str(&in, ret->text, sizeof(ret->text));
	read_str(&in, ret->data, sizeof(ret->data));
	if (!reader_end(&in) || outcome >= JOB_OUTCOME_COUNT)
		return false;
	ret->outcome = (enum job_outcome)outcome;
	return true;
}
