/* SPDX-License-Identifier: Apache-2.0 */
#include "service/column/strings.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/column/hash.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

constexpr uint32_t N = 5000;

/* A column while it is tested. */
struct sample {
	struct buf text;
	struct str value[N];
	uint32_t n;
	struct str out[COLUMN_BLOCK];
	uint8_t match[COLUMN_BLOCK];
	uint8_t *exact; /* [len], so that a sanitizer sees every step over the end */
	size_t len;
	struct strings_room room;
	struct strings strings;
};

static struct sample *sample_free(struct sample *sample)
{
	if (!sample)
		return nullptr;
	buf_done(&sample->text);
	strings_room_done(&sample->room);
	free(sample->exact);
	free(sample);
	return nullptr;
}
CLEANUP_FN(struct sample, sample_free)

static uint64_t random_of(uint64_t i)
{
	return hash_stable_int((int64_t)i);
}

static struct sample *sample_new(void)
{
	struct sample *sample = calloc(1, sizeof(*sample));

	if (sample)
		sample->text = buf_make(1u << 24);
	return sample;
}

/* Make n strings of the texts that print makes of their numbers. */
static struct sample *sample_of(uint32_t n, void (*print)(struct buf *to, uint64_t i))
{
	struct sample *sample = sample_new();
	size_t at = 0;

	for (uint32_t i = 0; sample && i < n; i++) {
		print(&sample->text, i);
		sample->value[i].len = (uint32_t)(sample->text.len - at);
		at = sample->text.len;
	}
	at = 0;
	for (uint32_t i = 0; sample && i < n; i++) {
		sample->value[i].at = (char *)sample->text.data + at;
		at += sample->value[i].len;
	}
	if (sample)
		sample->n = n;
	return sample;
}

static bool same(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static bool has(struct str hay, const char *needle, size_t len)
{
	return hay.len >= len && memmem(hay.at, hay.len, needle, len);
}

/* Whether contains() agrees with memmem() for a needle, in all blocks. */
static bool contains_agrees(struct sample *s, const char *needle, size_t len)
{
	if (s->strings.encoding == STRINGS_DICTIONARY)
		return true;
	for (uint32_t i = 0; i < s->n; i++) {
		if (i % COLUMN_BLOCK == 0)
			CHECK_EQ(strings_contains(&s->strings, i / COLUMN_BLOCK, &s->room, needle,
						  len, s->match),
				 0);
		CHECK_EQ(s->match[i % COLUMN_BLOCK], has(s->value[i], needle, len));
	}
	return true;
}

/* Whether all needles of some lengths, taken from the strings themselves, are found where they are. */
static bool needles_are_found(struct sample *s)
{
	static const size_t LEN[] = { 1, 2, 3, 5, 9, 20, 40 };

	for (size_t k = 0; k < countof(LEN); k++) {
		for (uint64_t i = 0; i < 3; i++) {
			struct str from = s->value[random_of(k * 10 + i) % s->n];

			if (from.len < LEN[k])
				continue;
			size_t at = random_of(i) % (from.len - LEN[k] + 1);
			CHECK(contains_agrees(s, from.at + at, LEN[k]));
		}
	}
	CHECK(contains_agrees(s, "no such thing", 13));
	CHECK(contains_agrees(s, " ", 1));
	CHECK(contains_agrees(s, "e", 1));
	CHECK(contains_agrees(s, "deadlock", 8));
	CHECK(contains_agrees(s, "user opened", 11));
	CHECK(contains_agrees(s, "ser  p", 6));
	return true;
}

static bool entries_are_sorted(struct sample *s)
{
	auto_free struct str *entry = calloc(s->strings.distinct + 1, sizeof(*entry));
	uint16_t code[COLUMN_BLOCK];

	CHECK(entry);
	CHECK_EQ(strings_entries(&s->strings, &s->room, entry), 0);
	for (uint32_t i = 1; i < s->strings.distinct; i++) {
		uint32_t len = entry[i].len < entry[i - 1].len ? entry[i].len : entry[i - 1].len;
		int order = memcmp(entry[i - 1].at, entry[i].at, len);

		CHECK(order < 0 || (order == 0 && entry[i - 1].len < entry[i].len));
	}
	for (uint32_t i = 0; i < s->n; i++) {
		if (i % COLUMN_BLOCK == 0)
			strings_codes(&s->strings, i / COLUMN_BLOCK, code);
		CHECK(same(entry[code[i % COLUMN_BLOCK]], s->value[i]));
	}
	return true;
}

static bool write_and_open(struct sample *s, enum strings_effort effort)
{
	auto_buf struct buf out = buf_make(1u << 24);

	CHECK_EQ(strings_write(&out, s->value, s->n, effort), 0);
	CHECK_EQ(buf_error(&out), 0);
	free(s->exact);
	s->exact = malloc(out.len);
	s->len = out.len;
	CHECK(s->exact);
	memcpy(s->exact, out.data, out.len);
	CHECK(strings_open(s->exact, s->len, s->n, &s->strings));
	return true;
}

/* Write in the best way, open, read in all ways. */
static bool round_trip(struct sample *s, enum strings_effort effort)
{
	struct str one;

	CHECK(s);
	CHECK(write_and_open(s, effort));
	for (uint32_t i = 0; i < s->n; i += 1 + s->n / 300) {
		CHECK_EQ(strings_get(&s->strings, i, &s->room, &one), 0);
		CHECK(same(one, s->value[i]));
	}
	for (uint32_t i = 0; i < s->n; i++) {
		if (i % COLUMN_BLOCK == 0)
			CHECK_EQ(strings_read(&s->strings, i / COLUMN_BLOCK, &s->room, s->out), 0);
		CHECK(same(s->out[i % COLUMN_BLOCK], s->value[i]));
	}
	CHECK(s->n % COLUMN_BLOCK == 0 || s->out[COLUMN_BLOCK - 1].len == 0);
	if (s->strings.encoding == STRINGS_DICTIONARY)
		CHECK(entries_are_sorted(s));
	return s->n == 0 || needles_are_found(s);
}

static void print_few(struct buf *to, uint64_t i)
{
	static const char *const WORD[] = { "page_view", "click", "search", "", "add_to_cart" };

	buf_add_str(to, WORD[random_of(i) % countof(WORD)]);
}

static void print_user(struct buf *to, uint64_t i)
{
	buf_addf(to, "user_%06u", (unsigned)(random_of(i) % 2000));
}

static void print_same(struct buf *to, uint64_t i)
{
	(void)i;
	buf_add_str(to, "always the same");
}

static void print_bytes(struct buf *to, uint64_t i)
{
	uint64_t byte = random_of(i);

	for (uint64_t k = 0; k < byte % 60; k++) {
		uint64_t next = random_of(i * 100 + k);

		buf_add(to, &next, 1);
	}
}

static void print_log(struct buf *to, uint64_t i)
{
	buf_addf(to, "worker %llu took %llu ms over %s", (unsigned long long)i,
		 (unsigned long long)random_of(i) % 100'000, i % 3 ? "aaaaaaab" : "aabaab");
}

static void print_hex(struct buf *to, uint64_t i)
{
	buf_addf(to, "%016llx", (unsigned long long)random_of(i));
}

static void print_session(struct buf *to, uint64_t i)
{
	buf_addf(to, "session-%011llx", (unsigned long long)random_of(i) & 0xfffffffffff);
}

/* A few strings have another form, among them the first and the last. */
static void print_uuid(struct buf *to, uint64_t i)
{
	uint64_t a = random_of(i), b = random_of(i + 1'000'000);

	if (i % 100 == 0 || i == N - 1)
		buf_add_str(to, i % 200 ? "" : "00000000-0000-0000-0000-00000000000X");
	else
		buf_addf(to, "%08x-%04x-%04x-%04x-%012llx", (unsigned)a, (unsigned)(a >> 48),
			 (unsigned)(a >> 32 & 0xffff), (unsigned)(b & 0xffff),
			 (unsigned long long)b >> 16);
}

static void print_time(struct buf *to, uint64_t i)
{
	uint64_t ms = i * 1296 + random_of(i) % 900;

	buf_addf(to, "2026-01-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(1 + ms / 86'400'000),
		 (unsigned)(ms / 3'600'000 % 24), (unsigned)(ms / 60'000 % 60),
		 (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
}

/* Days and times of all years, some of them not what they seem. */
static void print_odd_time(struct buf *to, uint64_t i)
{
	uint64_t r = random_of(i);

	if (r % 50 == 0)
		buf_add_str(to, i % 2 ? "1999-02-29 00:00:00+01:00" : "1998-12-31 23:59:60+01:00");
	else
		buf_addf(to, "%04u-%02u-%02u %02u:%02u:%02u+01:00", (unsigned)(r % 10'000),
			 (unsigned)(1 + r / 7 % 12), (unsigned)(1 + r / 77 % 28),
			 (unsigned)(r / 777 % 24), (unsigned)(r / 7777 % 60),
			 (unsigned)(r / 77777 % 60));
}

static void print_date(struct buf *to, uint64_t i)
{
	uint64_t r = random_of(i);

	buf_addf(to, "%04u-%02u-%02u", (unsigned)(1900 + r % 150), (unsigned)(1 + r / 150 % 12),
		 (unsigned)(1 + r / 1800 % 28));
}

static void print_url(struct buf *to, uint64_t i)
{
	uint64_t r = random_of(i);

	buf_addf(to, "/shop/cat%02u/item%05u?ref=%s%s", (unsigned)(r % 30),
		 (unsigned)(r / 30 % 100'000), r % 3 ? "mobile" : "desktop",
		 r % 500 == 0 ? "\xff\xfe\x01" : "");
}

static void print_email(struct buf *to, uint64_t i)
{
	unsigned user = (unsigned)(random_of(i) % 1500);

	buf_addf(to, "u%u@mail%u.example", user, user % 50);
}

static void print_words(struct buf *to, uint64_t i)
{
	static const char *const WORD[] = { "request", "completed", "user", "opened", "the",
					    "product", "page",	    "with", "",	      "filter" };
	uint64_t r = random_of(i), words = 6 + r % 8;

	for (uint64_t k = 0; k < words; k++) {
		buf_add_str(to, k ? " " : "");
		buf_add_str(to, r % 300 == 0 && k == 2
					? "deadlock"
					: WORD[random_of(i * 100 + k) % countof(WORD)]);
	}
}

static bool strings_of_all_kinds_come_back(void)
{
	static void (*const PRINT[])(struct buf *, uint64_t) = {
		print_few,  print_user,	   print_same, print_bytes, print_log,
		print_hex,  print_session, print_uuid, print_time,  print_odd_time,
		print_date, print_words,   print_url,  print_email
	};
	static const uint32_t COUNT[] = { 0, 1, 2, 100, 1024, 1025, N };

	for (size_t p = 0; p < countof(PRINT); p++) {
		for (size_t c = 0; c < countof(COUNT); c++) {
			cleanup(sample_free_at) struct sample *s = sample_of(COUNT[c], PRINT[p]);

			CHECK(round_trip(s, STRINGS_FAST));
			CHECK_EQ(s->strings.encoding, STRINGS_PLAIN);
			CHECK(round_trip(s, STRINGS_BEST));
		}
	}
	return true;
}

/* Whether a column gets an encoding and at most so many bytes. */
static bool becomes(void (*print)(struct buf *, uint64_t), enum strings_encoding want, size_t most)
{
	cleanup(sample_free_at) struct sample *s = sample_of(N, print);

	CHECK(round_trip(s, STRINGS_BEST));
	CHECK_EQ(s->strings.encoding, want);
	if (s->len > most)
		printf("# %zu bytes\n", s->len);
	CHECK(s->len <= most);
	return true;
}

static bool few_different_strings_become_a_dictionary(void)
{
	CHECK(becomes(print_few, STRINGS_DICTIONARY, N * 3 / 8 + 150));
	CHECK(becomes(print_user, STRINGS_DICTIONARY, N * 12 / 8 + 6000));
	CHECK(becomes(print_same, STRINGS_DICTIONARY, 80));
	return true;
}

static bool strings_that_look_alike_take_what_differs(void)
{
	CHECK(becomes(print_hex, STRINGS_HEX, N * 8 + 50));
	CHECK(becomes(print_session, STRINGS_HEX, N * 6 + 50));
	CHECK(becomes(print_uuid, STRINGS_HEX, N * 17));
	CHECK(becomes(print_time, STRINGS_TIME, N * 3 / 2));
	CHECK(becomes(print_date, STRINGS_TIME, N * 5 / 2));
	CHECK(becomes(print_url, STRINGS_SYMBOLS, N * 11));
	CHECK(becomes(print_email, STRINGS_DICTIONARY, N * 5));
	CHECK(becomes(print_words, STRINGS_WORDS, N * 11 / 2));
	return true;
}

static bool bytes_are(struct sample *s, enum strings_effort effort, const uint8_t *want, size_t len)
{
	CHECK(write_and_open(s, effort));
	CHECK_EQ(s->len, len);
	CHECK(memcmp(s->exact, want, len) == 0);
	return true;
}

/* The format once more, by hand: FORMAT.md section 5 shows these bytes. */
static bool the_bytes_are_those_of_the_format(void)
{
	cleanup(sample_free_at) struct sample *s = sample_new();
	static const struct str ANIMAL[] = { { "cat", 3 }, { "car", 3 }, { "cat", 3 },
					     { "cat", 3 }, { "dog", 3 }, { "cat", 3 } };
	static const struct str ID[] = { { "s0123456789", 11 },
					 { "s00ff00ff00", 11 },
					 { "sfedcba9876", 11 },
					 { "s0000000001", 11 } };
	static const uint8_t DICTIONARY[] = {
		0x01, 0x03, 0x00, 0x00, 0x00, 0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xb0,
		0x33, 0x32, 0x09, 0x22, 0xf5, 0x67, 0x4f, 0x05, 0x00, 0x00, 0x00, 0x01, 0x01, 0x02,
		0x01, 0x08, 0x00, 0x11, 0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x11, 0x01, 0x01,
		0x02, 0x01, 0x22, 'c',	'a',  'r',  't',  'd',	'o',  'g',  0x01, 0x01, 0x02, 0x01,
		0x51, 0x16, 0x65, 0x51, 0x16, 0x65, 0x51, 0x16, 0x65, 0x51, 0x16, 0x65
	};
	static const uint8_t HEX[] = { 0x02, 0x0b, 's',	 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
				       0x00, 0x00, 0x00, 0x00, 0xfe, 0x07, 0x00, 0x00, 0x00,
				       0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x23,
				       0x45, 0x67, 0x89, 0x00, 0xff, 0x00, 0xff, 0x00, 0xfe,
				       0xdc, 0xba, 0x98, 0x76, 0x00, 0x00, 0x00, 0x00, 0x01 };

	CHECK(s);
	for (uint32_t i = 0; i < 48; i++)
		s->value[i] = ANIMAL[i % countof(ANIMAL)];
	s->n = 48;
	CHECK(bytes_are(s, STRINGS_BEST, DICTIONARY, sizeof(DICTIONARY)));
	memcpy(s->value, ID, sizeof(ID));
	s->n = countof(ID);
	CHECK(bytes_are(s, STRINGS_BEST, HEX, sizeof(HEX)));
	return true;
}

static bool a_needle_does_not_match_across_strings(void)
{
	cleanup(sample_free_at) struct sample *s = sample_new();
	static const char TEXT[] = "ababcabc";
	struct str value[] = { { TEXT, 3 }, { TEXT + 3, 2 }, { TEXT + 5, 3 }, { "", 0 } };

	CHECK(s);
	memcpy(s->value, value, sizeof(value));
	s->n = countof(value);
	CHECK(write_and_open(s, STRINGS_FAST));
	CHECK_EQ(strings_contains(&s->strings, 0, &s->room, "abc", 3, s->match), 0);
	CHECK(!s->match[0] && !s->match[1] && s->match[2] && !s->match[3] && !s->match[4]);
	CHECK_EQ(strings_contains(&s->strings, 0, &s->room, "b", 1, s->match), 0);
	CHECK(s->match[0] && s->match[1] && s->match[2] && !s->match[3]);
	return true;
}

/* Every hay length and needle place around the width of a vector. */
static bool find_finds_at_every_place(void)
{
	char hay[200];

	for (size_t len = 1; len < sizeof(hay); len += 1 + len / 40) {
		for (size_t n = 1; n <= len && n < 40; n += 1 + n / 8) {
			memset(hay, 'x', sizeof(hay));
			CHECK(!strings_find(hay, len, "nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
					    n));
			for (size_t at = 0; at + n <= len; at++) {
				hay[at] = 'n';
				CHECK(strings_find(hay, len,
						   "nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", n));
				CHECK(!strings_find(hay, at + n - 1,
						    "nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", n));
				hay[at] = 'x';
			}
		}
	}
	return true;
}

/* Read everything that can be read; what it is does not matter. */
static void read_all(struct sample *s)
{
	struct str one;

	for (uint32_t b = 0; b < column_blocks(s->n); b++) {
		(void)!strings_read(&s->strings, b, &s->room, s->out);
		if (s->strings.encoding != STRINGS_DICTIONARY)
			(void)!strings_contains(&s->strings, b, &s->room, "ab", 2, s->match);
	}
	for (uint32_t i = 0; i < s->n; i += 17)
		(void)!strings_get(&s->strings, i, &s->room, &one);
}

static bool damage_is_harmless(struct sample *s)
{
	CHECK(s);
	CHECK(write_and_open(s, STRINGS_BEST));
	for (size_t len = 0; len < s->len; len += 1 + s->len / 60) {
		auto_free uint8_t *less = malloc(len + 1);

		CHECK(less);
		memcpy(less, s->exact, len);
		if (strings_open(less, len, s->n, &s->strings))
			read_all(s);
		strings_room_done(&s->room);
	}
	for (size_t bit = 0; bit < s->len * 8; bit += 1 + s->len / 60) {
		s->exact[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (strings_open(s->exact, s->len, s->n, &s->strings))
			read_all(s);
		strings_room_done(&s->room);
		s->exact[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	return true;
}

static bool truncated_and_flipped_bytes_do_no_harm(void)
{
	static void (*const PRINT[])(struct buf *,
				     uint64_t) = { print_few,	print_user, print_bytes,
						   print_log,	print_uuid, print_odd_time,
						   print_words, print_url,  print_email };

	for (size_t p = 0; p < countof(PRINT); p++) {
		cleanup(sample_free_at) struct sample *s = sample_of(1100, PRINT[p]);

		CHECK(damage_is_harmless(s));
	}
	return true;
}

static bool fails_cleanly(struct sample *s)
{
	CHECK(s);
	for (size_t n = 1;; n++) {
		auto_buf struct buf out = buf_make(1u << 24);

		fault_at(n);
		int r = strings_write(&out, s->value, s->n, STRINGS_BEST);
		if (!fault_end())
			break;
		CHECK(r == -ENOMEM || buf_error(&out) == -ENOMEM);
	}
	CHECK(write_and_open(s, STRINGS_BEST));
	for (size_t n = 1;; n++) {
		strings_room_done(&s->room);
		fault_at(n);
		int r = strings_read(&s->strings, 0, &s->room, s->out);
		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
	}
}

static bool every_failed_allocation_is_an_error(void)
{
	static void (*const PRINT[])(
		struct buf *, uint64_t) = { print_few,	print_user,  print_log, print_uuid,
					    print_time, print_words, print_url, print_email };

	for (size_t p = 0; p < countof(PRINT); p++) {
		cleanup(sample_free_at) struct sample *s = sample_of(1100, PRINT[p]);

		CHECK(fails_cleanly(s));
	}
	return true;
}

int main(void)
{
	RUN(strings_of_all_kinds_come_back);
	RUN(few_different_strings_become_a_dictionary);
	RUN(strings_that_look_alike_take_what_differs);
	RUN(the_bytes_are_those_of_the_format);
	RUN(a_needle_does_not_match_across_strings);
	RUN(find_finds_at_every_place);
	RUN(truncated_and_flipped_bytes_do_no_harm);
	RUN(every_failed_allocation_is_an_error);
	return tap_done();
}
