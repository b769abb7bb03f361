/* SPDX-License-Identifier: Apache-2.0 */
#include "common/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/bytes.h"

constexpr unsigned int SEALS = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;

/* Room for one passed descriptor, aligned as cmsg(3) wants it. */
union control {
	char bytes[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

/* The descriptor that came with a packet, or -1. */
static int passed_fd(struct msghdr *head)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
		    c->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int msg_recv(int sock, uint8_t *room, struct msg *ret)
{
	union control control = {};
	struct iovec part = { .iov_base = room, .iov_len = MSG_MAX };
	struct msghdr head = { .msg_iov = &part,
			       .msg_iovlen = 1,
			       .msg_control = control.bytes,
			       .msg_controllen = sizeof(control.bytes) };
	ssize_t len;

	do
		len = recvmsg(sock, &head, MSG_CMSG_CLOEXEC);
	while (len < 0 && errno == EINTR);
	if (len < 0 && errno == ECONNRESET)
		return MSG_CLOSED;
	if (len < 0)
		return errno == EAGAIN ? MSG_AGAIN : neg_errno();
	if (len == 0)
		return MSG_CLOSED;

	auto_close int fd = passed_fd(&head);
	if (head.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || (size_t)len < MSG_HEADER)
		return MSG_MALFORMED;

	struct reader in = reader_make(room, MSG_HEADER);
	uint16_t type = read_u16(&in);
	if (read_u16(&in) != 0 || read_u32(&in) != 0)
		return MSG_MALFORMED;

	*ret = (struct msg) { .type = type,
			      .id = read_u64(&in),
			      .payload = room + MSG_HEADER,
			      .len = (size_t)len - MSG_HEADER,
			      .fd = fd };
	fd = -1;
	return 0;
}

/* The frame's header, spelled out byte by byte. */
static void encode_header(const struct msg *msg, uint8_t *ret)
{
	memset(ret, 0, MSG_HEADER);
	ret[0] = (uint8_t)msg->type;
	ret[1] = (uint8_t)(msg->type >> 8);
	for (size_t i = 0; i < 8; i++)
		ret[8 + i] = (uint8_t)(msg->id >> (8 * i));
}

/* Attach a descriptor to a packet. */
static void pass_fd(struct msghdr *head, union control *control, int fd)
{
	head->msg_control = control->bytes;
	head->msg_controllen = sizeof(control->bytes);

	struct cmsghdr *c = CMSG_FIRSTHDR(head);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

int msg_send(int sock, const struct msg *msg)
{
	uint8_t header[MSG_HEADER];
	union control control = {};
	struct iovec part[] = { { .iov_base = header, .iov_len = sizeof(header) },
				{ .iov_base = (void *)(uintptr_t)msg->payload,
				  .iov_len = msg->len } };
	struct msghdr head = { .msg_iov = part, .msg_iovlen = countof(part) };
	ssize_t len;

	if (msg->len > MSG_PAYLOAD_MAX)
		return -EMSGSIZE;
	encode_header(msg, header);
	if (msg->fd >= 0)
		pass_fd(&head, &control, msg->fd);

	do
		len = sendmsg(sock, &head, MSG_NOSIGNAL);
	while (len < 0 && errno == EINTR);
	if (len >= 0)
		return 0;
	if (errno == EAGAIN)
		return MSG_AGAIN;
	return errno == EPIPE || errno == ECONNRESET ? MSG_CLOSED : neg_errno();
}

/* Write all of data to fd. */
static int write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t done = write(fd, data, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return neg_errno();
		data += done;
		len -= (size_t)done;
	}
	return 0;
}

int msg_body_to_fd(const void *body, size_t len, int *ret)
{
	auto_close int fd = memfd_create("body", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	if (fd < 0)
		return neg_errno();

	int r = write_all(fd, body, len);
	if (r)
		return r;
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0)
		return neg_errno();

	*ret = fd;
	fd = -1;
	return 0;
}

int msg_body_from_fd(int fd, struct buf *ret)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0 || ((unsigned int)seals & SEALS) != SEALS)
		return MSG_MALFORMED;
	if (fstat(fd, &st) < 0)
		return neg_errno();
	if (st.st_size < 0 || (size_t)st.st_size > ret->max - ret->len)
		return MSG_MALFORMED;

	auto len = (size_t)st.st_size;
	uint8_t *at = buf_reserve(ret, len);
	if (!at)
		return buf_error(ret);
	for (size_t pos = 0; pos < len;) {
		ssize_t got = pread(fd, at + pos, len - pos, (off_t)pos);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? neg_errno() : -EIO;
		pos += (size_t)got;
	}
	ret->len += len;
	return 0;
}

int msg_connect(const char *name, int *ret)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *folder = getenv("REDOUBT_RUN");

	int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s",
			   folder ? folder : "/run/redoubt", name);
	if (len < 0 || (size_t)len >= sizeof(address.sun_path))
		return -ENAMETOOLONG;

	auto_close int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return neg_errno();
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return neg_errno();

	*ret = fd;
	fd = -1;
	return 0;
}
