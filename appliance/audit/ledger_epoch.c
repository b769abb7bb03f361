/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "appliance/audit/entry.h"
#include "appliance/audit/epoch.h"
#include "appliance/audit/folder.h"
#include "appliance/audit/ledger.h"
#include "appliance/audit/ledger_parts.h"
#include "appliance/audit/note.h"
#include "common/base.h"
#include "common/buf.h"
#include "common/bytes.h"
#include "common/crypto/crypto.h"
#include "common/proto/audit.h"
#include "common/secret.h"

int ledger_key_save(struct ledger *ledger, const char *path, const struct secret *private_key)
{
	return folder_write(ledger->dir, path, private_key->data, private_key->len);
}

int ledger_key_load(struct ledger *ledger, const char *path, struct secret *ret_private,
		    uint8_t ret_public[CRYPTO_PUBLIC])
{
	auto_secret struct secret key = {};
	auto_close int fd = openat(ledger->dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return errno == ENOENT ? LEDGER_NO_ENTRY : neg_errno();

	int r = secret_init(&key, CRYPTO_PRIVATE);
	if (r)
		return r;
	ssize_t got = pread(fd, key.data, key.len, 0);
	if (got < 0)
		return neg_errno();
	if ((size_t)got != key.len)
		return LEDGER_DAMAGED;
	r = crypto_sign_public(&key, ret_public);
	if (r)
		return r;
	*ret_private = key;
	key = (struct secret) {};
	return 0;
}

/* Keep the checkpoint just signed as the epoch's last. */
static int save_seal(struct ledger *ledger)
{
	char path[EPOCH_PATH_MAX];

	epoch_path(ledger->epoch, path);
	return folder_write(ledger->dir, path, ledger->note.data, ledger->note.len);
}

/* Make key.next the key: the old one is wiped first, so from here on nobody can sign for its epoch. */
static int change_key(struct ledger *ledger, struct secret *next,
		      const struct epoch_statement *statement)
{
	int r = folder_shred(ledger->dir, LEDGER_KEY);

	if (r == 0 && renameat(ledger->dir, LEDGER_KEY_NEXT, ledger->dir, LEDGER_KEY) < 0)
		r = neg_errno();
	if (r == 0)
		r = folder_sync(ledger->dir, LEDGER_KEY);
	if (r)
		return r;
	secret_done(&ledger->private_key);
	ledger->private_key = *next;
	*next = (struct secret) {};
	ledger->key = statement->next;
	ledger->epoch = statement->epoch;
	ledger->epoch_first = ledger->size;
	return 0;
}

/* Add and commit the entry that names the next key. */
static int add_statement(struct ledger *ledger, const struct note_key *next)
{
	auto_buf struct buf detail = buf_make(AUDIT_DETAIL_MAX - 1);
	struct epoch_statement statement = { .epoch = ledger->epoch + 1,
					     .size = ledger->size,
					     .root = ledger->root,
					     .previous = ledger->key,
					     .next = *next };

	int r = epoch_statement_write(&detail, &statement, &ledger->private_key);
	const char *text = r == 0 ? buf_text(&detail) : nullptr;
	if (r == 0)
		r = text ? ledger_add_own(ledger, ENTRY_ROTATE, AUDIT_NO_INTENT, text) : -ENOMEM;
	return r ? r : ledger_commit(ledger);
}

int ledger_rotate(struct ledger *ledger)
{
	auto_secret struct secret next = {};
	struct note_key key = ledger->key;

	int r = ledger_intents_give_up(ledger, ledger->epoch_first);
	if (r == 0)
		r = ledger_publish(ledger); /* the statement names the root */
	if (r == 0)
		r = crypto_sign_keys(&next, key.public_key);
	if (r == 0)
		r = ledger_key_save(ledger, LEDGER_KEY_NEXT, &next);
	if (r == 0)
		r = add_statement(ledger, &key);
	if (r) { /* not recorded, so the key was never named */
		(void)folder_shred(ledger->dir, LEDGER_KEY_NEXT);
		return r;
	}
	return ledger_finish_rotation(ledger);
}

int ledger_statement(struct ledger *ledger, uint64_t index, struct epoch_statement *ret)
{
	auto_page struct ledger_page page = {};
	auto_entry struct entry entry = {};

	int r = ledger_page_read(ledger, index, &page);
	if (r)
		return r;
	struct bytes text = page.entry[index - page.first];
	r = entry_read(text.data, text.len, &entry);
	if (r)
		return r > 0 ? LEDGER_DAMAGED : r;
	if (!epoch_is_rotation(&entry))
		return LEDGER_NO_ENTRY;
	return epoch_statement_read(&entry, ret) == EPOCH_OK ? 0 : LEDGER_DAMAGED;
}

/* Sign the epoch's last checkpoint, unless that was done, and keep it. */
static int seal(struct ledger *ledger, const struct epoch_statement *statement)
{
	char path[EPOCH_PATH_MAX];

	epoch_path(ledger->epoch, path);
	if (ledger->epoch == statement->epoch || folder_has(ledger->dir, path))
		return 0;
	if (ledger->private_key.len == 0)
		return LEDGER_DAMAGED;
	int r = ledger_publish(ledger);
	return r ? r : save_seal(ledger);
}

int ledger_finish_rotation(struct ledger *ledger)
{
	auto_secret struct secret next = {};
	struct epoch_statement statement = {};
	uint8_t public_key[CRYPTO_PUBLIC];

	/* A rotation has taken place when its entry is there, and until it is finished that is the last one. */
	int named = ledger->size > 0 ? ledger_statement(ledger, ledger->size - 1, &statement)
				     : LEDGER_NO_ENTRY;
	if (named != 0 && named != LEDGER_NO_ENTRY)
		return named;

	int r = ledger_key_load(ledger, LEDGER_KEY_NEXT, &next, public_key);
	if (r < 0)
		return r;
	bool fits = r == 0 && named == 0 &&
		    memcmp(statement.next.public_key, public_key, CRYPTO_PUBLIC) == 0;
	if (!fits && named == 0 && statement.epoch > ledger->epoch)
		return LEDGER_DAMAGED; /* the next key is gone */
	if (!fits)
		return folder_shred(ledger->dir, LEDGER_KEY_NEXT);

	ledger->unfinished = true;
	r = seal(ledger, &statement);
	if (r == 0)
		r = change_key(ledger, &next, &statement);
	if (r == 0)
		r = ledger_publish(ledger);
	if (r == 0)
		ledger->unfinished = false;
	return r;
}
