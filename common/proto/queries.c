/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/queries.h"

#include <stddef.h>
#include <stdint.h>

#include "common/bytes.h"

void query_state_write(struct buf *out, const struct query_state *query)
{
	write_u64(out, query->number);
	write_u64(out, query->age_us);
	write_u64(out, query->cpu_us);
	write_u8(out, query->works);
	write_str(out, query->key_id);
	write_str(out, query->person);
	write_str(out, query->text);
}

bool query_state_read(struct reader *in, struct query_state *ret)
{
	ret->number = read_u64(in);
	ret->age_us = read_u64(in);
	ret->cpu_us = read_u64(in);
	uint8_t works = read_u8(in);
	read_str(in, ret->key_id, sizeof(ret->key_id));
	read_str(in, ret->person, sizeof(ret->person));
	read_str(in, ret->text, sizeof(ret->text));
	ret->works = works == 1;
	return !in->failed && works <= 1;
}

void query_kill_write(struct buf *out, const struct query_kill *kill)
{
	write_u64(out, kill->number);
	write_str(out, kill->person);
}

bool query_kill_read(const void *data, size_t len, struct query_kill *ret)
{
	struct reader in = reader_make(data, len);

	ret->number = read_u64(&in);
	read_str(&in, ret->person, sizeof(ret->person));
	return reader_end(&in);
}

void key_kill_write(struct buf *out, const struct key_kill *kill)
{
	write_str(out, kill->key_id);
	write_str(out, kill->person);
}

bool key_kill_read(const void *data, size_t len, struct key_kill *ret)
{
	struct reader in = reader_make(data, len);

	read_str(&in, ret->key_id, sizeof(ret->key_id));
	read_str(&in, ret->person, sizeof(ret->person));
	return reader_end(&in);
}
