/* SPDX-License-Identifier: Apache-2.0 */

/* store NDJSON FOLDER [STREAM]: load documents into a new store and say what that took. */

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include <yyjson.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/clock.h"
#include "common/heap.h"
#include "service/chunk/builder.h"
#include "service/chunk/chunk.h"
#include "service/chunk/document.h"
#include "service/keys/keys.h"
#include "service/snapshot/snapshot.h"
#include "service/store/catalog.h"
#include "service/store/documents.h"
#include "service/store/store.h"

constexpr size_t THREADS = 2;
constexpr size_t LOAD_BATCH = 20'000;
constexpr size_t STREAM_BATCH = 100;
constexpr size_t STREAM_COMMITS = 1000;
constexpr uint32_t READS = 2000;

struct feed {
	pthread_mutex_t lock;
	FILE *file;
	struct store *store;
	size_t batch, batches_max, number;
	atomic_size_t documents;
	atomic_int error;
};

static uint64_t cpu_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1'000'000 + (uint64_t)now.tv_nsec / 1000;
}

/* A line of /proc/self/status in MiB. */
static long memory(const char *what)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[128];
	long kib = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, what, strlen(what)) == 0)
			kib = strtol(line + strlen(what), nullptr, 10);
	if (file)
		(void)fclose(file);
	return kib / 1024;
}

/* Take the next lines. Returns how many bytes. */
static size_t take(struct feed *feed, char **text, size_t *room, size_t *ret_number)
{
	size_t len = 0, lines = 0;

	(void)pthread_mutex_lock(&feed->lock);
	while (feed->number < feed->batches_max && lines < feed->batch) {
		if (*room - len < 1 << 16) {
			*room = *room ? 2 * *room : 1 << 20;
			*text = realloc(*text, *room);
		}
		if (!fgets(*text + len, 1 << 16, feed->file))
			break;
		len += strlen(*text + len);
		lines++;
	}
	*ret_number = lines ? feed->number++ : 0;
	(void)pthread_mutex_unlock(&feed->lock);
	return len;
}

static int add(struct feed *feed, struct builder *builder, const char *text, size_t len,
	       size_t number)
{
	enum document_status *status = malloc(LOAD_BATCH * sizeof(*status));
	uint8_t id[DOCUMENTS_ID] = {};
	uint64_t now_us = clock_wall_us();
	size_t n = 0;
	int r = 0;

	builder_clear(builder);
	for (const char *at = text; r == 0 && at < text + len; n++) {
		const char *end = memchr(at, '\n', (size_t)(text + len - at));
		size_t one = end ? (size_t)(end - at) : (size_t)(text + len - at);
		yyjson_doc *doc = yyjson_read(at, one, YYJSON_READ_NOFLAG);
		char own[64];
		int own_len = snprintf(own, sizeof(own), "3f0c9a1e-0000-4000-8000-%012zx-%zu",
				       number, n + 1);

		r = doc ? builder_add_json(builder, yyjson_doc_get_root(doc), own, (size_t)own_len,
					   now_us)
			: -EINVAL;
		yyjson_doc_free(doc);
		at += one + 1;
	}
	memcpy(id, &number, sizeof(number));
	id[15] = (uint8_t)feed->batch;
	if (r == 0)
		r = documents_add(feed->store, "commons", "events", builder, id, status);
	atomic_fetch_add(&feed->documents, builder_rows(builder));
	free(status);
	return r;
}

static void *run(void *argument)
{
	struct feed *feed = argument;
	struct builder *builder = nullptr;
	char *text = nullptr;
	size_t room = 0, len, number;
	int r = builder_new(&builder);

	while (r == 0 && (len = take(feed, &text, &room, &number)) > 0)
		r = add(feed, builder, text, len, number);
	if (r)
		atomic_store(&feed->error, r);
	builder_free(builder);
	free(text);
	return nullptr;
}

static int feed_all(struct feed *feed, size_t threads)
{
	pthread_t thread[THREADS];

	for (size_t i = 0; i < threads; i++)
		if (pthread_create(&thread[i], nullptr, run, feed))
			return -ENOMEM;
	for (size_t i = 0; i < threads; i++)
		(void)pthread_join(thread[i], nullptr);
	return atomic_load(&feed->error);
}

static void report(const char *what, const struct feed *feed, uint64_t cpu, uint64_t wall,
		   size_t per)
{
	double n = (double)atomic_load(&feed->documents) / (double)per;

	printf("%-24s %8.2f s CPU %8.2f s wall %8.3f us CPU each %8.1f us wall each  rss %ld MiB, peak %ld MiB\n",
	       what, (double)cpu / 1e6, (double)wall / 1e6, (double)cpu / n, (double)wall / n,
	       memory("VmRSS:"), memory("VmHWM:"));
}

static int stage(const char *what, struct store *store, const char *path, size_t batch, size_t max,
		 size_t threads)
{
	struct feed feed = { .lock = PTHREAD_MUTEX_INITIALIZER,
			     .file = fopen(path, "re"),
			     .store = store,
			     .batch = batch,
			     .batches_max = max };
	uint64_t cpu = cpu_us(), wall = clock_mono_us();
	int r = feed.file ? feed_all(&feed, threads) : -ENOENT;

	report(what, &feed, cpu_us() - cpu, clock_mono_us() - wall,
	       batch == STREAM_BATCH ? 100 : 1);
	if (feed.file)
		(void)fclose(feed.file);
	return r;
}

static int keep(const char *what, struct store *store, enum store_keep how)
{
	struct feed one = { .documents = 1 };
	uint64_t cpu = cpu_us(), wall = clock_mono_us();
	int r = store_keep(store, how);

	report(what, &one, cpu_us() - cpu, clock_mono_us() - wall, 1);
	printf("%-24s %.1f MB\n", "on disk", (double)store_size(store) / 1e6);
	return r;
}

/* Read single documents, each with all that has to be opened for it. */
static int read_some(struct store *store)
{
	struct snapshot *now = nullptr;
	struct buf packed = buf_make(1 << 20);
	int r = store_snapshot(store, "commons", "events", &now);

	for (uint32_t round = 0; r == 0 && round < 2; round++) {
		size_t chunks = snapshot_chunks(now) < 8 ? snapshot_chunks(now) : 8;
		uint64_t cpu = cpu_us();

		for (uint32_t i = 0; r == 0 && i < READS; i++) {
			struct chunk *chunk = snapshot_chunk(now, i % chunks)->chunk;
			struct document_reader *reader = nullptr;

			buf_clear(&packed);
			r = document_reader_new(chunk, &reader);
			if (r == 0)
				r = document_read(reader, 0, i * 104'729 % chunk_rows(chunk),
						  &packed);
			document_reader_free(reader);
		}
		printf("%-24s %.1f us CPU each\n", "one document",
		       (double)(cpu_us() - cpu) / READS);
	}
	buf_done(&packed);
	snapshot_unref(now);
	return r;
}

/* What of the chunks' bytes are values, and what helps to find them. */
static void tell_lanes(struct store *store)
{
	struct snapshot *now = nullptr;
	uint64_t bytes[LANE_COUNT] = {}, heads = 0;

	if (store_snapshot(store, "commons", "events", &now))
		return;
	for (size_t i = 0; i < snapshot_chunks(now); i++) {
		const struct chunk *chunk = snapshot_chunk(now, i)->chunk;
		size_t head_len = 0;

		(void)chunk_head(chunk, &head_len);
		heads += head_len;
		for (uint32_t c = 0; c < chunk_columns(chunk); c++)
			for (uint32_t lane = 0; lane < LANE_COUNT; lane++)
				bytes[lane] += chunk_column(chunk, c)->lane[lane].len;
	}
	printf("%-24s heads %.1f MB, lanes by number:", "bytes", (double)heads / 1e6);
	for (uint32_t lane = 0; lane < LANE_COUNT; lane++)
		printf(" %.1f", (double)bytes[lane] / 1e6);
	printf("; %u columns\n", chunk_columns(snapshot_chunk(now, 0)->chunk));
	snapshot_unref(now);
}

static int open_store(const char *folder, struct keys **keys, struct store **ret)
{
	char path[512];

	(void)mkdir(folder, 0700);
	(void)snprintf(path, sizeof(path), "%s/keys", folder);
	(void)mkdir(path, 0700);
	int r = *keys ? 0 : keys_open_file(path, keys);
	(void)snprintf(path, sizeof(path), "%s/engine", folder);
	(void)mkdir(path, 0700);
	return r ? r : store_open(path, &(struct store_options) { .keys = *keys }, ret);
}

int main(int argc, char **argv)
{
	struct keys *keys = nullptr;
	struct store *store = nullptr;
	struct feed one = { .documents = 1 };

	if (argc < 3)
		return 2;
	heap_reuse(); /* as the engine does */
	int r = open_store(argv[2], &keys, &store);
	if (r == 0)
		r = store_start_keeper(store);
	if (r == 0)
		r = catalog_collection_create(store,
					      &(struct collection) { .workspace = "commons",
								     .name = "events",
								     .created_by = "bench" });
	if (r == 0)
		r = stage("load", store, argv[1], LOAD_BATCH, SIZE_MAX, THREADS);
	if (r == 0)
		r = keep("seal the rest", store, STORE_KEEP_SEAL);
	if (r == 0 && argc > 3)
		r = stage("stream of 100, 1 thread", store, argv[3], STREAM_BATCH, STREAM_COMMITS,
			  1);
	if (r == 0)
		r = keep("seal the rest", store, STORE_KEEP_SEAL);
	store = store_close(store);
	uint64_t cpu = cpu_us(), wall = clock_mono_us();
	if (r == 0)
		r = open_store(argv[2], &keys, &store);
	report("open again", &one, cpu_us() - cpu, clock_mono_us() - wall, 1);
	if (store) {
		struct snapshot *now = nullptr;

		if (store_snapshot(store, "commons", "events", &now) == 0)
			printf("%-24s %" PRIi64 " in %zu chunks\n", "documents",
			       snapshot_documents(now), snapshot_chunks(now));
		snapshot_unref(now);
		tell_lanes(store);
		r = r ? r : read_some(store);
	}
	heap_trim();
	report("after trim", &one, 0, 1, 1);
	store_close(store);
	keys_close(keys);
	printf("%d\n", r);
	return r != 0;
}
