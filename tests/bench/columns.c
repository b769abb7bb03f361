/* SPDX-License-Identifier: Apache-2.0 */

/*
 * columns: what service/column costs, in bytes and nanoseconds a value, for columns as they occur.
 */

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"
#include "service/column/floats.h"
#include "service/column/hash.h"
#include "service/column/ints.h"
#include "service/column/strings.h"

constexpr uint32_t N = 65'536;
constexpr int ROUNDS = 10;

static uint64_t now_ns(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
	return (uint64_t)at.tv_sec * 1'000'000'000 + (uint64_t)at.tv_nsec;
}

/* The best of some rounds, in nanoseconds a value. */
#define BEST(work)                                                             \
	__extension__({                                                        \
		double best_ = 1e9;                                            \
		for (int round_ = 0; round_ < ROUNDS; round_++) {              \
			uint64_t from_ = now_ns();                             \
			work;                                                  \
			double took_ = (double)(now_ns() - from_) / (double)N; \
			best_ = took_ < best_ ? took_ : best_;                 \
		}                                                              \
		best_;                                                         \
	})

static uint64_t random_of(uint64_t i)
{
	return hash_stable_int((int64_t)i);
}

static void read_all(const struct ints *ints, int64_t *out)
{
	for (uint32_t b = 0; b < column_blocks(ints->n); b++)
		ints_read(ints, b, out);
}

static void read_all16(const struct ints *ints, int64_t *out)
{
	for (uint32_t b = 0; b < column_blocks(ints->n); b++)
		ints_read16(ints, b, (uint16_t *)out);
}

static void show_ints(const char *name, const int64_t *value)
{
	auto_buf struct buf out = buf_make(1u << 30);
	struct ints ints;
	auto_free int64_t *room = malloc(COLUMN_BLOCK * sizeof(*room));
	double write = BEST((buf_clear(&out), ints_write(&out, value, N)));

	if (!room || buf_error(&out) || !ints_open(out.data, out.len, N, &ints))
		exit(1);
	double read = BEST(read_all(&ints, room));
	double narrow = ints.min >= 0 && ints.max <= UINT16_MAX ? BEST(read_all16(&ints, room)) : 0;
	printf("%-24s %7.3f bytes  write %6.3f ns  read %6.3f ns  read16 %6.3f ns\n", name,
	       (double)out.len / (double)N, write, read, narrow);
}

static void show_all_ints(void)
{
	auto_free int64_t *value = calloc(N, sizeof(*value));

	if (!value)
		exit(1);
	for (uint32_t width = 1; width <= 64; width += width < 20 ? 3 : 11) {
		char name[40];

		for (uint32_t i = 0; i < N; i++)
			value[i] = (int64_t)(random_of(i) >> (64 - width));
		(void)snprintf(name, sizeof(name), "%u random bits", width);
		show_ints(name, value);
	}
	for (uint32_t i = 0; i < N; i++)
		value[i] = 1'767'225'600'000'000 + 1'296'000 * (int64_t)i +
			   1000 * (int64_t)(random_of(i) % 900);
	show_ints("growing times", value);
	for (uint32_t i = 0; i < N; i++)
		value[i] = 17 * (int64_t)i;
	show_ints("steps of 17", value);
	for (uint32_t i = 0; i < N; i++)
		value[i] = (int64_t)(random_of(i / 50) % 1000);
	show_ints("runs of 50", value);
}

static void floats_all(const struct floats *floats, double *out)
{
	for (uint32_t b = 0; b < column_blocks(floats->n); b++)
		floats_read(floats, b, out);
}

static void show_floats(const char *name, const double *value)
{
	auto_buf struct buf out = buf_make(1u << 30);
	struct floats floats;
	auto_free double *room = malloc(COLUMN_BLOCK * sizeof(*room));
	double write = BEST((buf_clear(&out), floats_write(&out, value, N)));

	if (!room || buf_error(&out) || !floats_open(out.data, out.len, N, &floats))
		exit(1);
	double read = BEST(floats_all(&floats, room));
	printf("%-24s %7.3f bytes  write %6.3f ns  read %6.3f ns\n", name,
	       (double)out.len / (double)N, write, read);
}

static void show_all_floats(void)
{
	auto_free double *value = calloc(N, sizeof(*value));
	static const double POWER[] = { 1, 1e2, 1e3, 1e5 };

	if (!value)
		exit(1);
	for (size_t p = 0; p < countof(POWER); p++) {
		char name[40];

		for (uint32_t i = 0; i < N; i++)
			value[i] = floor((double)random_of(i) / 0x1p64 * 180 * POWER[p]) / POWER[p];
		(void)snprintf(name, sizeof(name), "0 to 180 by 1/%.0f", POWER[p]);
		show_floats(name, value);
	}
	for (uint32_t i = 0; i < N; i++)
		value[i] = (double)random_of(i) / 0x1p64;
	show_floats("any doubles", value);
}

/* Strings that print makes of their numbers. */
struct column {
	struct buf text;
	struct str *value;
};

static void column_make(struct column *column, void (*print)(struct buf *to, uint64_t i))
{
	size_t from = 0;

	column->text = buf_make(1u << 30);
	column->value = calloc(N, sizeof(*column->value));
	if (!column->value)
		exit(1);
	for (uint32_t i = 0; i < N; i++) {
		print(&column->text, i);
		column->value[i].len = (uint32_t)(column->text.len - from);
		from = column->text.len;
	}
	from = 0;
	for (uint32_t i = 0; i < N; i++) {
		column->value[i].at = (char *)column->text.data + from;
		from += column->value[i].len;
	}
}

static void column_done(struct column *column)
{
	buf_done(&column->text);
	free(column->value);
}

static void strings_all(const struct strings *strings, struct strings_room *room, struct str *out)
{
	for (uint32_t b = 0; b < column_blocks(strings->n); b++)
		if (strings_read(strings, b, room, out) < 0)
			exit(1);
}

static void entries_anew(const struct strings *strings, struct strings_room *room, struct str *out)
{
	room->key = ~strings->key;
	if (strings_entries(strings, room, out) < 0)
		exit(1);
}

static uint32_t contains_all(const struct strings *strings, struct strings_room *room,
			     const char *needle)
{
	uint8_t match[COLUMN_BLOCK];
	uint32_t found = 0;

	for (uint32_t b = 0; b < column_blocks(strings->n); b++) {
		if (strings_contains(strings, b, room, needle, strlen(needle), match) < 0)
			exit(1);
		for (uint32_t i = 0; i < COLUMN_BLOCK; i++)
			found += match[i];
	}
	return found;
}

static void show_strings(const char *name, void (*print)(struct buf *to, uint64_t i),
			 enum strings_effort effort, const char *needle)
{
	static const char *const ENCODING[] = { "plain", "dictionary", "hex",
						"words", "time",       "symbols" };
	cleanup(column_done) struct column column;
	auto_buf struct buf out = buf_make(1u << 30);
	cleanup(strings_room_done) struct strings_room room = {};
	auto_free struct str *str = malloc(N * sizeof(*str));
	struct strings strings;
	uint32_t found = 0;
	int r = 0;

	column_make(&column, print);
	double write = BEST((buf_clear(&out), r |= strings_write(&out, column.value, N, effort)));
	if (r < 0 || buf_error(&out) || !str || !strings_open(out.data, out.len, N, &strings))
		exit(1);
	double read = BEST(strings_all(&strings, &room, str));
	printf("%-14s %-10s %6.2f of %6.2f bytes  write %6.1f ns  read %5.2f ns", name,
	       ENCODING[strings.encoding], (double)out.len / N, (double)column.text.len / N, write,
	       read);
	if (strings.distinct > 0) {
		double entries = BEST(entries_anew(&strings, &room, str));

		printf("  %u entries, %.2f ns each", strings.distinct,
		       entries * N / strings.distinct);
	} else if (needle) {
		double contains = BEST(found = contains_all(&strings, &room, needle));

		printf("  %s: %u, %.3f ns, %.2f GB/s", needle, found, contains,
		       (double)column.text.len / N / contains);
	}
	printf("\n");
}

static void print_id(struct buf *to, uint64_t i)
{
	buf_addf(to, "%016llx", (unsigned long long)random_of(i));
}

static void print_time(struct buf *to, uint64_t i)
{
	uint64_t ms = i * 1296 + random_of(i) % 900;

	buf_addf(to, "2026-01-%02uT%02u:%02u:%02u.%03uZ", (unsigned)(1 + ms / 86'400'000),
		 (unsigned)(ms / 3'600'000 % 24), (unsigned)(ms / 60'000 % 60),
		 (unsigned)(ms / 1000 % 60), (unsigned)(ms % 1000));
}

static const char *const TAG[24] = { "mobile",	"desktop",  "beta",    "promo",	   "email",
				     "seo",	"ads",	    "vip",     "trial",	   "ios",
				     "android", "web",	    "partner", "retarget", "organic",
				     "social",	"video",    "push",    "sms",	   "affiliate",
				     "bot",	"internal", "canary",  "legacy" };

/* Users of whom a few do much. */
static unsigned user_of(uint64_t i)
{
	return (unsigned)(200'000 * pow((double)random_of(i) / 0x1p64, 2.2));
}

static void print_type(struct buf *to, uint64_t i)
{
	buf_add_str(to, TAG[random_of(i) % 12]);
}

static void print_name(struct buf *to, uint64_t i)
{
	buf_addf(to, "user_%06u", user_of(i));
}

static void print_email(struct buf *to, uint64_t i)
{
	buf_addf(to, "u%u@mail%u.example", user_of(i), user_of(i) % 50);
}

static void print_session(struct buf *to, uint64_t i)
{
	buf_addf(to, "s%010llx",
		 (unsigned long long)random_of(random_of(i) % 500'000) & 0xffffffffff);
}

static void print_url(struct buf *to, uint64_t i)
{
	uint64_t r = random_of(i);

	buf_addf(to, "/shop/cat%02u/item%05u?ref=%s", (unsigned)(r % 30),
		 (unsigned)(20'000 * pow((double)random_of(r) / 0x1p64, 1.5)), TAG[r / 30 % 24]);
}

static void print_message(struct buf *to, uint64_t i)
{
	uint64_t r = random_of(i), words = 6 + r % 8;

	for (uint64_t k = 0; k < words; k++) {
		uint64_t word = random_of(i * 100 + k) % 64;

		buf_add_str(to, k ? " " : "");
		buf_addf(to, r % 2000 == 0 && k == 2 ? "deadlock" : "%s%.*s", TAG[word % 24],
			 (int)(word / 24), "ed");
	}
}

static void print_path(struct buf *to, uint64_t i)
{
	uint64_t r = random_of(i);

	buf_addf(to, "GET /api/v%u/%s/%llu HTTP/1.1 took %u ms from 10.%u.%u.%u", (unsigned)(r % 3),
		 TAG[r / 3 % 24], (unsigned long long)(r >> 40), (unsigned)(r % 977),
		 (unsigned)(r >> 8 & 255), (unsigned)(r >> 16 & 255), (unsigned)(r >> 24 & 255));
}

static void show_all_strings(void)
{
	static const struct {
		const char *name;
		void (*print)(struct buf *to, uint64_t i);
		const char *needle;
	} COLUMN[] = {
		{ "_id", print_id, "abc" },	      { "time", print_time, "T13:0" },
		{ "type", print_type, nullptr },      { "name", print_name, "user_1" },
		{ "email", print_email, "mail7" },    { "session", print_session, "abc" },
		{ "url", print_url, "item0123" },     { "message", print_message, "deadlock" },
		{ "message", print_message, "ed" },   { "message", print_message, "web ios" },
		{ "log line", print_path, "10.1.1" },
	};

	for (size_t i = 0; i < countof(COLUMN); i++)
		show_strings(COLUMN[i].name, COLUMN[i].print, STRINGS_BEST, COLUMN[i].needle);
	show_strings("message", print_message, STRINGS_FAST, "deadlock");
	show_strings("_id", print_id, STRINGS_FAST, "zz");
}

/* What a batch of 100 documents writes of each column. */
static void show_small_runs(void)
{
	constexpr uint32_t FEW = 100;
	auto_buf struct buf out = buf_make(1u << 30);
	int64_t number[FEW];
	double decimal[FEW];
	struct str text[FEW];
	int r = 0;

	for (uint32_t i = 0; i < FEW; i++) {
		number[i] = (int64_t)(random_of(i) % 1000);
		decimal[i] = (double)number[i] / 100;
		text[i] = (struct str) { "a short text", (uint32_t)(random_of(i) % 13) };
	}
	double ints = BEST((buf_clear(&out), ints_write(&out, number, FEW))) * N;
	size_t ints_len = out.len;
	double floats = BEST((buf_clear(&out), floats_write(&out, decimal, FEW))) * N;
	size_t floats_len = out.len;
	double strings =
		BEST((buf_clear(&out), r |= strings_write(&out, text, FEW, STRINGS_FAST))) * N;
	if (r < 0)
		exit(1);
	printf("runs of 100: ints %.0f ns, %zu bytes  floats %.0f ns, %zu bytes  strings %.0f ns, %zu bytes\n",
	       ints, ints_len, floats, floats_len, strings, out.len);
}

int main(void)
{
	show_all_ints();
	show_all_floats();
	show_all_strings();
	show_small_runs();
	return 0;
}
