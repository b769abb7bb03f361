/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/worker/files.h"
#include "appliance/worker/run.h"
#include "common/buf.h"
#include "common/crypto/cert.h"
#include "common/crypto/crypto.h"

constexpr size_t GRANT_KEY_LEN = 64;
constexpr size_t PEM_MAX = 64 * 1024;
constexpr int KEYGEN_TIMEOUT_S = 60;
constexpr uint64_t DAY_S = 86400;
constexpr uint64_t CLOCK_SLACK_S = 3600; /* clients whose clock is behind */
/* Names of config.tls, the host name, localhost, two loopback addresses, the static address. */
constexpr size_t NAMES_MAX = CONFIG_TLS_NAMES_MAX + 5;

static void secret_buf_done(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->room);
	buf_done(buf);
}

static bool exists(int dir, const char *name)
{
	struct stat st;

	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static int open_below(int state, const char *name, int *ret)
{
	int fd = openat(state, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return neg_errno();
	*ret = fd;
	return 0;
}

int identity_grant_key(int state)
{
	uint8_t key[GRANT_KEY_LEN];
	auto_close int dir = -1;
	int r = open_below(state, "keys", &dir);

	if (r || exists(dir, "grant"))
		return r;
	r = crypto_random(key, sizeof(key));
	if (r == 0)
		r = files_write(dir, "grant", key, sizeof(key), 0600);
	explicit_bzero(key, sizeof(key));
	return r;
}

int identity_ssh_host_key(const char *path)
{
	static const char NAME[] = "ssh_host_ed25519_key";
	auto_buf struct buf said = buf_make(1024);
	auto_close int dir = -1;
	char folder[256], file[512];

	(void)snprintf(folder, sizeof(folder), "%s/ssh", path);
	int r = files_open_folder(folder, &dir);
	if (r || (exists(dir, NAME) && exists(dir, "ssh_host_ed25519_key.pub")))
		return r;

	/* Beside it first: ssh-keygen writes two files, and the power may go between them. */
	(void)unlinkat(dir, NAME, 0);
	(void)unlinkat(dir, ".new", 0);
	(void)unlinkat(dir, ".new.pub", 0);
	(void)snprintf(file, sizeof(file), "%s/.new", folder);
	const char *const argv[] = { "/usr/bin/ssh-keygen",
				     "-q",
				     "-t",
				     "ed25519",
				     "-N",
				     "",
				     "-C",
				     "redoubt",
				     "-f",
				     file,
				     nullptr };
	struct run run = { .argv = argv, .timeout_s = KEYGEN_TIMEOUT_S };
	r = run_program(&run, &said);
	if (r)
		return r < 0 ? r : -EIO;
	if (fchmodat(dir, ".new.pub", 0644, 0) < 0 ||
	    renameat(dir, ".new.pub", dir, "ssh_host_ed25519_key.pub") < 0 ||
	    renameat(dir, ".new", dir, NAME) < 0)
		return neg_errno();
	sync(); /* ssh-keygen does not */
	return 0;
}

/* Write a key, then its certificate: a certificate that is there has its key. */
static int write_pair(int dir, const struct buf *key, const char *cert_name, const struct buf *cert,
		      mode_t cert_mode)
{
	if (buf_error(key) || buf_error(cert))
		return buf_error(key) ? buf_error(key) : buf_error(cert);
	int r = files_write(dir, "key.pem", key->data, key->len, 0600);
	return r ? r : files_write(dir, cert_name, cert->data, cert->len, cert_mode);
}

/* The CA's key and certificate, made if they are not there. */
static int get_ca(int state, const struct config *config, const struct era *era, struct buf *key,
		  struct buf *cert)
{
	auto_close int dir = -1;
	char name[96];
	uint64_t at_s[2];
	int r = open_below(state, "ca", &dir);

	if (r)
		return r;
	if (exists(dir, "ca.pem") && exists(dir, "key.pem")) {
		r = files_read(dir, "key.pem", key);
		return r ? r : files_read(dir, "ca.pem", cert);
	}
	(void)snprintf(name, sizeof(name), "Redoubt CA of %.50s", config->hostname);
	/* People keep it for years, so it is valid at every time that it may be now. */
	era_points(era, at_s);
	if (era->floor_s > 0 && era->floor_s < at_s[0])
		at_s[0] = era->floor_s;
	r = cert_make_ca(name, at_s[0] - CLOCK_SLACK_S,
			 IDENTITY_CA_DAYS + (unsigned int)((at_s[1] - at_s[0]) / DAY_S), key, cert);
	return r ? r : write_pair(dir, key, "ca.pem", cert, 0644);
}

/* Every name a client may know the appliance by, each once. address: room for the static one. */
static size_t all_names(const struct config *config, char address[CONFIG_NET_TEXT],
			const char *ret[NAMES_MAX])
{
	const char *wanted[NAMES_MAX];
	size_t n_wanted = 0, n = 0;

	for (size_t i = 0; i < config->n_tls_names; i++)
		wanted[n_wanted++] = config->tls_name[i];
	wanted[n_wanted++] = config->hostname;
	if (config->has_network) {
		config_net_text(&config->address, false, address);
		wanted[n_wanted++] = address;
	}
	wanted[n_wanted++] = "localhost";
	wanted[n_wanted++] = "127.0.0.1";
	wanted[n_wanted++] = "::1";
	for (size_t i = 0; i < n_wanted; i++) {
		bool again = false;

		for (size_t k = 0; k < n; k++)
			again = again || strcasecmp(ret[k], wanted[i]) == 0;
		if (!again)
			ret[n++] = wanted[i];
	}
	return n;
}

/*
 * Whether the server's certificate need not be made (again): it is valid at both ends of what the time
 * may be, and as long as those that are made with this clock.
 */
static bool is_good(const struct buf *chain, const struct buf *ca, const char *const *name,
		    size_t n, const struct era *era)
{
	uint64_t valid_s[2], at_s[2];

	if (!cert_validity(chain->data, chain->len, valid_s))
		return false;
	if (!cert_is_issued_by(chain->data, chain->len, ca->data, ca->len))
		return true; /* somebody has brought it */
	era_points(era, at_s);
	if (!era->doubtful)
		at_s[1] += IDENTITY_RENEW_DAYS * DAY_S;
	if (valid_s[0] > at_s[0] || valid_s[1] < at_s[1])
		return false;
	/* Made when the clock was wrong, to be on the safe side: not any longer than need be. */
	if (!era->doubtful && valid_s[1] - valid_s[0] > (IDENTITY_SERVER_DAYS + 1) * DAY_S)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!cert_has_name(chain->data, chain->len, name[i]))
			return false;
	return true;
}

/* From when to when a server's certificate is made: with a doubtful clock, over all it may be, and a week. */
static void validity(const struct era *era, uint64_t ret[static 2])
{
	era_points(era, ret);
	ret[0] -= ret[0] > CLOCK_SLACK_S ? CLOCK_SLACK_S : ret[0];
	ret[1] = era->doubtful ? ret[1] + IDENTITY_DOUBTFUL_DAYS * DAY_S
			       : ret[0] + IDENTITY_SERVER_DAYS * DAY_S;
}

/* The certificate and key that are there, if both are. */
static int read_pair(int dir, struct buf *chain, struct buf *key)
{
	if (!exists(dir, "cert.pem") || !exists(dir, "key.pem"))
		return 0;
	int r = files_read(dir, "cert.pem", chain);
	return r ? r : files_read(dir, "key.pem", key);
}

/* Look at the server's certificate and make it if it has to be; anew: in any case, if it is ours. */
static int certificates(int state, const struct config *config, const struct era *era, bool anew)
{
	cleanup(secret_buf_done) struct buf ca_key = buf_make(PEM_MAX), key = buf_make(PEM_MAX);
	auto_buf struct buf ca = buf_make(PEM_MAX), chain = buf_make(PEM_MAX);
	char address[CONFIG_NET_TEXT];
	const char *name[NAMES_MAX];
	size_t n = all_names(config, address, name);
	auto_close int dir = -1;
	uint64_t valid_s[2];

	int r = get_ca(state, config, era, &ca_key, &ca);
	if (r == 0)
		r = open_below(state, "tls", &dir);
	if (r == 0)
		r = read_pair(dir, &chain, &key);
	if (r)
		return r;
	if (anew && chain.len > 0 && !cert_is_issued_by(chain.data, chain.len, ca.data, ca.len))
		return IDENTITY_REFUSED;
	/* A power cut between the two files leaves a key that is not the certificate's. */
	if (!anew && cert_has_key(chain.data, chain.len, key.data, key.len) &&
	    is_good(&chain, &ca, name, n, era))
		return 0;

	buf_clear(&chain);
	buf_clear(&key);
	const struct cert_issuer issuer = { ca_key.data, ca_key.len, ca.data, ca.len };
	validity(era, valid_s);
	r = cert_make_server(&issuer, name, n, valid_s, &key, &chain);
	return r ? r : write_pair(dir, &key, "cert.pem", &chain, 0600);
}

int identity_certificates(int state, const struct config *config, const struct era *era)
{
	return certificates(state, config, era, false);
}

int identity_renew(int state, const struct config *config, const struct era *era)
{
	return certificates(state, config, era, true);
}

int identity_install(int state, const struct config *config, const char *chain, const char *key,
		     uint64_t now_s, char text[IDENTITY_TEXT])
{
	char why[CERT_TEXT];
	auto_close int dir = -1;

	if (cert_check(chain, strlen(chain), key, strlen(key), now_s, why) != CERT_OK) {
		(void)snprintf(text, IDENTITY_TEXT, "%s", why);
		return IDENTITY_REFUSED;
	}
	for (size_t i = 0; i < config->n_tls_names; i++) {
		if (cert_has_name(chain, strlen(chain), config->tls_name[i]))
			continue;
		(void)snprintf(text, IDENTITY_TEXT,
			       "the certificate is not for %.200s, which the configuration's "
			       "tls.names asks for",
			       config->tls_name[i]);
		return IDENTITY_REFUSED;
	}
	int r = open_below(state, "tls", &dir);
	if (r == 0)
		r = files_write(dir, "key.pem", key, strlen(key), 0600);
	return r ? r : files_write(dir, "cert.pem", chain, strlen(chain), 0600);
}
