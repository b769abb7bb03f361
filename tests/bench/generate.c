/* SPDX-License-Identifier: Apache-2.0 */

/*
 * generate: write documents for the benchmark, the same ones every time.
 *
 *   generate COUNT [SEED]    events, a JSON document a line
 *   generate dim             countries and their regions, as CSV
 *
 * Events are what an online shop would log: 15 fields, two nested objects, an array, one field in 30 % of the documents only, names and
 * types skewed, and in one of 2,000 messages the word "deadlock".
 */

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "common/base.h"

constexpr int64_t START_MS = 1'767'225'600'000; /* 2026-01-01T00:00:00Z */
constexpr double SPAN_MS = 30.0 * 86'400'000.0;
constexpr uint64_t COUNT_MAX = 1'000'000'000;
constexpr uint32_t USERS = 200'000;

static const char *const TYPES[] = { "page_view", "click",    "search", "add_to_cart",
				     "checkout",  "purchase", "login",	"logout",
				     "api_call",  "error",    "share",	"signup" };
static const struct country {
	const char *code, *region;
} COUNTRIES[] = {
	{ "US", "NA" }, { "DE", "EU" }, { "FR", "EU" }, { "GB", "EU" }, { "IN", "AS" },
	{ "BR", "SA" }, { "JP", "AS" }, { "CN", "AS" }, { "ES", "EU" }, { "IT", "EU" },
	{ "NL", "EU" }, { "SE", "EU" }, { "NO", "EU" }, { "DK", "EU" }, { "FI", "EU" },
	{ "PL", "EU" }, { "CZ", "EU" }, { "AT", "EU" }, { "CH", "EU" }, { "BE", "EU" },
	{ "PT", "EU" }, { "GR", "EU" }, { "IE", "EU" }, { "CA", "NA" }, { "MX", "NA" },
	{ "AR", "SA" }, { "CL", "SA" }, { "CO", "SA" }, { "AU", "OC" }, { "NZ", "OC" },
	{ "ZA", "AF" }, { "NG", "AF" }, { "EG", "AF" }, { "KE", "AF" }, { "TR", "ME" },
	{ "SA", "ME" }, { "AE", "ME" }, { "KR", "AS" }, { "SG", "AS" }, { "ID", "AS" },
};
static const char *const PLANS[] = { "free", "basic", "pro", "team", "enterprise" };
static const char *const TAGS[] = { "mobile",  "desktop",  "beta",    "promo",	  "email",
				    "seo",     "ads",	   "vip",     "trial",	  "ios",
				    "android", "web",	   "partner", "retarget", "organic",
				    "social",  "video",	   "push",    "sms",	  "affiliate",
				    "bot",     "internal", "canary",  "legacy" };
static const char *const WORDS[] = {
	"request",    "completed", "user",    "opened",	   "the",      "product", "page",
	"with",	      "filter",	   "applied", "and",	   "sorted",   "by",	  "price",
	"cache",      "hit",	   "for",     "item",	   "in",       "cart",	  "session",
	"resumed",    "after",	   "idle",    "payment",   "accepted", "order",	  "shipped",
	"to",	      "customer",  "retry",   "scheduled", "queue",    "worker",  "started",
	"job",	      "finished",  "index",   "updated",   "document", "stored",  "shard",
	"rebalanced", "node",	   "healthy", "metric",	   "exported", "token",	  "refreshed",
	"login",      "succeeded", "from",    "new",	   "device",   "avatar",  "changed",
	"profile",    "saved",	   "report",  "generated", "export",   "ready",	  "download",
	"link",
};
static const uint32_t STATUSES[] = { 200, 200, 200, 200, 200, 200, 304, 404, 500, 503 };

/* --- numbers that look random ------------------------------------------------------------------- */

struct dice {
	uint64_t state[2];
};

/* Source: splitmix64's finaliser, Steele and others 2014. */
static uint64_t mix(uint64_t z)
{
	z += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* Source: xorshift128+, Vigna 2017. */
static uint64_t roll(struct dice *dice)
{
	uint64_t a = dice->state[0], b = dice->state[1];

	dice->state[0] = b;
	a ^= a << 23;
	dice->state[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
	return dice->state[1] + b;
}

/* From 0 up to but not 1. */
static double fraction(struct dice *dice)
{
	return (double)(roll(dice) >> 11) * (1.0 / 9007199254740992.0);
}

static uint32_t below(struct dice *dice, uint32_t n)
{
	return (uint32_t)(((roll(dice) >> 32) * (uint64_t)n) >> 32);
}

/* Below n, small numbers more often, the more so the greater the power. */
static uint32_t skewed(struct dice *dice, uint32_t n, double power)
{
	uint32_t value = (uint32_t)(n * pow(fraction(dice), power));

	return value >= n ? n - 1 : value;
}

/* --- one event ---------------------------------------------------------------------------------- */

/* What is drawn for an event's first part; draw_event() alone decides in which order. */
struct event {
	struct tm time;
	int ms;
	uint32_t user, status, country, bytes, item, category, type;
	double latency_ms;
	const char *referrer;
	uint64_t session;
};

static struct event draw_event(struct dice *dice, uint64_t at, uint64_t count)
{
	int64_t ms =
		START_MS + (int64_t)((double)at * (SPAN_MS / (double)count)) + below(dice, 900);
	time_t seconds = ms / 1000;
	struct event event = { .ms = (int)(ms % 1000) };

	(void)gmtime_r(&seconds, &event.time);
	event.user = skewed(dice, USERS, 2.2);
	event.status = STATUSES[below(dice, countof(STATUSES))];
	event.country = skewed(dice, countof(COUNTRIES), 2.0);
	event.bytes = below(dice, 200'000);
	double sum = fraction(dice);
	sum += fraction(dice);
	sum += fraction(dice);
	event.latency_ms = exp(3.0 + 1.1 * (sum - 1.5) * 2); /* log-normal, nearly */
	event.referrer = TAGS[below(dice, countof(TAGS))];
	event.item = skewed(dice, 20'000, 1.5);
	event.category = below(dice, 30);
	event.session = mix(below(dice, (uint32_t)(count / 4 + 1)) + 77'777'777) & 0xffffffffff;
	event.type = skewed(dice, countof(TYPES), 1.8);
	return event;
}

static void print_head(const struct event *event, uint64_t at)
{
	const struct tm *t = &event->time;

	printf("{\"_id\":\"%016" PRIx64
	       "\",\"ts\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\",\"type\":\"%s\",\"country\":\"%s\",",
	       mix(at), t->tm_year + 1900, t->tm_mon + 1, t->tm_mday, t->tm_hour, t->tm_min,
	       t->tm_sec, event->ms, TYPES[event->type], COUNTRIES[event->country].code);
	printf("\"user\":{\"id\":%u,\"name\":\"user_%06u\",\"plan\":\"%s\",\"email\":\"u%u@mail%u.example\"},",
	       event->user, event->user, PLANS[(event->user * 2654435761u >> 16) % countof(PLANS)],
	       event->user, event->user % 50);
	printf("\"session\":\"s%010" PRIx64
	       "\",\"url\":\"/shop/cat%02u/item%05u?ref=%s\",\"status\":%u,\"latency_ms\":%.3f,\"bytes\":%u,",
	       event->session, event->category, event->item, event->referrer, event->status,
	       event->latency_ms, event->bytes);
}

static void print_tags(struct dice *dice)
{
	uint32_t tags = below(dice, 5);

	printf("\"tags\":[");
	for (uint32_t i = 0; i < tags; i++)
		printf("%s\"%s\"", i ? "," : "", TAGS[below(dice, countof(TAGS))]);
	printf("],");
}

static void print_message(struct dice *dice)
{
	uint32_t words = 6 + below(dice, 8), rare = UINT32_MAX;

	if (below(dice, 2000) == 0)
		rare = below(dice, words);
	printf("\"message\":\"");
	for (uint32_t i = 0; i < words; i++)
		printf("%s%s", i ? " " : "",
		       i == rare ? "deadlock" : WORDS[below(dice, countof(WORDS))]);
	printf("\"}\n");
}

static void print_event(struct dice *dice, uint64_t at, uint64_t count)
{
	struct event event = draw_event(dice, at, count);

	print_head(&event, at);
	if (below(dice, 10) < 3)
		printf("\"price\":%.2f,", below(dice, 50'000) / 100.0);
	double lon = fraction(dice) * 360 - 180;
	double lat = fraction(dice) * 180 - 90;
	printf("\"ok\":%s,\"geo\":{\"lat\":%.5f,\"lon\":%.5f},",
	       event.status < 400 ? "true" : "false", lat, lon);
	print_tags(dice);
	print_message(dice);
}

/* --- the program -------------------------------------------------------------------------------- */

static bool parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	char *end = nullptr;

	errno = 0;
	uint64_t value = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || value > max)
		return false;
	*ret = value;
	return true;
}

static int usage(void)
{
	(void)fputs("usage: generate COUNT [SEED] | generate dim\n", stderr);
	return EX_USAGE;
}

int main(int argc, char **argv)
{
	uint64_t count = 0, seed = 42;

	if (argc == 2 && strcmp(argv[1], "dim") == 0) {
		puts("code,region");
		for (size_t i = 0; i < countof(COUNTRIES); i++)
			printf("%s,%s\n", COUNTRIES[i].code, COUNTRIES[i].region);
		return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
	}
	if (argc < 2 || argc > 3 || !parse_number(argv[1], COUNT_MAX, &count) ||
	    (argc == 3 && !parse_number(argv[2], UINT64_MAX, &seed)))
		return usage();

	struct dice dice = { .state = { mix(seed), mix(mix(seed)) } };
	for (uint64_t i = 0; i < count; i++)
		print_event(&dice, i, count);
	return fflush(stdout) == 0 && !ferror(stdout) ? EX_OK : EX_IOERR;
}
