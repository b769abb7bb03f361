/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/exports.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "appliance/audit/export.h"
#include "appliance/audit/ledger.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/crypto/crypto.h"
#include "common/loop.h"
#include "common/proto/audit.h"

constexpr uint64_t PATIENCE_US = 600'000'000; /* a reader that takes nothing for so long has gone */
constexpr size_t BASE64_HASH = 64;

enum state {
	FREE,
	RUNNING,
	FINISHED, /* all has been taken; may be marked */
};

struct outgoing {
	struct exports *exports;
	enum state state;
	char sender[EXPORTS_SENDER_MAX], person[ACCESS_NAME_MAX];
	struct export *export;
	struct loop_source *io, *patience;
	int fd;
	struct buf piece; /* what is to be written next */
	bool last;	  /* piece is the end of it */
	uint64_t size, from, bytes, intent;
	struct merkle_hash root;
};

struct exports {
	struct loop *loop;
	struct ledger *ledger;
	exports_record_fn *record;
	void *userdata;
	struct outgoing outgoing[EXPORTS_MAX];
	size_t next; /* which one of the finished makes room first */
	struct audit_event event;
};

int exports_new(struct loop *loop, struct ledger *ledger, exports_record_fn *record, void *userdata,
		struct exports **ret)
{
	struct exports *exports = calloc(1, sizeof(*exports));

	if (!exports)
		return -ENOMEM;
	exports->loop = loop;
	exports->ledger = ledger;
	exports->record = record;
	exports->userdata = userdata;
	for (size_t i = 0; i < EXPORTS_MAX; i++)
		exports->outgoing[i] = (struct outgoing) { .exports = exports, .fd = -1 };
	*ret = exports;
	return 0;
}

/* Let go of all that a stream needs; what is known about it stays. */
static void stop(struct outgoing *out)
{
	out->io = loop_source_free(out->io);
	out->patience = loop_source_free(out->patience);
	out->export = export_free(out->export);
	buf_done(&out->piece);
	close_at(&out->fd);
}

struct exports *exports_free(struct exports *exports)
{
	if (!exports)
		return nullptr;
	for (size_t i = 0; i < EXPORTS_MAX; i++)
		stop(&exports->outgoing[i]);
	free(exports);
	return nullptr;
}

/* Record something about an export. */
static int record(struct outgoing *out, const char *code, enum audit_outcome outcome,
		  uint64_t *ret_index)
{
	struct audit_event *event = &out->exports->event;
	char root[BASE64_HASH];

	crypto_base64(out->root.byte, sizeof(out->root.byte), root);
	*event = (struct audit_event) { .decision = AUDIT_ALLOW,
					.outcome = outcome,
					.intent = outcome == AUDIT_INTENT || !ret_index
							  ? AUDIT_NO_INTENT
							  : out->intent };
	(void)snprintf(event->code, sizeof(event->code), "%s", code);
	(void)snprintf(event->actor_kind, sizeof(event->actor_kind), "person");
	(void)snprintf(event->actor, sizeof(event->actor), "%s", out->person);
	(void)snprintf(event->target, sizeof(event->target), "ledger");
	(void)snprintf(event->detail, sizeof(event->detail),
		       "{\"from\":%" PRIu64 ",\"size\":%" PRIu64
		       ",\"root\":\"%s\",\"bytes\":%" PRIu64 "}",
		       out->from, out->size, root, out->bytes);
	return out->exports->record(out->exports->userdata, event, ret_index);
}

/* The stream has ended, one way or the other. */
static void end(struct outgoing *out, bool good)
{
	uint64_t index = 0;

	stop(out);
	out->state = good ? FINISHED : FREE;
	/* An intent that cannot be closed now is closed as unknown by the ledger itself. */
	(void)!record(out, "ledger.export", good ? AUDIT_DONE : AUDIT_FAILED, &index);
}

/* Have something to write. Returns 0 or what failed. */
static int fill(struct outgoing *out)
{
	while (out->piece.len == 0 && !out->last) {
		int r = export_next(out->export, &out->piece);

		if (r != EXPORT_MORE && r != EXPORT_END)
			return r;
		out->last = r == EXPORT_END;
	}
	return 0;
}

static int on_writable(void *userdata, int fd, uint32_t events)
{
	struct outgoing *out = userdata;
	(void)events;

	if (fill(out)) {
		end(out, false);
		return 0;
	}
	if (out->piece.len == 0) {
		end(out, true);
		return 0;
	}
	ssize_t n = write(fd, out->piece.data, out->piece.len);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		end(out, false); /* the reader has gone */
		return 0;
	}
	if (n > 0) {
		out->bytes += (uint64_t)n;
		buf_drop(&out->piece, (size_t)n);
		(void)!loop_timer_again(out->patience, PATIENCE_US);
	}
	return 0;
}

static int on_patience(void *userdata)
{
	end(userdata, false);
	return 0;
}

/* One that is not in use, or the oldest that has finished; nullptr if all are running. */
static struct outgoing *find_room(struct exports *exports)
{
	for (size_t i = 0; i < EXPORTS_MAX; i++)
		if (exports->outgoing[i].state == FREE)
			return &exports->outgoing[i];
	for (size_t i = 0; i < EXPORTS_MAX; i++) {
		struct outgoing *out = &exports->outgoing[exports->next++ % EXPORTS_MAX];

		if (out->state == FINISHED)
			return out;
	}
	return nullptr;
}

/* Record the intent and start writing into the pipe. */
static int start(struct outgoing *out, int fd)
{
	struct exports *exports = out->exports;

	if (record(out, "ledger.export", AUDIT_INTENT, &out->intent))
		return EXPORTS_UNRECORDED;
	out->piece = buf_make(2 * EXPORT_PIECE_MAX);
	out->fd = fd;
	int r = loop_io(exports->loop, fd, EPOLLOUT, on_writable, out, &out->io);
	if (r == 0)
		r = loop_timer(exports->loop, PATIENCE_US, on_patience, out, &out->patience);
	if (r) {
		end(out, false);
		return r;
	}
	out->state = RUNNING;
	return 0;
}

int exports_begin(struct exports *exports, const char *sender, const char *person, uint64_t from,
		  int *ret_fd, uint64_t *ret_size)
{
	struct outgoing *out = find_room(exports);
	int ends[2];

	if (!out)
		return EXPORTS_BUSY;
	int r = ledger_publish(exports->ledger);
	if (r < 0)
		return r;
	*out = (struct outgoing) { .exports = exports, .fd = -1, .from = from };
	(void)snprintf(out->sender, sizeof(out->sender), "%s", sender);
	(void)snprintf(out->person, sizeof(out->person), "%s", person);
	r = export_new(exports->ledger, from, &out->export);
	if (r)
		return r == LEDGER_NO_ENTRY ? EXPORTS_BEYOND : r > 0 ? -EIO : r;
	out->size = export_size(out->export);
	out->root = export_root(out->export);
	if (pipe2(ends, O_CLOEXEC) < 0) {
		r = neg_errno();
		stop(out);
		return r;
	}
	/* Only our end waits for nobody. */
	if (fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0)
		r = neg_errno();
	if (r == 0)
		r = start(out, ends[1]);
	if (r) {
		if (out->fd < 0)
			(void)close(ends[1]);
		(void)close(ends[0]);
		stop(out);
		return r;
	}
	*ret_fd = ends[0];
	*ret_size = out->size;
	return 0;
}

int exports_mark(struct exports *exports, const char *sender, const char *person, uint64_t size)
{
	for (size_t i = 0; i < EXPORTS_MAX; i++) {
		struct outgoing *out = &exports->outgoing[i];

		if (out->state != FINISHED || out->size != size ||
		    strcmp(out->sender, sender) != 0 || strcmp(out->person, person) != 0)
			continue;
		if (record(out, "ledger.exported", AUDIT_DONE, nullptr))
			return EXPORTS_UNRECORDED;
		out->state = FREE;
		return 0;
	}
	return EXPORTS_NOT_FINISHED;
}
