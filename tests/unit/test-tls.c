/* SPDX-License-Identifier: Apache-2.0 */
#include "service/tls/tls.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include "common/base.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

/* A pair of connected, non-blocking sockets. */
static bool make_pair(int *ret_server, int *ret_client)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	*ret_server = pair[0];
	*ret_client = pair[1];
	return true;
}

static bool what_is_no_certificate_is_refused(void)
{
	static char long_text[TLS_PEM_MAX + 1];
	cleanup(tls_server_free_at) struct tls_server *server = nullptr;

	CHECK_EQ(tls_server_new("", 0, "", 0, &server), -EINVAL);
	CHECK_EQ(tls_server_new("rubbish", 7, "rubbish", 7, &server), -EINVAL);
	CHECK_EQ(tls_server_new(long_text, sizeof(long_text), "", 0, &server), -EINVAL);
	CHECK_EQ(tls_server_new("", 0, long_text, sizeof(long_text), &server), -EINVAL);
	CHECK(!server);
	return true;
}

static bool plaintext_is_refused_and_the_reason_named(void)
{
	cleanup(tls_server_free_at) struct tls_server *server = nullptr;
	cleanup(tls_conn_free_at) struct tls_conn *conn = nullptr;
	auto_close int fd = -1;
	auto_close int client = -1;

	CHECK_EQ(tls_server_new_throwaway(&server), 0);
	CHECK(make_pair(&fd, &client));
	CHECK_EQ(tls_conn_new(server, fd, &conn), 0);
	CHECK_EQ(tls_handshake(conn), TLS_WANT_READ);
	CHECK(write(client, "GET / HTTP/1.1\r\n", 16) == 16);
	CHECK_EQ(tls_handshake(conn), TLS_FAILED);
	CHECK(strcmp(tls_reason(conn), "http request") == 0);
	return true;
}

static bool a_client_that_goes_away_is_no_failure(void)
{
	cleanup(tls_server_free_at) struct tls_server *server = nullptr;
	cleanup(tls_conn_free_at) struct tls_conn *conn = nullptr;
	auto_close int fd = -1;
	auto_close int client = -1;

	CHECK_EQ(tls_server_new_throwaway(&server), 0);
	CHECK(make_pair(&fd, &client));
	CHECK_EQ(tls_conn_new(server, fd, &conn), 0);
	close_at(&client);
	CHECK_EQ(tls_handshake(conn), TLS_CLOSED);
	return true;
}

static bool every_failed_allocation_of_ours_is_survived(void)
{
	auto_close int fd = -1;
	auto_close int client = -1;

	CHECK(make_pair(&fd, &client));
	for (size_t n = 1;; n++) {
		cleanup(tls_server_free_at) struct tls_server *server = nullptr;
		cleanup(tls_conn_free_at) struct tls_conn *conn = nullptr;

		fault_at(n);
		int r = tls_server_new_throwaway(&server);
		if (r == 0)
			r = tls_conn_new(server, fd, &conn);
		if (!fault_end())
			return r == 0;
		CHECK_EQ(r, -ENOMEM);
		CHECK(!conn);
	}
}

int main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	RUN(what_is_no_certificate_is_refused);
	RUN(plaintext_is_refused_and_the_reason_named);
	RUN(a_client_that_goes_away_is_no_failure);
	RUN(every_failed_allocation_of_ours_is_survived);
	return tap_done();
}
