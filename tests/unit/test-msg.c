/* SPDX-License-Identifier: Apache-2.0 */
#include "common/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base.h"
#include "common/buf.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

static uint8_t room[MSG_MAX];

/* A connected pair; pair[1] is non-blocking. */
static bool make_pair(int pair[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0 &&
	       fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0;
}

static bool a_frame_arrives_as_it_was_sent(void)
{
	auto_close int a = -1;
	auto_close int b = -1;
	int pair[2];
	struct msg got;

	CHECK(make_pair(pair));
	a = pair[0];
	b = pair[1];
	struct msg sent = {
		.type = 0x0102, .id = 77, .payload = (const uint8_t *)"xyz", .len = 3, .fd = -1
	};
	CHECK_EQ(msg_recv(b, room, &got), MSG_AGAIN);
	CHECK_EQ(msg_send(a, &sent), 0);
	CHECK_EQ(msg_recv(b, room, &got), 0);
	CHECK_EQ(got.type, 0x0102);
	CHECK_EQ(got.id, 77u);
	CHECK_EQ(got.len, 3u);
	CHECK(memcmp(got.payload, "xyz", 3) == 0);
	CHECK_EQ(got.fd, -1);
	close_at(&a);
	CHECK_EQ(msg_recv(b, room, &got), MSG_CLOSED);
	return true;
}

static bool a_body_travels_sealed(void)
{
	auto_close int fd = -1;
	auto_buf struct buf body = buf_make(10);

	CHECK_EQ(msg_body_to_fd("0123456789", 10, &fd), 0);
	CHECK(write(fd, "x", 1) < 0);
	CHECK_EQ(msg_body_from_fd(fd, &body), 0);
	CHECK(strcmp(buf_text(&body), "0123456789") == 0);

	auto_buf struct buf small = buf_make(9);
	CHECK_EQ(msg_body_from_fd(fd, &small), MSG_MALFORMED);

	auto_close int open_end = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	CHECK_EQ(msg_body_from_fd(open_end, &body), MSG_MALFORMED);
	return true;
}

static bool a_descriptor_travels_with_a_frame(void)
{
	auto_close int a = -1;
	auto_close int b = -1;
	auto_close int body = -1;
	int pair[2];
	struct msg got;

	CHECK(make_pair(pair));
	a = pair[0];
	b = pair[1];
	CHECK_EQ(msg_body_to_fd("q", 1, &body), 0);
	CHECK_EQ(msg_send(a, &(struct msg) { .type = 1, .fd = body }), 0);
	CHECK_EQ(msg_recv(b, room, &got), 0);
	CHECK(got.fd >= 0);
	CHECK(fcntl(got.fd, F_GETFD) & FD_CLOEXEC);
	close_at(&got.fd);
	return true;
}

static bool packets_that_are_not_frames_are_refused(void)
{
	static const uint8_t RESERVED[16] = { 1, 0, 1 };
	auto_close int a = -1;
	auto_close int b = -1;
	int pair[2];
	struct msg got;

	CHECK(make_pair(pair));
	a = pair[0];
	b = pair[1];
	for (size_t len = 1; len < MSG_HEADER; len++) {
		CHECK_EQ(send(a, RESERVED, len, 0), (ssize_t)len);
		CHECK_EQ(msg_recv(b, room, &got), MSG_MALFORMED);
	}
	CHECK_EQ(send(a, RESERVED, sizeof(RESERVED), 0), 16);
	CHECK_EQ(msg_recv(b, room, &got), MSG_MALFORMED);

	static uint8_t big[MSG_MAX + 1];
	CHECK_EQ(send(a, big, sizeof(big), 0), (ssize_t)sizeof(big));
	CHECK_EQ(msg_recv(b, room, &got), MSG_MALFORMED);
	CHECK_EQ(
		msg_send(a, &(struct msg) { .payload = big, .len = MSG_PAYLOAD_MAX + 1, .fd = -1 }),
		-EMSGSIZE);
	return true;
}

static bool running_out_of_memory_for_a_body_is_survived(void)
{
	auto_close int fd = -1;
	auto_buf struct buf body = buf_make(100);

	CHECK_EQ(msg_body_to_fd("abc", 3, &fd), 0);
	fault_at(1);
	CHECK_EQ(msg_body_from_fd(fd, &body), -ENOMEM);
	CHECK(fault_end());
	return true;
}

int main(void)
{
	RUN(a_frame_arrives_as_it_was_sent);
	RUN(a_body_travels_sealed);
	RUN(a_descriptor_travels_with_a_frame);
	RUN(packets_that_are_not_frames_are_refused);
	RUN(running_out_of_memory_for_a_body_is_survived);
	return tap_done();
}
