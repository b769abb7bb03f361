/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * store: the collections' documents and their catalog on disk.
 *
 * Layer 2 (service/store). Uses common/ only; used by service/sql and service/engine.
 * A write is on disk (fdatasync) before the call that made it returns, and what is read next sees it.
 * What is deleted is overwritten. All of it is one SQLite database in WAL mode; catalog.h and documents.h are the
 * doors, and only service/sql looks behind them.
 * Threads: a struct store may be used by any number of threads, writes take turns; a struct
 * store_reader belongs to one thread at a time.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

struct sqlite3;
struct store;
struct store_reader;

constexpr size_t STORE_UUID = 37; /* a UUID's text with its NUL */

enum {
	STORE_OK = 0,
	STORE_TOO_NEW = 1, /* written by a later release; left alone */
};

/*
 * Open the store in a folder, making it if the folder is empty. Temporary files go to the folder as well.
 * Once per process: where temporary files go is one setting for all of SQLite.
 *
 * Returns 0, STORE_TOO_NEW, or -errno; *ret is set only on success.
 */
[[nodiscard]] int store_open(const char *folder, struct store **ret);

/* Close; its readers must be gone. nullptr is a no-op. Always returns nullptr. */
struct store *store_close(struct store *store);
CLEANUP_FN(struct store, store_close)

/*
 * Make a reader. What it sees moves on with each call; between store_reader_begin() and
 * store_reader_end() it stands still.
 *
 * Returns 0 or -errno.
 */
[[nodiscard]] int store_reader_new(struct store *store, struct store_reader **ret);

/* Free; nullptr is a no-op. Always returns nullptr. */
struct store_reader *store_reader_free(struct store_reader *reader);
CLEANUP_FN(struct store_reader, store_reader_free)

/* Hold what the reader sees. Returns 0 or -errno. */
[[nodiscard]] int store_reader_begin(struct store_reader *reader);

/* Let go of it. */
void store_reader_end(struct store_reader *reader);

/* The reader's connection, read-only; for service/sql. Borrowed. */
[[nodiscard]] struct sqlite3 *store_reader_db(struct store_reader *reader);

/* Begin a write: wait for the turn, open a transaction. Returns the connection to write with, or nullptr and an error in *ret_error. For catalog and documents. */
[[nodiscard]] struct sqlite3 *store_write_begin(struct store *store, int *ret_error);

/* End it: commit durably if r is 0, else undo; then pass the turn on. Returns r or why the commit failed. */
[[nodiscard]] int store_write_end(struct store *store, int r);

/* Move what was committed into the main file and empty the log, so that nothing deleted lingers there. Does as much as readers allow. */
void store_settle(struct store *store);

/* Bytes on disk: the database and its log. */
[[nodiscard]] uint64_t store_size(struct store *store);

/* Write a random UUID (version 4). Returns 0 or -errno of getrandom(2). Source: RFC 9562 section 5.4. */
[[nodiscard]] int store_uuid(char ret[STORE_UUID]);
