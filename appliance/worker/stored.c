/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/worker/stored.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "appliance/worker/apply.h"
#include "appliance/worker/config_lines.h"
#include "appliance/worker/files.h"
#include "appliance/worker/handover.h"
#include "common/crypto/crypto.h"
#include "common/log.h"

constexpr size_t DIFF_MAX = 128 * 1024;
static const char CURRENT[] = "config.json", PREVIOUS[] = "previous.json";

struct stored *stored_free(struct stored *stored)
{
	if (!stored)
		return nullptr;
	buf_done(&stored->text);
	buf_done(&stored->offer_text);
	free(stored);
	return nullptr;
}

static int open_folder(int state, int *ret)
{
	*ret = openat(state, "config", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *ret < 0 ? neg_errno() : 0;
}

static bool is_there(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int sha256_text(const struct buf *text, char ret[STORED_SHA])
{
	uint8_t hash[CRYPTO_HASH];
	int r = crypto_sha256(text->data, text->len, hash);

	if (r == 0)
		crypto_hex(hash, sizeof(hash), ret);
	return r;
}

/* Whether two configurations mean the same. Returns 1, 0 or -ENOMEM. */
static int mean_the_same(const struct config *a, const struct config *b)
{
	auto_buf struct buf diff = buf_make(DIFF_MAX);
	int r = config_diff(a, b, &diff);

	return r ? r : diff.len == 0;
}

/* Read and parse what lies in the volume's folder. */
static int look_at_stored(int dir, struct stored *to)
{
	int r = files_read(dir, CURRENT, &to->text);

	if (r)
		return r == -ENOENT ? 0 : r;
	r = sha256_text(&to->text, to->sha256);
	if (r == 0)
		r = config_parse((const char *)to->text.data, to->text.len, &to->config, to->why);
	to->sound = r == 0;
	return r < 0 ? r : 0;
}

/* A reason that the job which opened the volume has left: there were no bytes to leave. */
static int look_at_reason(int run, struct stored *to)
{
	auto_buf struct buf why = buf_make(CONFIG_ERROR - 1);
	int r = files_read(run, "config-wrong", &why);

	if (r)
		return r == -ENOENT ? 0 : r;
	const char *text = buf_text(&why);
	if (!text)
		return -ENOMEM;
	to->offer = OFFER_INVALID;
	(void)snprintf(to->offer_why, sizeof(to->offer_why), "%s", text);
	return 0;
}

/* Read and parse what the launcher gave. */
static int look_at_offer(struct stored *to)
{
	auto_close int run = -1;
	int r = handover_open(&run);

	if (r == 0)
		r = files_read(run, CURRENT, &to->offer_text);
	if (r)
		return r != -ENOENT ? r : run < 0 ? 0 : look_at_reason(run, to);
	r = sha256_text(&to->offer_text, to->offer_sha256);
	if (r == 0)
		r = config_parse((const char *)to->offer_text.data, to->offer_text.len,
				 &to->offered, to->offer_why);
	if (r == CONFIG_INVALID)
		to->offer = OFFER_INVALID;
	if (r)
		return r < 0 ? r : 0;
	int same = to->sound ? mean_the_same(&to->config, &to->offered) : 0;
	to->offer = same == 1 ? OFFER_SAME : OFFER_DIFFERS;
	return same < 0 ? same : 0;
}

int stored_look(int state, struct stored **ret)
{
	cleanup(stored_free_at) struct stored *stored = calloc(1, sizeof(*stored));
	auto_close int dir = -1;

	if (!stored)
		return -ENOMEM;
	stored->text = buf_make(CONFIG_MAX + 1);
	stored->offer_text = buf_make(CONFIG_MAX + 1);
	int r = open_folder(state, &dir);
	if (r)
		return r;
	stored->pinned = !is_there(dir, "unpinned");
	stored->trial = is_there(dir, "trial");
	r = look_at_stored(dir, stored);
	if (r == 0)
		r = look_at_offer(stored);
	if (r)
		return r;
	*ret = TAKE(stored);
	return 0;
}

static int put_flag(int dir, const char *name, bool on)
{
	if (on)
		return files_write(dir, name, "", 0, 0644);
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return neg_errno();
	return fsync(dir) < 0 ? neg_errno() : 0;
}

int stored_write(int state, const struct buf *text, bool trial)
{
	auto_buf struct buf before = buf_make(CONFIG_MAX + 1);
	auto_close int dir = -1;
	int r = open_folder(state, &dir);

	if (r)
		return r;
	/* While a change waits to be confirmed, the one before it stays what would be gone back to. */
	bool pending = is_there(dir, "trial");
	r = files_read(dir, CURRENT, &before);
	if (r == 0 && !pending)
		r = files_write(dir, PREVIOUS, before.data, before.len, 0644);
	/* The flag before the change: a cut between them takes back what was not made. */
	if (r == 0 || r == -ENOENT)
		r = put_flag(dir, "trial", (trial || pending) && before.len > 0);
	return r ? r : files_write(dir, CURRENT, text->data, text->len, 0644);
}

int stored_swap(int state)
{
	auto_close int dir = -1;
	int r = open_folder(state, &dir);

	if (r)
		return r;
	if (!is_there(dir, PREVIOUS))
		return -ENOENT;
	if (renameat2(dir, PREVIOUS, dir, CURRENT, RENAME_EXCHANGE) < 0)
		return neg_errno();
	return put_flag(dir, "trial", false);
}

int stored_confirm(int state)
{
	auto_close int dir = -1;
	int r = open_folder(state, &dir);

	return r ? r : put_flag(dir, "trial", false);
}

int stored_pin(int state, bool pin)
{
	auto_close int dir = -1;
	int r = open_folder(state, &dir);

	return r ? r : put_flag(dir, "unpinned", !pin);
}

/* The stored one is unreadable or was never confirmed: the one before it holds, if it is sound. */
static int fall_back(int state, const char *why)
{
	log_event(LOG_ERR, EVENT_PROVISION, 0,
		  "the stored configuration is taken back; the one before it holds", why);
	int r = stored_swap(state);

	return r ? r : handover_leave("config-restored", why, strlen(why));
}

/* Nothing is stored: this volume was just made, and what the launcher gives is what holds. */
static int settle_first(int state, struct stored *stored, char *text, size_t room)
{
	if (stored->offer == OFFER_NONE)
		return -ENOENT;
	if (stored->offer == OFFER_INVALID) {
		(void)snprintf(text, room, "the configuration of this boot is not valid: %s",
			       stored->offer_why);
		return -EBADMSG;
	}
	return stored_write(state, &stored->offer_text, false);
}

/* Take the launcher's in the place of the stored one: an admin has allowed it. */
static int take_offer(int state, const struct stored *stored)
{
	int r = stored_write(state, &stored->offer_text, false);

	log_event(LOG_NOTICE, EVENT_PROVISION, r,
		  "the configuration is not pinned: the launcher's replaces it",
		  stored->offer_sha256);
	return r ? r : handover_leave("config-taken", stored->sha256, strlen(stored->sha256));
}

/* Decide by what was found; the store is then what holds. */
static int settle_store(int state, struct stored *stored, char *text, size_t room)
{
	if (stored->text.len == 0)
		return settle_first(state, stored, text, room);
	if (!stored->sound) {
		(void)snprintf(text, room, "the configuration on the volume is not valid: %s",
			       stored->why);
		return fall_back(state, stored->why) ? -EBADMSG : 0;
	}
	if (stored->trial)
		return fall_back(state, "the change was not confirmed before the restart");
	if (stored->offer == OFFER_DIFFERS && !stored->pinned)
		return take_offer(state, stored);
	if (stored->offer == OFFER_DIFFERS || stored->offer == OFFER_INVALID)
		log_event(
			LOG_WARNING, EVENT_PROVISION, 0,
			stored->offer == OFFER_INVALID
				? "the launcher's configuration is not valid; the stored one holds"
				: "the launcher's configuration differs; the stored one holds",
			stored->offer == OFFER_INVALID ? stored->offer_why : stored->offer_sha256);
	return 0;
}

int stored_settle(int state, struct config *config, char *text, size_t room)
{
	cleanup(stored_free_at) struct stored *before = nullptr, *after = nullptr;
	int r = stored_look(state, &before);

	if (r == 0)
		r = settle_store(state, before, text, room);
	if (r == 0)
		r = stored_look(state, &after);
	if (r)
		return r;
	if (!after->sound) {
		(void)snprintf(text, room, "the configuration on the volume is not valid: %s",
			       after->why);
		return -EBADMSG;
	}
	text[0] = '\0';
	*config = after->config;
	return apply(config);
}
