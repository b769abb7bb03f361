/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/imds/imds.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

constexpr long CONNECT_TIMEOUT_MS = 2000;
constexpr long REQUEST_TIMEOUT_MS = 5000;
constexpr size_t TOKEN_MAX = 512; /* today's have 56 */
constexpr long HTTP_OK = 200;
constexpr long HTTP_NOT_FOUND = 404;
constexpr size_t URL_MAX = 256;

static void curl_free_at(CURL **curl)
{
	curl_easy_cleanup(*curl);
}

static void slist_free_at(struct curl_slist **list)
{
	curl_slist_free_all(*list);
}

bool imds_is_token(const char *text, size_t len)
{
	if (len == 0 || len > TOKEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

/* Take a piece of the answer; taking less than all makes curl give up. */
static size_t on_data(char *data, size_t size, size_t n, void *userdata)
{
	struct buf *to = userdata;

	buf_add(to, data, size * n); /* both are bounded by curl: CURL_MAX_WRITE_SIZE */
	return buf_error(to) ? 0 : size * n;
}

/* One request, without redirects, proxies or anything but HTTP. Returns an outcome; *status is set with 0. */
static int ask(const char *url, const char *method, const char *header, struct buf *answer,
	       long *status)
{
	cleanup(curl_free_at) CURL *curl = curl_easy_init();
	cleanup(slist_free_at) struct curl_slist *headers = curl_slist_append(nullptr, header);

	if (!curl || !headers)
		return -ENOMEM;
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	(void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	(void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	(void)curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, REQUEST_TIMEOUT_MS);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);

	CURLcode code = curl_easy_perform(curl);
	if (code == CURLE_OUT_OF_MEMORY || buf_error(answer) == -ENOMEM)
		return -ENOMEM;
	if (code == CURLE_WRITE_ERROR)
		return IMDS_REFUSED;
	if (code != CURLE_OK)
		return IMDS_UNREACHABLE;
	(void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	return IMDS_OK;
}

/* Fetch a session token into header, ready to be sent. */
static int get_token(const char *base, char header[TOKEN_MAX + 64])
{
	auto_buf struct buf token = buf_make(TOKEN_MAX);
	char url[URL_MAX];
	long status = 0;

	(void)snprintf(url, sizeof(url), "%.200s/latest/api/token", base);
	int r = ask(url, "PUT", "X-aws-ec2-metadata-token-ttl-seconds: 60", &token, &status);
	if (r)
		return r;
	if (status >= 500)
		return IMDS_UNREACHABLE;
	if (status != HTTP_OK || !imds_is_token((const char *)token.data, token.len))
		return IMDS_REFUSED;
	(void)snprintf(header, TOKEN_MAX + 64, "X-aws-ec2-metadata-token: %.*s", (int)token.len,
		       (const char *)token.data);
	return IMDS_OK;
}

int imds_fetch(const char *base, struct buf *ret)
{
	auto_buf struct buf data = buf_make(IMDS_DATA_MAX);
	char header[TOKEN_MAX + 64], url[URL_MAX];
	long status = 0;

	int r = get_token(base, header);
	if (r)
		return r;
	(void)snprintf(url, sizeof(url), "%.200s/latest/user-data", base);
	r = ask(url, "GET", header, &data, &status);
	explicit_bzero(header, sizeof(header));
	if (r)
		return r;
	if (status == HTTP_NOT_FOUND || (status == HTTP_OK && data.len == 0))
		return IMDS_NO_DATA;
	if (status >= 500)
		return IMDS_UNREACHABLE;
	if (status != HTTP_OK)
		return IMDS_REFUSED;
	buf_add(ret, data.data, data.len);
	return buf_error(ret);
}
