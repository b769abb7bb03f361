/* SPDX-License-Identifier: Apache-2.0 */
#include "common/secret.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base.h"

constexpr size_t LEN_MAX = 1u << 20;
constexpr size_t PAGE = 4096;

int secret_init(struct secret *ret, size_t len)
{
	if (len == 0 || len > LEN_MAX)
		return -EINVAL;

	size_t room = (len + PAGE - 1) / PAGE * PAGE;
	void *data =
		mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (data == MAP_FAILED)
		return neg_errno();
	(void)mlock(data, room);
	(void)madvise(data, room, MADV_DONTDUMP);

	*ret = (struct secret) { .data = data, .len = len, .room = room };
	return 0;
}

void secret_done(struct secret *secret)
{
	if (secret->data) {
		explicit_bzero(secret->data, secret->room);
		(void)munmap(secret->data, secret->room);
	}
	*secret = (struct secret) {};
}

bool secret_same(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *left = a, *right = b;
	uint8_t differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= (uint8_t)(left[i] ^ right[i]);
	return differ == 0;
}

bool secret_equals(const struct secret *secret, const void *other, size_t len)
{
	return secret->len == len && secret_same(secret->data, other, len);
}
