/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "common/base.h"
#include "service/disk/file.h"
#include "service/disk/log.h"
#include "service/disk/log_frame.h"
#include "service/disk/log_internal.h"

static int on_name(void *userdata, const char *name)
{
	struct log_part part = {};

	/* Whatever else lies there is not ours. */
	return log_name_read(name, &part.head.first) ? log_part_add(userdata, &part) : 0;
}

static int by_first(const void *a, const void *b)
{
	uint64_t left = ((const struct log_part *)a)->head.first;
	uint64_t right = ((const struct log_part *)b)->head.first;

	return left < right ? -1 : left > right;
}

/* Read a file's size and header; its first position is that of its name. */
static int read_head(struct log *log, struct log_part *part, struct file *file)
{
	uint8_t bytes[LOG_HEAD];
	uint64_t first = part->head.first;
	size_t len;

	int r = file_size(file, &part->size);
	if (r)
		return r;
	r = file_read(file, 0, bytes, sizeof(bytes), &len);
	if (r)
		return r;
	r = log_head_read(bytes, len, &part->head);
	if (r == LOG_DAMAGED || (r == 0 && part->head.first != first)) {
		part->head.first = first;
		return log_say(log->damage, first, 0, "the header is not what was written");
	}
	return r;
}

/*
 * A header is synced before anything follows it. So a newest file that is no longer than one and has none was being made
 * when all ended. It goes, if another file, or its own number, tells which position comes next.
 */
static bool was_never_begun(const struct log *log, const struct log_part *part)
{
	return part == &log->parts[log->n - 1] && part->size <= LOG_HEAD &&
	       (log->n > 1 || part->head.first == 1);
}

/* Open one file and check that it follows the one before it. */
static int check_part(struct log *log, size_t i)
{
	cleanup(file_close_at) struct file *file = nullptr;
	struct log_part *part = &log->parts[i];
	char name[LOG_NAME];

	log_name_write(part->head.first, name);
	int r = file_open(log->folder, name, &file);
	if (r)
		return r;
	r = read_head(log, part, file);
	if (r == LOG_DAMAGED && was_never_begun(log, part)) {
		log->n--;
		return folder_remove(log->folder, name);
	}
	if (r)
		return r;
	if (i > 0) {
		struct log_part *before = &log->parts[i - 1];

		if (part->head.previous < before->head.previous ||
		    (part->head.previous > before->head.previous &&
		     part->head.previous < before->head.first))
			return log_say(log->damage, part->head.first, 0,
				       "the file before it is missing");
		before->last = part->head.previous;
	}
	return 0;
}

/* Find the newest file's last sound batch, and whether more must have been there. */
static int find_end(struct log *log, struct log_part *part)
{
	cleanup(file_close_at) struct file *file = nullptr;
	struct log_walk walk = { .size = part->size, .at = LOG_HEAD, .next = part->head.first };
	struct log_frame frame;
	char name[LOG_NAME];
	bool durable = false;

	log_name_write(part->head.first, name);
	int r = file_open(log->folder, name, &file);
	if (r)
		return r;
	/* What is read now counts as durable, so it must be on the disk, and come from there. */
	r = file_sync(file);
	if (r)
		return r;
	(void)file_reread(file);

	walk.file = file;
	do
		r = log_walk_next(&walk, 0, &frame);
	while (r == LOG_WALK_FRAME);
	log_buffer_done(&walk.body);
	if (r < 0)
		return r;
	if (r == LOG_WALK_BAD) {
		r = log_walk_was_durable(&walk, walk.next, &durable);
		if (r)
			return r;
		if (durable)
			return log_say(log->damage, part->head.first, walk.at,
				       "a batch is not what was written");
	}
	bool empty = walk.next == part->head.first;
	part->last = empty ? part->head.previous : walk.next - 1;
	log->next = empty ? walk.next + 1 : walk.next; /* no name is used twice */
	return 0;
}

static int find_all(struct log *log)
{
	int r = folder_list(log->folder, on_name, log);

	if (r)
		return r;
	if (log->n > 1)
		qsort(log->parts, log->n, sizeof(log->parts[0]), by_first);
	for (size_t i = 0; i < log->n; i++) {
		r = check_part(log, i);
		if (r)
			return r;
	}
	log->next = 1;
	if (log->n == 0)
		return 0;
	r = find_end(log, &log->parts[log->n - 1]);
	if (r)
		return r;
	log->appended = log->synced = log->parts[log->n - 1].last;
	return 0;
}

int log_open(struct folder *folder, log_key_fn *key, void *userdata,
	     char ret_damage[LOG_DAMAGE_MAX], struct log **ret)
{
	cleanup(log_close_at) struct log *log = calloc(1, sizeof(*log));
	if (!log)
		return -ENOMEM;

	log->folder = folder;
	log->key = key;
	log->userdata = userdata;
	log->file_max = LOG_FILE_MAX;
	log->lost_first = 1; /* to 0: none */
	/* None of these can fail without attributes. */
	(void)pthread_mutex_init(&log->order, nullptr);
	(void)pthread_mutex_init(&log->lock, nullptr);
	(void)pthread_cond_init(&log->changed, nullptr);

	int r = find_all(log);
	if (r == LOG_DAMAGED)
		for (size_t i = 0; i < LOG_DAMAGE_MAX; i++)
			ret_damage[i] = log->damage[i];
	if (r)
		return r;
	*ret = TAKE(log);
	return 0;
}

struct log *log_close(struct log *log)
{
	if (!log)
		return nullptr;
	log_keys_done(&log->keys);
	log_buffer_done(&log->buffer);
	file_close(log->file);
	(void)pthread_cond_destroy(&log->changed);
	(void)pthread_mutex_destroy(&log->lock);
	(void)pthread_mutex_destroy(&log->order);
	free(log->parts);
	free(log);
	return nullptr;
}
