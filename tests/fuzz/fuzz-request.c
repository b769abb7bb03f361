/* SPDX-License-Identifier: Apache-2.0 */

/* The HTTP parser: whole and cut into pieces, the same bytes must mean the same. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

constexpr size_t BODY_MAX = 4096;
constexpr int MESSAGES_MAX = 8;

/* Feed until the message ends or the bytes do. */
static int feed(struct request *request, const uint8_t *data, size_t size, size_t piece,
		size_t *ret_used)
{
	int r = REQUEST_MORE;

	*ret_used = 0;
	while ((r == REQUEST_MORE && *ret_used < size) || r == REQUEST_HEAD) {
		size_t left = size - *ret_used, used = 0;

		r = request_feed(request, data + *ret_used, left < piece ? left : piece, &used);
		if (used > left)
			abort();
		*ret_used += used;
	}
	return r;
}

/* Whether both have read the same message. */
static void compare(struct request *a, struct request *b)
{
	const struct buf *x = request_body(a), *y = request_body(b);

	if (strcmp(request_method(a), request_method(b)) != 0 ||
	    strcmp(request_target(a), request_target(b)) != 0 ||
	    request_has_body(a) != request_has_body(b) ||
	    request_keep_alive(a) != request_keep_alive(b) || x->len != y->len ||
	    (x->len > 0 && memcmp(x->data, y->data, x->len) != 0) || x->len > BODY_MAX ||
	    strlen(request_target(a)) > REQUEST_TARGET_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup(request_free_at) struct request *whole = nullptr;
	cleanup(request_free_at) struct request *cut = nullptr;
	size_t piece = size > 0 ? (size_t)data[size - 1] % 32 + 1 : 1;

	if (request_new(BODY_MAX, &whole) || request_new(BODY_MAX, &cut))
		return 0;
	for (int i = 0; i < MESSAGES_MAX && size > 0; i++) {
		size_t used = 0, used_cut = 0;
		int r = feed(whole, data, size, SIZE_MAX, &used);
		int r_cut = feed(cut, data, size, piece, &used_cut);

		if (r != r_cut)
			abort();
		if (r == REQUEST_REFUSED &&
		    request_refusal(whole).status != request_refusal(cut).status)
			abort();
		if (r != REQUEST_DONE)
			return 0;
		if (used != used_cut)
			abort();
		compare(whole, cut);
		request_reset(whole);
		request_reset(cut);
		data += used;
		size -= used;
	}
	return 0;
}
