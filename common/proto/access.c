/* SPDX-License-Identifier: Apache-2.0 */
#include "common/proto/access.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/bytes.h"
#include "common/crypto/crypto.h"
#include "common/secret.h"

void access_check_write(struct buf *out, const struct access_check *check)
{
	write_u16(out, check->op);
	write_str(out, check->api_key);
	write_str(out, check->workspace);
	write_str(out, check->source);
	write_str(out, check->request_id);
	write_str(out, check->user_agent);
}

bool access_check_read(const void *data, size_t len, struct access_check *ret)
{
	struct reader in = reader_make(data, len);

	ret->op = read_u16(&in);
	read_str(&in, ret->api_key, sizeof(ret->api_key));
	read_str(&in, ret->workspace, sizeof(ret->workspace));
	read_str(&in, ret->source, sizeof(ret->source));
	read_str(&in, ret->request_id, sizeof(ret->request_id));
	read_str(&in, ret->user_agent, sizeof(ret->user_agent));
	return reader_end(&in) && ret->op < OP_COUNT;
}

void access_denied_write(struct buf *out, const struct access_denied *denied)
{
	write_u16(out, denied->http_status);
	write_str(out, denied->error_type);
	write_str(out, denied->message);
}

bool access_denied_read(const void *data, size_t len, struct access_denied *ret)
{
	struct reader in = reader_make(data, len);

	ret->http_status = read_u16(&in);
	read_str(&in, ret->error_type, sizeof(ret->error_type));
	read_str(&in, ret->message, sizeof(ret->message));
	return reader_end(&in) && ret->http_status >= 400 && ret->http_status <= 599;
}

void ssh_keys_request_write(struct buf *out, const struct ssh_keys_request *request)
{
	write_str(out, request->user);
	write_str(out, request->fingerprint);
	write_str(out, request->connection);
}

bool ssh_keys_request_read(const void *data, size_t len, struct ssh_keys_request *ret)
{
	struct reader in = reader_make(data, len);

	read_str(&in, ret->user, sizeof(ret->user));
	read_str(&in, ret->fingerprint, sizeof(ret->fingerprint));
	read_str(&in, ret->connection, sizeof(ret->connection));
	return reader_end(&in);
}

void ssh_peer(const char *connection, char ret[static ACCESS_SOURCE_MAX])
{
	char address[INET6_ADDRSTRLEN] = "";
	struct in6_addr parsed;
	unsigned long port = 0;
	size_t len = strcspn(connection, " ");

	ret[0] = '\0';
	if (len == 0 || len >= sizeof(address) || connection[len] != ' ')
		return;
	memcpy(address, connection, len);
	port = strtoul(connection + len + 1, nullptr,
		       10); /* "ADDRESS PORT" at the end of the text, too */
	if (port > UINT16_MAX)
		return;
	if (inet_pton(AF_INET, address, &parsed) == 1)
		(void)snprintf(ret, ACCESS_SOURCE_MAX, "%s:%lu", address, port);
	else if (inet_pton(AF_INET6, address, &parsed) == 1)
		(void)snprintf(ret, ACCESS_SOURCE_MAX, "[%s]:%lu", address, port);
}

static void grant_write(struct buf *out, const struct grant *grant)
{
	write_u16(out, grant->op);
	write_u64(out, grant->privileges);
	write_u64(out, grant->issued_us);
	write_str(out, grant->workspace);
	write_str(out, grant->request_id);
	write_str(out, grant->person);
	write_str(out, grant->email);
	write_str(out, grant->key_id);
	write_str(out, grant->key_name);
	write_str(out, grant->role);
	write_str(out, grant->source);
	write_str(out, grant->user_agent);
}

static bool grant_read(const void *data, size_t len, struct grant *ret)
{
	struct reader in = reader_make(data, len);

	ret->op = read_u16(&in);
	ret->privileges = read_u64(&in);
	ret->issued_us = read_u64(&in);
	read_str(&in, ret->workspace, sizeof(ret->workspace));
	read_str(&in, ret->request_id, sizeof(ret->request_id));
	read_str(&in, ret->person, sizeof(ret->person));
	read_str(&in, ret->email, sizeof(ret->email));
	read_str(&in, ret->key_id, sizeof(ret->key_id));
	read_str(&in, ret->key_name, sizeof(ret->key_name));
	read_str(&in, ret->role, sizeof(ret->role));
	read_str(&in, ret->source, sizeof(ret->source));
	read_str(&in, ret->user_agent, sizeof(ret->user_agent));
	return reader_end(&in) && ret->op < OP_COUNT;
}

int grant_seal(struct buf *out, const struct grant *grant, const struct secret *key)
{
	uint8_t mac[CRYPTO_HASH];
	size_t start = out->len;

	grant_write(out, grant);
	if (buf_error(out))
		return 0;

	int r = crypto_hmac(key, out->data + start, out->len - start, mac);
	if (r == 0)
		buf_add(out, mac, sizeof(mac));
	return r;
}

bool grant_open(const void *data, size_t len, const struct secret *key, uint64_t now_us,
		struct grant *ret)
{
	uint8_t mac[CRYPTO_HASH];

	if (len < sizeof(mac))
		return false;
	size_t body = len - sizeof(mac);
	if (crypto_hmac(key, data, body, mac) ||
	    !secret_same(mac, (const uint8_t *)data + body, sizeof(mac)))
		return false;
	return grant_read(data, body, ret) && now_us >= ret->issued_us &&
	       now_us - ret->issued_us <= GRANT_AGE_MAX_US;
}

bool grant_peek(const void *data, size_t len, struct grant *ret)
{
	return len >= CRYPTO_HASH && grant_read(data, len - CRYPTO_HASH, ret);
}

bool grant_allows(uint64_t privileges, enum privilege privilege)
{
	return privilege == PRIVILEGE_NONE || (privileges >> privilege & 1);
}
