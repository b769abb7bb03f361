/* SPDX-License-Identifier: Apache-2.0 */
#include "hardening/check/kinds.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "hardening/check/control.h"
#include "hardening/check/probe.h"

constexpr size_t SET_TEXT_MAX = 256 * 1024;
constexpr size_t ELEMENTS_MAX = 256; /* a configuration has at most 64 in a set */

/* The elements of a set, cut out of somebody's text. */
struct elements {
	const char *text[ELEMENTS_MAX];
	size_t len[ELEMENTS_MAX];
	size_t n;
};

/* Cut "{ A, B }" up; what stands before the first brace is passed over. False if it is not closed or too long. */
static bool cut_up(const char *text, struct elements *ret)
{
	static const char BLANK[] = " \t\n";
	const char *at = strchr(text, '{');
	const char *end = at ? strchr(at, '}') : nullptr;

	ret->n = 0;
	if (!end)
		return false;
	at++;
	for (; at < end; at++) {
		at += strspn(at, BLANK);
		size_t len = strcspn(at, ",}");
		const char *next = at + len;

		while (len > 0 && strchr(BLANK, at[len - 1]))
			len--;
		if (ret->n == ELEMENTS_MAX)
			return false;
		if (len > 0) {
			ret->text[ret->n] = at;
			ret->len[ret->n++] = len;
		}
		at = next;
	}
	return true;
}

static bool has_element(const struct elements *all, const char *text, size_t len)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->len[i] == len && memcmp(all->text[i], text, len) == 0)
			return true;
	return false;
}

/* The first element of one that the other lacks, or all->n. */
static size_t first_missing(const struct elements *all, const struct elements *in)
{
	size_t i = 0;

	while (i < all->n && has_element(in, all->text[i], all->len[i]))
		i++;
	return i;
}

/* What the worker's script puts into a set; nothing if it leaves the set empty. */
static bool configured_elements(const char *script, const char *set, struct elements *ret)
{
	char line[WORD_MAX + 40];

	(void)snprintf(line, sizeof(line), "\nadd element inet redoubt %.100s {", set);
	const char *at = strstr(script, line);

	ret->n = 0;
	return !at || cut_up(at, ret);
}

/* What the kernel has in a set. */
static bool elements_in_force(const struct probe *probe, const char *set, struct buf *text,
			      struct elements *ret, struct detail *detail)
{
	const char *const argv[] = { "/usr/sbin/nft", "--numeric", "list", "set",
				     "inet",	      "redoubt",   set,	   nullptr };
	int r = probe->run(argv, text);
	const char *said = buf_text(text);

	ret->n = 0;
	if (r || !said)
		return detail_fails(detail, "nft list set inet redoubt %s: %.100s", set,
				    r < 0  ? strerror(-r)
				    : said ? said
					   : "out of memory");
	const char *at = strstr(said, "elements = ");
	return !at || cut_up(at, ret) ||
	       detail_fails(detail, "the set %s has more elements than are looked at", set);
}

static bool set_is_as_configured(const struct probe *probe, const char *script, const char *set,
				 struct detail *detail)
{
	auto_free struct elements *want = malloc(sizeof(*want)), *have = malloc(sizeof(*have));
	auto_buf struct buf text = buf_make(SET_TEXT_MAX);

	if (!want || !have)
		return detail_fails(detail, "out of memory");
	if (!configured_elements(script, set, want))
		return detail_fails(detail, "the configuration's %s cannot be read", set);
	if (!elements_in_force(probe, set, &text, have, detail))
		return false;
	size_t i = first_missing(have, want);
	if (i < have->n)
		return detail_fails(detail, "%s lets %.*s pass, which is not configured", set,
				    (int)have->len[i], have->text[i]);
	i = first_missing(want, have);
	return i == want->n || detail_fails(detail, "%s lacks %.*s, which is configured", set,
					    (int)want->len[i], want->text[i]);
}

bool kind_nft_sets(const struct probe *probe, const struct control *control, struct detail *detail)
{
	const char *const argv[] = { control->expected, "firewall", nullptr };
	auto_buf struct buf script = buf_make(SET_TEXT_MAX);
	const char *sets = control->argument;
	char set[WORD_MAX];
	int r = probe->run(argv, &script);
	const char *text = buf_text(&script);

	if (r || !text)
		return detail_fails(detail, "%s firewall: %.100s", control->expected,
				    r < 0  ? strerror(-r)
				    : text ? text
					   : "out of memory");
	while (probe_word(&sets, set))
		if (!set_is_as_configured(probe, text, set, detail))
			return false;
	return true;
}
