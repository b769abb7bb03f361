/* SPDX-License-Identifier: Apache-2.0 */

/*
 * redoubt: measure Redoubt through its HTTPS API, on one connection.
 *
 *   redoubt load | query | stream
 *
 * The environment says where: BENCH_URL (…/v1/orgs/self), BENCH_CA, BENCH_EVENTS, BENCH_DIM, BENCH_QUERIES, BENCH_ANSWERS,
 * and BENCH_ENGINE, BENCH_FRONT, BENCH_AUDIT, the processes whose time counts: cpu_ms is the engine's, the others are listed apart.
 */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "common/base.h"
#include "common/buf.h"
#include "tests/bench/measure.h"

constexpr size_t BODY_MAX = 10u << 20; /* the API's limit of a request */
constexpr size_t BATCH_MAX = 20'000;   /* documents; likewise */
constexpr size_t ANSWER_MAX = 128u << 20;
constexpr size_t STREAM_COMMITS = 200;
constexpr double QUIET_MS = 5;		   /* an engine that uses less than this ... */
constexpr unsigned int QUIET_US = 500'000; /* ... in that time does nothing */
constexpr size_t QUIET_TIMES = 8; /* in a row: it seals what is left 3 s after the last batch */
constexpr size_t QUIET_TRIES = 1200;

struct client {
	CURL *curl;
	struct curl_slist *headers;
	const char *url;
	struct buf body, answer;
	struct measure_clock clocks[4];
	char engine_proc[32];
};

/* What is asked again and again. */
struct request {
	struct client *client;
	const char *path;
};

/* --- one request -------------------------------------------------------------------------------- */

static size_t on_answer(char *data, size_t size, size_t count, void *ctx)
{
	buf_add(ctx, data, size * count);
	return size * count;
}

/* Send client->body to path; the answer is in client->answer. Returns 0 or a fault, which it has told. */
static int post(struct client *client, const char *path)
{
	char url[512];
	long status = 0;

	(void)snprintf(url, sizeof(url), "%s%s", client->url, path);
	buf_clear(&client->answer);
	if (buf_error(&client->body) != 0)
		return buf_error(&client->body);
	(void)curl_easy_setopt(client->curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, client->body.data);
	(void)curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE,
			       (curl_off_t)client->body.len);
	CURLcode code = curl_easy_perform(client->curl);
	if (code != CURLE_OK) {
		(void)fprintf(stderr, "%s: %s\n", path, curl_easy_strerror(code));
		return -EIO;
	}
	const char *text = buf_text(&client->answer);
	(void)curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200 && text)
		return 0;
	(void)fprintf(stderr, "%s: HTTP %ld %.300s\n", path, status, text ? text : "");
	return -EPROTO;
}

static int post_again(void *ctx)
{
	struct request *request = ctx;

	return post(request->client, request->path);
}

static int make_collection(struct client *client, const char *name)
{
	buf_clear(&client->body);
	buf_addf(&client->body, "{\"name\":\"%s\"}", name);
	return post(client, "/ws/commons/collections");
}

static void put_query(struct client *client, const char *text)
{
	buf_clear(&client->body);
	buf_add_str(&client->body, "{\"sql\":{\"query\":");
	buf_add_json(&client->body, text, strlen(text));
	buf_add_str(&client->body, "}}");
}

/* How many documents a collection has, or a fault. */
static int count_documents(struct client *client, const char *collection, double *ret)
{
	char text[128];

	(void)snprintf(text, sizeof(text), "SELECT COUNT(*) AS n FROM %s", collection);
	put_query(client, text);
	int r = post(client, "/queries");
	if (r != 0)
		return r;
	const char *at = strstr(buf_text(&client->answer), "\"n\":");
	if (!at)
		return -EPROTO;
	*ret = strtod(at + 4, nullptr);
	return 0;
}

/* --- documents ---------------------------------------------------------------------------------- */

static void begin_batch(struct client *client)
{
	buf_clear(&client->body);
	buf_add_str(&client->body, "{\"data\":[");
}

/* Send the batch; every document of it must have been stored. */
static int end_batch(struct client *client, const char *path)
{
	buf_add_str(&client->body, "]}");
	int r = post(client, path);
	if (r != 0)
		return r;
	if (!strstr(buf_text(&client->answer), "\"status\":\"ERROR\""))
		return 0;
	(void)fprintf(stderr, "%s: a document was refused: %.300s\n", path,
		      buf_text(&client->answer));
	return -EPROTO;
}

/* Send a file of a document a line in batches as large as allowed. */
static int send_lines(struct client *client, FILE *file, const char *path)
{
	constexpr size_t END = sizeof(",]}");
	auto_free char *line = nullptr;
	size_t room = 0, count = 0;
	ssize_t len = 0;
	int r = 0;

	begin_batch(client);
	while (r == 0 && (len = getline(&line, &room, file)) > 0) {
		if (count == BATCH_MAX || client->body.len + (size_t)len + END > BODY_MAX) {
			r = end_batch(client, path);
			begin_batch(client);
			count = 0;
		}
		if (count++ > 0)
			buf_add_str(&client->body, ",");
		buf_add(&client->body, line, (size_t)len - 1);
	}
	return r == 0 && count > 0 ? end_batch(client, path) : r;
}

static int send_file(struct client *client, const char *variable, const char *path)
{
	FILE *file = measure_open(variable);

	if (!file)
		return -ENOENT;
	int r = send_lines(client, file, path);
	(void)fclose(file);
	return r;
}

/* Send "code,region" lines after the first as documents. */
static int send_dim(struct client *client)
{
	char code[16], region[16], line[64];
	FILE *file = measure_open("BENCH_DIM");
	size_t count = 0;

	if (!file)
		return -ENOENT;
	begin_batch(client);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%15[^,],%15[^\n]", code, region) == 2 && count++ > 0)
			buf_addf(&client->body, "%s{\"code\":\"%s\",\"region\":\"%s\"}",
				 count > 2 ? "," : "", code, region);
	(void)fclose(file);
	return end_batch(client, "/ws/commons/collections/dim/docs");
}

/* --- steps -------------------------------------------------------------------------------------- */

/* Wait until the engine has done what it does in the background. */
static void wait_until_quiet(const struct client *client)
{
	for (size_t quiet = 0, tries = 0; quiet < QUIET_TIMES && tries < QUIET_TRIES; tries++) {
		double before = measure_ms(client->clocks[0].id);

		(void)usleep(QUIET_US);
		quiet = measure_ms(client->clocks[0].id) - before < QUIET_MS ? quiet + 1 : 0;
	}
}

static int load(struct client *client)
{
	double before[countof(client->clocks)], count = 0;

	for (size_t i = 0; i < countof(client->clocks); i++)
		before[i] = measure_ms(client->clocks[i].id);
	int r = make_collection(client, "events");
	if (r == 0)
		r = send_file(client, "BENCH_EVENTS", "/ws/commons/collections/events/docs");
	if (r != 0)
		return r;
	measure_print("load", "wall_ms", measure_ms(CLOCK_MONOTONIC) - before[3]);
	wait_until_quiet(client); /* what is left to do is part of loading */
	for (size_t i = 0; i < 3; i++)
		measure_print("load", client->clocks[i].name,
			      measure_ms(client->clocks[i].id) - before[i]);

	r = make_collection(client, "dim");
	if (r == 0)
		r = send_dim(client);
	if (r == 0)
		r = count_documents(client, "events", &count);
	if (r == 0)
		measure_print("load", "documents", count);
	wait_until_quiet(client);
	return r == 0 ? measure_print_memory("load", client->engine_proc) : r;
}

static int query(struct client *client)
{
	FILE *list = measure_open("BENCH_QUERIES");
	static struct measure_query next;

	if (!list)
		return -ENOENT;
	while (measure_next_query(list, &next)) {
		put_query(client, next.text);
		/* One that fails has no figure; the others are asked all the same. */
		if (measure_repeat(next.name, client->clocks, countof(client->clocks), post_again,
				   &(struct request) { client, "/queries" }) == 0 &&
		    measure_keep_answer(next.name, &client->answer) != 0)
			(void)fprintf(stderr, "%s: the answer could not be kept\n", next.name);
	}
	(void)fclose(list);
	return measure_print_memory("query", client->engine_proc);
}

static int stream_batch(struct client *client, FILE *file)
{
	auto_free char *line = nullptr;
	size_t room = 0;

	begin_batch(client);
	for (size_t i = 0; i < MEASURE_STREAM; i++) {
		ssize_t len = getline(&line, &room, file);
		if (len <= 0)
			return -ENODATA;
		buf_add_str(&client->body, i ? "," : "");
		buf_add(&client->body, line, (size_t)len - 1);
	}
	return end_batch(client, "/ws/commons/collections/stream/docs");
}

static int stream(struct client *client)
{
	static double waits[STREAM_COMMITS];
	double before[countof(client->clocks)], count = 0;
	FILE *file = measure_open("BENCH_STREAM");

	if (!file)
		return -ENOENT;
	int r = make_collection(client, "stream");
	for (size_t i = 0; i < countof(client->clocks); i++)
		before[i] = measure_ms(client->clocks[i].id);
	for (size_t i = 0; r == 0 && i < STREAM_COMMITS; i++) {
		double start = measure_ms(CLOCK_MONOTONIC);

		r = stream_batch(client, file);
		waits[i] = measure_ms(CLOCK_MONOTONIC) - start;
	}
	(void)fclose(file);
	for (size_t i = 0; r == 0 && i < 3; i++)
		measure_print("stream", client->clocks[i].name,
			      (measure_ms(client->clocks[i].id) - before[i]) /
				      (double)STREAM_COMMITS);
	if (r == 0)
		r = count_documents(client, "stream", &count);
	if (r != 0)
		return r;
	measure_print_waits("stream", waits, STREAM_COMMITS);
	measure_print("stream", "documents", count);
	return 0;
}

/* --- the program -------------------------------------------------------------------------------- */

/* The clock of the process named by an environment variable. */
static bool clock_of(const char *variable, clockid_t *ret)
{
	const char *text = getenv(variable);

	return text && clock_getcpuclockid((pid_t)strtol(text, nullptr, 10), ret) == 0;
}

static bool prepare(struct client *client)
{
	client->clocks[0].name = "cpu_ms";
	client->clocks[1].name = "front_ms";
	client->clocks[2].name = "audit_ms";
	client->clocks[3] = (struct measure_clock) { "wall_ms", CLOCK_MONOTONIC };
	client->url = getenv("BENCH_URL");
	client->curl = curl_easy_init();
	client->headers = curl_slist_append(nullptr, "Authorization: ApiKey writer");
	client->headers = curl_slist_append(client->headers, "Content-Type: application/json");
	client->headers = curl_slist_append(client->headers, "Expect:"); /* do not ask first */
	if (!clock_of("BENCH_ENGINE", &client->clocks[0].id) ||
	    !clock_of("BENCH_FRONT", &client->clocks[1].id) ||
	    !clock_of("BENCH_AUDIT", &client->clocks[2].id) || !client->url || !client->curl ||
	    !client->headers)
		return false;
	(void)snprintf(client->engine_proc, sizeof(client->engine_proc), "/proc/%.20s",
		       getenv("BENCH_ENGINE"));
	(void)curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, client->headers);
	(void)curl_easy_setopt(client->curl, CURLOPT_CAINFO, getenv("BENCH_CA"));
	(void)curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, on_answer);
	(void)curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &client->answer);
	return true;
}

int main(int argc, char **argv)
{
	static const struct step {
		const char *name;
		int (*run)(struct client *client);
	} STEPS[] = { { "load", load }, { "query", query }, { "stream", stream } };
	struct client client = { .body = buf_make(BODY_MAX), .answer = buf_make(ANSWER_MAX) };
	int r = -EINVAL;

	if (argc != 2 || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !prepare(&client)) {
		(void)fputs(
			"usage: redoubt load | query | stream   (tests/bench/run sets the rest)\n",
			stderr);
		return EX_USAGE;
	}
	for (size_t i = 0; i < countof(STEPS); i++)
		if (strcmp(argv[1], STEPS[i].name) == 0)
			r = STEPS[i].run(&client);
	curl_easy_cleanup(client.curl);
	curl_slist_free_all(client.headers);
	curl_global_cleanup();
	buf_done(&client.body);
	buf_done(&client.answer);
	if (r == 0)
		return EX_OK;
	(void)fprintf(stderr, "redoubt %s: %s\n", argv[1], strerror(-r));
	return EX_SOFTWARE;
}
