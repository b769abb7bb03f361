/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/execute.h"

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/msg.h"
#include "common/proto/access.h"

void execute_write(struct buf *out, const struct execute *execute)
{
	write_u16(out, execute->op);
	write_str(out, execute->request_id);
	write_str(out, execute->workspace);
	write_str(out, execute->collection);
	write_bytes(out, execute->grant.data, execute->grant.len);
	write_bytes(out, execute->body.data, execute->body.len);
}

bool execute_read(const void *data, size_t len, struct execute *ret)
{
	struct reader in = reader_make(data, len);

	ret->op = read_u16(&in);
	read_str(&in, ret->request_id, sizeof(ret->request_id));
	read_str(&in, ret->workspace, sizeof(ret->workspace));
	read_str(&in, ret->collection, sizeof(ret->collection));
	ret->grant = read_bytes(&in, ACCESS_GRANT_MAX);
	ret->body = read_bytes(&in, MSG_INLINE_MAX);
	return reader_end(&in) && ret->op < OP_COUNT;
}

void result_write(struct buf *out, const struct result *result)
{
	write_u16(out, result->http_status);
	write_bytes(out, result->body.data, result->body.len);
}

bool result_read(const void *data, size_t len, struct result *ret)
{
	struct reader in = reader_make(data, len);

	ret->http_status = read_u16(&in);
	ret->body = read_bytes(&in, MSG_INLINE_MAX);
	return reader_end(&in) && ret->http_status >= 200 && ret->http_status <= 599;
}

void credit_write(struct buf *out, const struct credit *credit)
{
	write_u64(out, credit->bytes);
}

bool credit_read(const void *data, size_t len, struct credit *ret)
{
	struct reader in = reader_make(data, len);

	ret->bytes = read_u64(&in);
	return reader_end(&in);
}

void appliance_state_write(struct buf *out, const struct appliance_state *state)
{
	write_u8(out, state->state);
	write_str(out, state->text);
}

bool appliance_state_read(const void *data, size_t len, struct appliance_state *ret)
{
	struct reader in = reader_make(data, len);
	uint8_t state = read_u8(&in);

	read_str(&in, ret->text, sizeof(ret->text));
	if (!reader_end(&in) || state >= STATE_COUNT)
		return false;
	ret->state = (enum state)state;
	return true;
}

const char *state_sentence(enum state state)
{
	static const char *const SENTENCES[STATE_COUNT] = {
		[STATE_STARTING] = "The appliance is starting.",
		[STATE_UNCONFIGURED] = "The appliance has no configuration yet.",
		[STATE_LOCKED] = "The data volume is locked. Unlock it on the console.",
		[STATE_FOREIGN_DATA] = "The data disk is not blank. The console says what to do.",
		[STATE_FAILED] = "The appliance cannot start. The console says why.",
		[STATE_READY] = "The appliance is ready.",
	};

	return state < STATE_COUNT ? SENTENCES[state] : "?";
}

const char *state_name(enum state state)
{
	static const char *const NAMES[STATE_COUNT] = {
		[STATE_STARTING] = "starting", [STATE_UNCONFIGURED] = "unconfigured",
		[STATE_LOCKED] = "locked",     [STATE_FOREIGN_DATA] = "foreign-data",
		[STATE_FAILED] = "failed",     [STATE_READY] = "ready",
	};

	return state < STATE_COUNT ? NAMES[state] : "?";
}
