/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "appliance/imds/imds.h"
#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/tap.h"

static bool a_token_is_printable_and_bounded(void)
{
	char text[600];

	memset(text, 'A', sizeof(text));
	CHECK(imds_is_token("AQAEAEXAMPLE==", 14));
	CHECK(imds_is_token(text, 512));
	CHECK(!imds_is_token(text, 513));
	CHECK(!imds_is_token("", 0));
	CHECK(!imds_is_token("a b", 3));
	CHECK(!imds_is_token("a\r\nX-Evil: 1", 12));
	CHECK(!imds_is_token("a\0b", 3));
	CHECK(!imds_is_token("\xc3\xa9", 2));
	return true;
}

static bool nobody_there_is_unreachable_and_only_http_is_spoken(void)
{
	auto_buf struct buf got = buf_make(100);

	CHECK_EQ(imds_fetch("http://127.0.0.1:1", &got), IMDS_UNREACHABLE);
	CHECK_EQ(imds_fetch("file:///etc", &got), IMDS_UNREACHABLE);
	CHECK_EQ(got.len, 0u);
	return true;
}

int main(void)
{
	RUN(a_token_is_printable_and_bounded);
	RUN(nobody_there_is_unreachable_and_only_http_is_spoken);
	return tap_done();
}
