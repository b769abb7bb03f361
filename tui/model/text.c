/* SPDX-License-Identifier: Apache-2.0 */
#include "tui/model/text.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/utf8.h"

/* Characters that change how their neighbours look, or look like nothing at all. */
static const struct {
	uint32_t first, last;
} UNFIT[] = {
	{ 0x00, 0x1F },	    { 0x7F, 0x9F }, /* C0, DEL, C1 */
	{ 0xAD, 0xAD },			    /* soft hyphen: terminals disagree about its width */
	{ 0x61C, 0x61C },   { 0x200B, 0x200F }, /* zero-width and direction marks */
	{ 0x2028, 0x202E }, { 0x2060, 0x206F }, /* separators, overrides, isolates */
	{ 0xFEFF, 0xFEFF }, { 0xFFF9, 0xFFFB }, { 0xE0000, 0xE007F },
};

static uint32_t decode(const char *str, size_t len)
{
	static const uint8_t FIRST_BITS[] = { 0, 0x7F, 0x1F, 0x0F, 0x07 };
	uint32_t rune = (uint8_t)str[0] & FIRST_BITS[len];

	for (size_t i = 1; i < len; i++)
		rune = rune << 6 | ((uint8_t)str[i] & 0x3F);
	return rune;
}

static bool is_unfit(uint32_t rune)
{
	for (size_t i = 0; i < countof(UNFIT); i++)
		if (rune >= UNFIT[i].first && rune <= UNFIT[i].last)
			return true;
	return false;
}

struct glyph text_next(const char *str, size_t len)
{
	if (len == 0)
		return (struct glyph) {};

	size_t step = utf8_step(str, len);
	if (step == 0)
		return (struct glyph) { .len = 1, .raw = true };

	uint32_t rune = decode(str, step);
	return (struct glyph) { .rune = rune, .len = step, .raw = is_unfit(rune) };
}

int text_rune_width(uint32_t rune)
{
	int width = wcwidth((wchar_t)rune);

	return width < 0 ? 1 : width;
}

size_t text_width(const char *str)
{
	size_t len = strlen(str);
	size_t width = 0;

	for (size_t i = 0; i < len;) {
		struct glyph next = text_next(str + i, len - i);

		width += next.raw ? next.len * 4 : (size_t)text_rune_width(next.rune);
		i += next.len;
	}
	return width;
}

void text_clean(struct buf *out, const char *str, size_t len)
{
	for (size_t i = 0; i < len;) {
		struct glyph next = text_next(str + i, len - i);

		if (!next.raw)
			buf_add(out, str + i, next.len);
		for (size_t j = 0; next.raw && j < next.len; j++)
			buf_addf(out, "\\x%02x", (unsigned int)(uint8_t)str[i + j]);
		i += next.len;
	}
}

void text_json(struct buf *out, const char *str, size_t len)
{
	static const char *const SHORT[] = {
		['\b'] = "\\b", ['\t'] = "\\t", ['\n'] = "\\n",	 ['\f'] = "\\f",
		['\r'] = "\\r", ['"'] = "\\\"", ['\\'] = "\\\\",
	};

	buf_add_str(out, "\"");
	for (size_t i = 0; i < len;) {
		struct glyph next = text_next(str + i, len - i);
		bool is_text = next.rune != 0 || str[i] == '\0';

		if (is_text && next.rune < countof(SHORT) && SHORT[next.rune])
			buf_add_str(out, SHORT[next.rune]);
		else if (!is_text) /* not UTF-8 */
			buf_add_str(out, "\\ufffd");
		else if (next.raw && next.rune > 0xFFFF) /* RFC 8259 section 7: a surrogate pair */
			buf_addf(out, "\\u%04x\\u%04x", 0xD800 + ((next.rune - 0x10000) >> 10),
				 0xDC00 + ((next.rune - 0x10000) & 0x3FF));
		else if (next.raw)
			buf_addf(out, "\\u%04x", next.rune);
		else
			buf_add(out, str + i, next.len);
		i += next.len;
	}
	buf_add_str(out, "\"");
}
