/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/manager/worker_link.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/channel.h"
#include "common/log.h"
#include "common/msg.h"

struct waiting_job {
	struct buf payload;
	worker_done_fn *done;
	void *userdata;
};

struct worker_link {
	struct loop *loop;
	struct loop_source *turn; /* starts the next job outside of anybody's call-back */
	worker_progress_fn *progress;
	void *userdata;
	struct channel *channel; /* of the job that runs, or nullptr */
	struct job_done *answer; /* room for one */
	struct waiting_job queue[WORKER_QUEUE_MAX];
	size_t n; /* queue[0] is the one that runs, if channel is set */
	bool answered;
};

static void wipe(struct buf *payload)
{
	if (payload->data)
		explicit_bzero(payload->data, payload->room);
	buf_done(payload);
}

/* Take queue[0] off and tell its owner. */
static void end_job(struct worker_link *link, const struct job_done *done)
{
	struct waiting_job job = link->queue[0];

	wipe(&job.payload);
	link->n--;
	memmove(&link->queue[0], &link->queue[1], link->n * sizeof(link->queue[0]));
	if (link->n > 0 && loop_defer_again(link->turn) < 0)
		log_event(LOG_ERR, EVENT_REQUEST_FAILED, -ENOMEM, "the next job does not start",
			  nullptr);
	job.done(job.userdata, done);
}

static void fail_job(struct worker_link *link, const char *why)
{
	memset(link->answer, 0, sizeof(*link->answer));
	link->answer->outcome = JOB_FAULT;
	(void)snprintf(link->answer->text, sizeof(link->answer->text), "%s", why);
	log_event(LOG_ERR, EVENT_REQUEST_FAILED, 0, "a job failed", why);
	end_job(link, link->answer);
}

static int on_progress(struct channel *channel, void *server, struct msg *in)
{
	struct worker_link *link = server;
	struct job_progress progress;

	(void)channel;
	if (!job_progress_read(in->payload, in->len, &progress))
		return 1;
	link->progress(link->userdata, &progress);
	return 0;
}

static int on_done(struct channel *channel, void *server, struct msg *in)
{
	struct worker_link *link = server;

	if (link->answered || !job_done_read(in->payload, in->len, link->answer))
		return 1;
	link->answered = true;
	channel_close(channel);
	return 0;
}

static void on_closed(struct channel *channel, void *server)
{
	struct worker_link *link = server;

	(void)channel;
	link->channel = nullptr;
	if (!link->answered) {
		fail_job(link, "the worker ended without an answer; the journal says why");
		return;
	}
	end_job(link, link->answer);
	explicit_bzero(link->answer, sizeof(*link->answer));
}

static const struct channel_request REQUESTS[] = {
	{ JOB_PROGRESS, 1, 5, sizeof(struct job_progress) + 8, on_progress },
	{ JOB_DONE, 1, 9, MSG_PAYLOAD_MAX, on_done },
};

static const struct channel_table TABLE = {
	.name = "worker",
	.request = REQUESTS,
	.n = countof(REQUESTS),
	.closed = on_closed,
};

/* Start queue[0]. */
static int on_turn(void *userdata)
{
	struct worker_link *link = userdata;
	int fd = -1;

	if (link->n == 0 || link->channel)
		return 0;
	link->answered = false;
	int r = msg_connect("worker.sock", &fd);
	if (r == 0)
		r = channel_new(link->loop, fd, 0, &TABLE, link, &link->channel);
	if (r == 0)
		r = channel_send(link->channel, JOB, 1, &link->queue[0].payload, -1);
	if (r == 0) {
		wipe(&link->queue[0].payload);
		return 0;
	}
	link->channel = channel_free(link->channel);
	fail_job(link, "no worker could be started for the job; the journal says why");
	return 0;
}

int worker_link_new(struct loop *loop, worker_progress_fn *progress, void *userdata,
		    struct worker_link **ret)
{
	cleanup(worker_link_free_at) struct worker_link *link = calloc(1, sizeof(*link));

	if (!link)
		return -ENOMEM;
	link->loop = loop;
	link->progress = progress;
	link->userdata = userdata;
	link->answer = calloc(1, sizeof(*link->answer));
	if (!link->answer)
		return -ENOMEM;
	int r = loop_defer(loop, on_turn, link, &link->turn);
	if (r < 0)
		return r;
	*ret = TAKE(link);
	return 0;
}

struct worker_link *worker_link_free(struct worker_link *link)
{
	if (!link)
		return nullptr;
	link->turn = loop_source_free(link->turn);
	link->channel = channel_free(link->channel);
	for (size_t i = 0; i < link->n; i++)
		wipe(&link->queue[i].payload);
	free(link->answer);
	free(link);
	return nullptr;
}

int worker_link_submit(struct worker_link *link, enum job_kind kind, const char *argument,
		       const char *second, worker_done_fn *done, void *userdata)
{
	if (link->n == WORKER_QUEUE_MAX)
		return -EBUSY;
	if (strlen(argument) >= JOB_ARGUMENT_MAX || strlen(second) >= JOB_ARGUMENT_MAX)
		return -EMSGSIZE;

	auto_free struct job *job = calloc(1, sizeof(*job));
	struct buf payload = buf_make(MSG_PAYLOAD_MAX);
	if (!job)
		return -ENOMEM;
	job->kind = kind;
	memcpy(job->argument, argument, strlen(argument) + 1);
	memcpy(job->second, second, strlen(second) + 1);
	job_write(&payload, job);
	explicit_bzero(job, sizeof(*job));
	int r = buf_error(&payload);
	if (r == 0)
		r = loop_defer_again(link->turn);
	if (r) {
		wipe(&payload);
		return r;
	}
	link->queue[link->n++] =
		(struct waiting_job) { .payload = payload, .done = done, .userdata = userdata };
	return 0;
}
