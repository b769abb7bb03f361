/* SPDX-License-Identifier: Apache-2.0 */
#include "service/http/target.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "tests/lib/tap.h"

static const struct {
	const char *text;
	const char *segments; /* joined by '|'; nullptr: malformed */
	const char *query;
} CASES[] = {
	{ "/", "", "" },
	{ "/v1/orgs/self", "v1|orgs|self", "" },
	{ "//v1///orgs/self/", "v1|orgs|self", "" },
	{ "/a?b=c/d?e", "a", "b=c/d?e" },
	{ "/a#b?c", "a", "" },
	{ "/?", "", "" },
	{ "https://host:8443/v1/x", "v1|x", "" },
	{ "HTTP://host/v1", "v1", "" },
	{ "/a%20b/%c3%a4", "a b|\xc3\xa4", "" },
	{ "/a%2Fb/c", "a/b|c", "" }, /* an encoded slash cuts nothing */
	{ "/%3A%3a", "::", "" },
	{ "/./../a", ".|..|a", "" }, /* names like any other: there are no files here */
	{ "/%2e%2e/a", "..|a", "" },
	{ "/a%", nullptr, "" },
	{ "/a%2", nullptr, "" },
	{ "/a%2/", nullptr, "" },
	{ "/a%zz", nullptr, "" },
	{ "/a%00b", nullptr, "" },
	{ "/a%0ab", nullptr, "" },
	{ "/a%7f", nullptr, "" },
	{ "/a%ff", nullptr, "" },      /* not UTF-8 */
	{ "/%c3", nullptr, "" },       /* cut off */
	{ "/%c0%af", nullptr, "" },    /* overlong '/' */
	{ "/%ed%a0%80", nullptr, "" }, /* surrogate */
	{ "*", nullptr, "" },
	{ "", nullptr, "" },
	{ "v1/orgs", nullptr, "" },
	{ "https://host", nullptr, "" },
	{ "ftp://host/x", nullptr, "" },
	{ "/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g", "1|2|3|4|5|6|7|8|9|a|b|c|d|e|f|g", "" },
	{ "/1/2/3/4/5/6/7/8/9/a/b/c/d/e/f/g/h", nullptr, "" },
};

static bool targets_are_cut_and_decoded(void)
{
	for (size_t i = 0; i < countof(CASES); i++) {
		char text[128], joined[128] = "";
		struct target target;

		(void)snprintf(text, sizeof(text), "%s", CASES[i].text);
		int r = target_parse(text, &target);
		if (r != (CASES[i].segments ? TARGET_OK : TARGET_MALFORMED))
			printf("# %s\n", CASES[i].text);
		CHECK_EQ(r, CASES[i].segments ? TARGET_OK : TARGET_MALFORMED);
		if (r)
			continue;
		for (size_t s = 0; s < target.n; s++)
			(void)snprintf(joined + strlen(joined), sizeof(joined) - strlen(joined),
				       "%s%s", s ? "|" : "", target.segment[s]);
		if (strcmp(joined, CASES[i].segments) != 0)
			printf("# %s gives %s\n", CASES[i].text, joined);
		CHECK(strcmp(joined, CASES[i].segments) == 0);
		CHECK(strcmp(target.query, CASES[i].query) == 0);
	}
	return true;
}

static bool every_byte_can_be_written_with_a_percent_sign(void)
{
	for (unsigned int byte = 0; byte < 256; byte++) {
		char text[8];
		struct target target;

		(void)snprintf(text, sizeof(text), "/%%%02x", byte);
		int r = target_parse(text, &target);
		bool printable = byte >= 0x20 && byte < 0x7f;
		CHECK_EQ(r, printable ? TARGET_OK : TARGET_MALFORMED);
		if (r == 0)
			CHECK(target.n == 1 && (unsigned char)target.segment[0][0] == byte &&
			      target.segment[0][1] == '\0');
	}
	return true;
}

int main(void)
{
	RUN(targets_are_cut_and_decoded);
	RUN(every_byte_can_be_written_with_a_percent_sign);
	return tap_done();
}
