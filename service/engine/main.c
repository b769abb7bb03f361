/* SPDX-License-Identifier: Apache-2.0 */

/* redoubt-engine: carries out what front asks for, on the documents of the data volume. */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/base.h"
#include "common/channel.h"
#include "common/clock.h"
#include "common/heap.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/msg.h"
#include "common/proto/execute.h"
#include "common/proto/operations.h"
#include "common/sandbox.h"
#include "common/secret.h"
#include "service/api/error.h"
#include "service/crew/exec.h"
#include "service/engine/control.h"
#include "service/engine/flow.h"
#include "service/engine/pool.h"
#include "service/function/zones.h"
#include "service/keys/keys.h"
#include "service/sql/sql.h"
#include "service/store/store.h"

constexpr uint64_t RETRY_US = 300'000;		   /* between two tries to reach front */
constexpr uint64_t SQLITE_MEMORY_MAX = 512u << 20; /* caches, sorting and results of all queries */
constexpr size_t QUERY_MEMORY_MAX = 1u << 30;	   /* groups, joins and sorting of all queries */
/* No query waits for another one's memory. */
static_assert(ADMISSION_LONG * SQL_MEMORY_MAX + ADMISSION_SHORT * POOL_SHORT_MEMORY <=
	      QUERY_MEMORY_MAX);
constexpr uint64_t LOOK_US = 1'000'000; /* between two looks at whether a query is stuck */
constexpr unsigned int END_S = 10;	/* that the end may take; systemd kills at twice that */
constexpr size_t KEY_MIN = 32;		/* bytes of the key of the grants */
constexpr size_t KEY_MAX = 4096;
constexpr uint32_t EXECUTE_MIN = 22; /* an operation and five empty texts */

struct engine {
	struct loop *loop;
	struct loop_source *retry, *answers, *look;
	struct keys *keys;
	struct store *store;
	struct exec *exec;
	struct pool *pool;
	struct control *control;
	struct flow *flow;
	struct channel *front; /* or nullptr while it cannot be reached */
	uint64_t connection;   /* counts the times front was reached */
	bool told;	       /* that front cannot be reached */
	struct secret grant_key;
	struct grant grant; /* of the request that has just come; too large for a stack */
	char folder[512];
};

static const char USAGE[] =
	"usage: redoubt-engine [--self-test | --help]\n"
	"\n"
	"Keeps the collections and answers queries. Started by systemd; connects to front and\n"
	"audit below $REDOUBT_RUN (/run/redoubt), keeps its files in $REDOUBT_STATE/engine\n"
	"(/var/lib/redoubt/engine) and loads the credential `grant`.\n"
	"\n"
	"  --self-test  enter the sandbox, try what it forbids, print TAP, and exit\n"
	"  --help       print this and exit\n";

/* --- requests ------------------------------------------------------------------------------ */

/* Send an answer: RESULT with the JSON in the frame, or in a memfd. */
static int send_answer(struct channel *front, uint64_t id, uint16_t http_status,
		       const struct buf *json, int *fd)
{
	auto_buf struct buf payload = buf_make(MSG_PAYLOAD_MAX);
	bool inside = *fd < 0;
	struct result result = { .http_status = http_status,
				 .body = { .data = inside ? json->data : nullptr,
					   .len = inside ? json->len : 0 } };
	int given = *fd;

	*fd = -1;
	result_write(&payload, &result);
	return channel_send(front, RESULT, id, &payload, given);
}

/* Answer at once that there is too much to do, for everybody or for the key. */
static int refuse_busy(struct channel *front, const struct job *job, bool key)
{
	auto_buf struct buf json = buf_make(ERROR_BODY_MAX);
	int fd = -1;

	error_write(&json, &(struct error) {
				   .type = ERROR_RESOURCEEXCEEDED,
				   .message = key ? "Too many queries of this API key are waiting."
						  : "Too many requests are waiting; try again.",
				   .error_id = key ? "too_many_queries" : nullptr,
				   .hint = key ? "Wait for answers before asking more." : nullptr,
				   .request_id = job->execute.request_id });
	int r = buf_error(&json);
	return r ? r
		 : send_answer(front, job->id, error_status(ERROR_RESOURCEEXCEEDED), &json, &fd);
}

/* Whose turn it uses: what the grant says, which is not looked at any closer before the work begins. */
static void name_owner(struct engine *engine, struct job *job)
{
	const struct bytes *grant = &job->execute.grant;

	if (!grant_peek(grant->data, grant->len, &engine->grant))
		return;
	(void)snprintf(job->turn.key, sizeof(job->turn.key), "%s", engine->grant.key_id);
	(void)snprintf(job->person, sizeof(job->person), "%s", engine->grant.person);
}

static int on_execute(struct channel *channel, void *server, struct msg *in)
{
	struct engine *engine = server;
	cleanup(job_free_at) struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return -ENOMEM;
	job->id = in->id;
	job->connection = engine->connection;
	job->flow = engine->flow;
	job->started_us = clock_mono_us();
	job->answer_fd = -1;
	job->fd = in->fd;
	in->fd = -1;
	job->payload = malloc(in->len);
	if (!job->payload)
		return -ENOMEM;
	memcpy(job->payload, in->payload, in->len);
	job->payload_len = in->len;
	if (!execute_read(job->payload, job->payload_len, &job->execute))
		return MSG_MALFORMED;
	name_owner(engine, job);
	int r = pool_submit(engine->pool, job);
	if (r)
		return refuse_busy(channel, job, r == ADMISSION_KEY_FULL);
	(void)TAKE(job);
	return 0;
}

/* An answer could not be sent: its credit comes back. */
static void drop_answer(struct engine *engine, const struct job *job, int r)
{
	log_event(LOG_ERR, EVENT_CONNECTION_LOST, r, "answer not sent to front", nullptr);
	flow_credit(engine->flow, job->id, 0);
}

static int on_cancel(struct channel *, void *server, struct msg *in)
{
	struct engine *engine = server;

	pool_cancel(engine->pool, engine->connection, in->id);
	return 0;
}

static int on_credit(struct channel *, void *server, struct msg *in)
{
	struct engine *engine = server;
	struct credit credit;

	if (!credit_read(in->payload, in->len, &credit))
		return MSG_MALFORMED;
	flow_credit(engine->flow, in->id, credit.bytes);
	return 0;
}

/* Send the answers that have come, those of a connection that has gone excepted. */
static int on_answers(void *userdata, int, uint32_t)
{
	struct engine *engine = userdata;

	for (;;) {
		cleanup(job_free_at) struct job *job = pool_take(engine->pool);

		if (!job)
			return 0;
		if (!engine->front || job->connection != engine->connection)
			continue;
		int r = send_answer(engine->front, job->id, job->http_status, &job->answer,
				    &job->answer_fd);
		if (r)
			drop_answer(engine, job, r);
	}
}

/* --- front --------------------------------------------------------------------------------- */

static void on_closed(struct channel *, void *server)
{
	struct engine *engine = server;

	engine->front = nullptr;
	pool_cancel(engine->pool, engine->connection,
		    UINT64_MAX); /* nobody waits for it any more */
	log_event(LOG_WARNING, EVENT_CONNECTION_LOST, 0, "front has closed the connection",
		  nullptr);
	if (loop_timer_again(engine->retry, RETRY_US))
		loop_end(engine->loop, -EIO);
}

static const struct channel_request REQUESTS[] = {
	{ EXECUTE, 1, EXECUTE_MIN, MSG_PAYLOAD_MAX, on_execute },
	{ CANCEL, 1, 0, 0, on_cancel },
	{ CREDIT, 1, sizeof(uint64_t), sizeof(uint64_t), on_credit },
};

static const struct channel_table TABLE = {
	.name = "engine", .request = REQUESTS, .n = countof(REQUESTS), .closed = on_closed
};

static int connect_front(void *userdata)
{
	struct engine *engine = userdata;
	int fd = -1;
	int r = msg_connect("front-engine.sock", &fd);

	if (r == 0)
		r = channel_new(engine->loop, fd, 0, &TABLE, engine, &engine->front);
	if (r == 0) {
		flow_open(engine->flow, ++engine->connection);
		engine->told = false;
		loop_status("Serving");
		return 0;
	}
	if (!engine->told)
		log_event(LOG_NOTICE, EVENT_CONNECTION_LOST, r, "front cannot be reached yet",
			  nullptr);
	engine->told = true;
	return loop_timer_again(engine->retry, RETRY_US);
}

/* End the process if a query cannot be ended: systemd starts it anew, and the place and the memory are free again. */
static int look(void *userdata)
{
	struct engine *engine = userdata;
	char what[128];

	if (pool_stuck(engine->pool, clock_mono_us(), what)) {
		log_event(LOG_CRIT, EVENT_STUCK, 0,
			  "a query does not end; the process is ended, to be started anew", what);
		_exit(EXIT_FAILURE);
	}
	return loop_timer_again(engine->look, LOOK_US);
}

/* --- start --------------------------------------------------------------------------------- */

static int load_grant_key(struct secret *ret)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	auto_secret struct secret key = {};
	size_t len = 0;

	if (!folder)
		return -ENOENT;
	auto_close int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return neg_errno();
	auto_close int fd = openat(dir, "grant", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return neg_errno();
	int r = secret_init(&key, KEY_MAX);
	if (r)
		return r;
	while (len < key.len) {
		ssize_t got = read(fd, key.data + len, key.len - len);

		if (got < 0 && errno != EINTR)
			return neg_errno();
		if (got == 0)
			break;
		len += got > 0 ? (size_t)got : 0;
	}
	if (len < KEY_MIN || len == KEY_MAX)
		return -EKEYREJECTED;
	key.len = len;
	*ret = key;
	key = (struct secret) {};
	return 0;
}

static int enter_sandbox(const struct engine *engine)
{
	const struct sandbox_path paths[] = {
		{ engine->folder, SANDBOX_READ_WRITE },
		{ ZONES_FOLDER, SANDBOX_READ }, /* time zones are read when a query names one */
	};

	return sandbox_enter(&(struct sandbox) { .path = paths,
						 .n_paths = countof(paths),
						 .calls = SANDBOX_FILES | SANDBOX_UNIX_SOCKETS |
							  SANDBOX_THREADS | SANDBOX_MEMFD });
}

/* Say why the start failed. Returns r. */
static int failed(const char *what, int r)
{
	log_event(LOG_ERR, EVENT_START_FAILED, r < 0 ? r : 0, "engine cannot start", what);
	return r < 0 ? r : -EPROTO;
}

/* Open the store with the keys of redoubt-keys. */
static int open_store(struct engine *engine)
{
	static const char *const OUTCOMES[] = {
		[STORE_TOO_NEW] = "the store was written by a later release; it is left alone",
		[STORE_DAMAGED] = "the store is damaged",
		[STORE_KEYS_UNAVAILABLE] = "redoubt-keys does not answer",
	};
	char damage[STORE_DAMAGE] = "";
	int r = keys_open(nullptr, &engine->keys);

	if (r)
		return failed("keys", r);
	const struct store_options options = { .keys = engine->keys, .ret_damage = damage };
	r = store_open(engine->folder, &options, &engine->store);
	if (r > 0)
		log_event(LOG_ERR, EVENT_START_FAILED, 0, OUTCOMES[r], damage);
	return r > 0 ? -EPROTO : r ? failed(engine->folder, r) : 0;
}

static int start(struct engine *engine)
{
	int r = load_grant_key(&engine->grant_key);
	if (r)
		return failed("credential grant", r);
	heap_reuse();
	sql_limit_memory(SQLITE_MEMORY_MAX);
	r = open_store(engine);
	if (r)
		return r;
	r = loop_new(
		&engine->loop); /* until here SIGTERM ends the process at once: there are no threads and nothing half done */
	if (r)
		return failed("loop", r);
	r = enter_sandbox(engine);
	if (r)
		return failed("sandbox", r);
	r = store_start_keeper(engine->store);
	if (r)
		return failed("keeper", r);
	r = exec_new(0, QUERY_MEMORY_MAX, engine->folder, &engine->exec);
	if (r)
		return failed("threads for queries", r);
	r = flow_new(&engine->flow);
	if (r)
		return failed("credit", r);
	r = pool_new(engine->store, engine->exec, &engine->grant_key, &engine->pool);
	if (r)
		return failed("workers", r);
	r = loop_timer(engine->loop, 0, connect_front, engine, &engine->retry);
	if (r == 0)
		r = loop_timer(engine->loop, LOOK_US, look, engine, &engine->look);
	if (r == 0)
		r = control_new(engine->loop, engine->pool, &engine->control);
	if (r == 0)
		r = loop_io(engine->loop, pool_fd(engine->pool), EPOLLIN, on_answers, engine,
			    &engine->answers);
	return r ? failed("event sources", r) : 0;
}

/* Thread: end the process if that has not happened by itself. What is on disk is whole at any time. */
static void *end_in_time(void *)
{
	(void)sleep(END_S);
	log_event(LOG_ERR, EVENT_STUCK, 0, "the end took too long; the process is ended", nullptr);
	_exit(EXIT_FAILURE);
}

static void stop(struct engine *engine)
{
	pthread_t thread;

	if (engine->loop && pthread_create(&thread, nullptr, end_in_time, nullptr) == 0)
		(void)pthread_detach(thread);
	engine->control = control_free(engine->control);
	engine->front = channel_free(engine->front);
	engine->pool = pool_free(engine->pool);
	engine->flow = flow_free(engine->flow);
	engine->retry = loop_source_free(engine->retry);
	engine->answers = loop_source_free(engine->answers);
	engine->look = loop_source_free(engine->look);
	engine->exec = exec_free(engine->exec);
	engine->store = store_close(engine->store);
	engine->keys = keys_close(engine->keys);
	engine->loop = loop_free(engine->loop);
	secret_done(&engine->grant_key);
}

/* --- self-test ----------------------------------------------------------------------------- */

static bool try_others_data(void)
{
	return sandbox_try_read("/var/lib/redoubt/accounts") ||
	       sandbox_try_read("/var/lib/redoubt/audit") ||
	       sandbox_try_read("/var/lib/redoubt/keys/grant") ||
	       sandbox_try_read("/var/lib/redoubt/tls/key.pem");
}

static bool try_any_file(void)
{
	return sandbox_try_read("/etc/passwd") || sandbox_try_read("/proc/self/status") ||
	       sandbox_try_read("/");
}

static bool try_write_elsewhere(void)
{
	static const char *const PATHS[] = { "/tmp/redoubt-self-test", "/run/redoubt-self-test",
					     "/var/lib/redoubt/self-test" };
	bool made = false;

	for (size_t i = 0; i < countof(PATHS); i++) {
		auto_close int fd = open(PATHS[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		made |= fd >= 0;
	}
	return made;
}

static int self_test(const struct engine *engine)
{
	static const struct sandbox_trial TRIALS[] = {
		{ "make a network socket", sandbox_try_inet_socket },
		{ "start a program", sandbox_try_exec },
		{ "read accounts, ledger or keys", try_others_data },
		{ "read any file of the system", try_any_file },
		{ "write outside its folder", try_write_elsewhere },
	};

	if (enter_sandbox(engine)) {
		printf("Bail out! the sandbox cannot be entered\n");
		return 1;
	}
	return sandbox_self_test(TRIALS, countof(TRIALS));
}

int main(int argc, char **argv)
{
	static const struct option OPTIONS[] = { { "self-test", no_argument, nullptr, 's' },
						 { "help", no_argument, nullptr, 'h' },
						 {} };
	const char *state = getenv("REDOUBT_STATE");
	struct engine engine = {};
	int option = getopt_long(argc, argv, "", OPTIONS, nullptr);

	(void)snprintf(engine.folder, sizeof(engine.folder), "%s/engine",
		       state ? state : "/var/lib/redoubt");
	if (option == 's')
		return self_test(&engine);
	if (option == 'h' || option == '?' || optind < argc) {
		(void)fputs(USAGE, option == 'h' ? stdout : stderr);
		return option == 'h' ? EXIT_SUCCESS : EX_USAGE;
	}

	int r = start(&engine);
	if (r == 0)
		r = loop_run(engine.loop, "Waiting for front");
	stop(&engine);
	if (r < 0)
		return EXIT_FAILURE;
	log_event(LOG_INFO, EVENT_STOPPED, 0, "engine ends", nullptr);
	return EXIT_SUCCESS;
}
