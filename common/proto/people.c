/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/people.h"

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/msg.h"

/* A wish of the most people there may be is one frame. */
static_assert(PEOPLE_MAX * (sizeof(uint32_t) + NAME_PERSON_MAX + sizeof(uint32_t) + 1) <=
	      MSG_PAYLOAD_MAX);

void people_one_write(struct buf *out, const struct people_one *one)
{
	write_str(out, one->name);
	write_u32(out, one->uid);
	write_u8(out, one->locked);
}

bool people_one_read(struct reader *in, struct people_one *ret)
{
	read_str(in, ret->name, sizeof(ret->name));
	ret->uid = read_u32(in);

	uint8_t locked = read_u8(in);
	ret->locked = locked != 0;
	return !in->failed && locked <= 1;
}
