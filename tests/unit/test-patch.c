/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "service/value/patch.h"
#include "service/value/value_json.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

static const char DOCUMENT[] =
	"{\"_id\":\"1\",\"_event_time\":{\"__rockset_type\":\"timestamp\",\"value\":\"2024-01-01T00:00:00Z\"},\"n\":1,\"f\":1.5,\"s\":\"x\",\"a\":[1,2,3],"
	"\"o\":{\"k\":{\"l\":true}},\"e/f\":{\"~g\":1}}";

/* Apply a patch to DOCUMENT. Returns the outcome; what it became, less _id and _event_time, in ret. */
static int apply(const char *json, struct buf *ret, size_t *ret_index)
{
	auto_buf struct buf room = buf_make(1u << 20), out = buf_make(16u << 20);
	struct value value;
	yyjson_doc *old = yyjson_read(DOCUMENT, strlen(DOCUMENT), YYJSON_READ_NOFLAG);
	yyjson_doc *patch = yyjson_read(json, strlen(json), YYJSON_READ_NOFLAG);
	int r = value_from_json(yyjson_doc_get_root(old), &room);

	if (r == 0 && value_open(room.data, room.len, &value))
		r = patch_apply(yyjson_doc_get_root(patch), &value, &out, ret_index);
	if (r == 0 && value_open(out.data, out.len, &value))
		(void)!value_to_json(&value, VALUE_JSON_RESULT, ret);
	yyjson_doc_free(old);
	yyjson_doc_free(patch);
	return r;
}

static bool each_operation_does_what_it_says(void)
{
	static const struct {
		const char *patch, *part; /* what the document then has in it */
	} GOOD[] = {
		{ "[]", "\"n\":1,\"f\":1.5" },
		{ "[{\"op\":\"ADD\",\"path\":\"/z\",\"value\":[1]}]", "\"z\":[1]" },
		{ "[{\"op\":\"add\",\"path\":\"/n\",\"value\":2}]", "\"n\":2" },
		{ "[{\"op\":\"add\",\"path\":\"/a/1\",\"value\":9}]", "\"a\":[1,9,2,3]" },
		{ "[{\"op\":\"add\",\"path\":\"/a/-\",\"value\":9}]", "\"a\":[1,2,3,9]" },
		{ "[{\"op\":\"Replace\",\"path\":\"/o/k/l\",\"value\":null}]", "\"l\":null" },
		{ "[{\"op\":\"remove\",\"path\":\"/a/0\",\"from\":null}]", "\"a\":[2,3]" },
		{ "[{\"op\":\"copy\",\"path\":\"/c\",\"from\":\"/o/k\"}]", "\"c\":{\"l\":true}" },
		{ "[{\"op\":\"move\",\"path\":\"/o/m\",\"from\":\"/o/k/l\"}]",
		  "\"o\":{\"k\":{},\"m\":true}" },
		{ "[{\"op\":\"test\",\"path\":\"/a\",\"value\":[1,2,3]},{\"op\":\"remove\",\"path\":\"/s\"}]",
		  "\"a\":[1,2,3],\"o\"" },
		{ "[{\"op\":\"increment\",\"path\":\"/n\",\"value\":41}]", "\"n\":42" },
		{ "[{\"op\":\"increment\",\"path\":\"/f\",\"value\":-1}]", "\"f\":0.5" },
		{ "[{\"op\":\"add\",\"path\":\"/e~1f/~0g\",\"value\":2}]", "\"e/f\":{\"~g\":2}" },
		{ "[{\"op\":\"add\",\"path\":\"/t\",\"value\":{\"__rockset_type\":\"date\",\"value\":\"2024-01-01\"}}]",
		  "\"t\":{\"__rockset_type\":\"DATE\",\"value\":\"2024-01-01\"}" },
		{ "[{\"op\":\"replace\",\"path\":\"/_id\",\"value\":\"1\"}]", "\"_id\":\"1\"" },
	};

	for (size_t i = 0; i < countof(GOOD); i++) {
		auto_buf struct buf got = buf_make(1u << 20);
		size_t index;

		CHECK_EQ(apply(GOOD[i].patch, &got, &index), 0);
		const char *text = buf_text(&got);
		if (!text || !strstr(text, GOOD[i].part))
			printf("# %s gave %s\n", GOOD[i].patch, text ? text : "nothing");
		CHECK(text && strstr(text, GOOD[i].part));
	}
	return true;
}

static bool what_cannot_be_is_refused_with_its_place(void)
{
	static const struct {
		const char *patch;
		int outcome;
		size_t index;
	} BAD[] = {
		{ "{}", PATCH_MALFORMED, 0 },
		{ "[7]", PATCH_MALFORMED, 0 },
		{ "[{\"op\":\"erase\",\"path\":\"/n\"}]", PATCH_MALFORMED, 0 },
		{ "[{\"op\":\"add\",\"path\":\"n\",\"value\":1}]", PATCH_MALFORMED, 0 },
		{ "[{\"op\":\"add\",\"path\":\"/n\"}]", PATCH_MALFORMED, 0 },
		{ "[{\"op\":\"copy\",\"path\":\"/n\"}]", PATCH_MALFORMED, 0 },
		{ "[{\"op\":\"remove\",\"path\":\"/n\"},{\"op\":\"remove\",\"path\":\"/n\"}]",
		  PATCH_NO_TARGET, 1 },
		{ "[{\"op\":\"replace\",\"path\":\"/none\",\"value\":1}]", PATCH_NO_TARGET, 0 },
		{ "[{\"op\":\"add\",\"path\":\"/a/9\",\"value\":1}]", PATCH_NO_TARGET, 0 },
		{ "[{\"op\":\"add\",\"path\":\"/x/y\",\"value\":1}]", PATCH_NO_TARGET, 0 },
		{ "[{\"op\":\"move\",\"path\":\"/o/k/x\",\"from\":\"/o/k\"}]", PATCH_NO_TARGET, 0 },
		{ "[{\"op\":\"test\",\"path\":\"/n\",\"value\":2}]", PATCH_TEST_FAILED, 0 },
		{ "[{\"op\":\"increment\",\"path\":\"/s\",\"value\":2}]", PATCH_NOT_NUMBER, 0 },
		{ "[{\"op\":\"increment\",\"path\":\"/n\",\"value\":9223372036854775807}]",
		  PATCH_NOT_NUMBER, 0 },
		{ "[{\"op\":\"replace\",\"path\":\"/_id\",\"value\":\"2\"}]", PATCH_FIXED, 0 },
		{ "[{\"op\":\"remove\",\"path\":\"/_event_time\"}]", PATCH_FIXED, 0 },
		{ "[{\"op\":\"replace\",\"path\":\"\",\"value\":{}}]", PATCH_FIXED, 0 },
		{ "[{\"op\":\"replace\",\"path\":\"\",\"value\":7}]", PATCH_FIXED, 0 },
	};

	for (size_t i = 0; i < countof(BAD); i++) {
		auto_buf struct buf got = buf_make(1u << 20);
		size_t index = 99;
		int r = apply(BAD[i].patch, &got, &index);

		if (r != BAD[i].outcome)
			printf("# %s\n", BAD[i].patch);
		CHECK_EQ(r, BAD[i].outcome);
		CHECK_EQ(index, BAD[i].index);
		CHECK(patch_outcome_text((enum patch_outcome)r)[0]);
	}
	return true;
}

/* Copying a value into itself doubles it each time. */
static bool a_patch_cannot_eat_the_machine(void)
{
	auto_buf struct buf wide = buf_make(1u << 20), deep = buf_make(1u << 20),
			    got = buf_make(1u << 20);
	size_t index;

	buf_add_str(&wide, "[{\"op\":\"add\",\"path\":\"/w\",\"value\":[0,1,2,3,4,5,6,7]}");
	for (int i = 0; i < 60; i++)
		buf_addf(
			&wide,
			",{\"op\":\"add\",\"path\":\"/v\",\"value\":[]},{\"op\":\"copy\",\"from\":\"/w\",\"path\":\"/v/0\"}"
			",{\"op\":\"copy\",\"from\":\"/w\",\"path\":\"/v/1\"},{\"op\":\"add\",\"path\":\"/w\",\"value\":[]}"
			",{\"op\":\"copy\",\"from\":\"/v/0\",\"path\":\"/w/0\"},{\"op\":\"copy\",\"from\":\"/v/1\",\"path\":\"/w/0\"}");
	buf_add_str(&wide, "]");
	int r = apply(buf_text(&wide), &got, &index);
	CHECK(r == PATCH_TOO_LARGE);

	buf_add_str(&deep, "[{\"op\":\"remove\",\"path\":\"/a\"}");
	for (int i = 0; i < 50; i++)
		buf_add_str(&deep, ",{\"op\":\"copy\",\"from\":\"/o\",\"path\":\"/o/x\"}");
	buf_add_str(&deep, "]");
	return apply(buf_text(&deep), &got, &index) == PATCH_TOO_LARGE;
}

int main(void)
{
	RUN(each_operation_does_what_it_says);
	RUN(what_cannot_be_is_refused_with_its_place);
	RUN(a_patch_cannot_eat_the_machine);
	return tap_done();
}
