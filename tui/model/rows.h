/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * rows: what a service answered: a list of records, each a set of named values.
 *
 * Layer 2 (tui/model). Knows nothing of where the values come from. Texts are kept as they came;
 * whoever shows them cleans them (text.h). May hold a secret: all memory is wiped when freed.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base.h"

constexpr size_t ROWS_MAX = 5000;     /* people ≤ 1000, a ledger page ≤ 500, keys in all ≤ 5000 */
constexpr size_t ROW_FIELDS_MAX = 64; /* twice the widest record, Appliance1.Status */
constexpr size_t ROW_LIST_MAX = 1024; /* items of one list value */
constexpr size_t ROWS_TEXT_MAX = 16u << 20; /* bytes of all texts together */

enum field_kind {
	FIELD_TEXT,
	FIELD_NUMBER,
	FIELD_FLAG,
	FIELD_LIST
};

/* Outcomes above zero. */
enum {
	ROWS_OK = 0,
	ROWS_FULL, /* one of the limits above was reached */
};

struct rows;

/* Make an empty list. Returns 0 or -ENOMEM; *ret is set only on success. */
[[nodiscard]] int rows_new(struct rows **ret);

/* Wipe and free; nullptr is a no-op. Always returns nullptr. */
struct rows *rows_free(struct rows *rows);
CLEANUP_FN(struct rows, rows_free)

/* Begin the next record. Returns 0, ROWS_FULL or -ENOMEM. */
[[nodiscard]] int rows_add_row(struct rows *rows);

/* Add a text to the last record. Returns 0, ROWS_FULL or -ENOMEM. */
[[nodiscard]] int rows_add_text(struct rows *rows, const char *key, const char *text);

/* Add a number to the last record. Returns 0, ROWS_FULL or -ENOMEM. */
[[nodiscard]] int rows_add_number(struct rows *rows, const char *key, uint64_t number);

/* Add a yes or no to the last record. Returns 0, ROWS_FULL or -ENOMEM. */
[[nodiscard]] int rows_add_flag(struct rows *rows, const char *key, bool flag);

/* Add an empty list to the last record. Returns 0, ROWS_FULL or -ENOMEM. */
[[nodiscard]] int rows_add_list(struct rows *rows, const char *key);

/* Add an item to the list added last. Returns 0, ROWS_FULL or -ENOMEM. */
[[nodiscard]] int rows_add_item(struct rows *rows, const char *text);

/* Number of records; 0 for nullptr. */
[[nodiscard]] size_t rows_count(const struct rows *rows);

/* Number of values of record i, which must exist. */
[[nodiscard]] size_t rows_fields(const struct rows *rows, size_t i);

/* Name of value j of record i; both must exist. */
[[nodiscard]] const char *rows_key(const struct rows *rows, size_t i, size_t j);

/* Kind of value j of record i; both must exist. */
[[nodiscard]] enum field_kind rows_kind(const struct rows *rows, size_t i, size_t j);

/*
 * A text by name, as it came. "" if there is no such record, no such value, or it is no text; all
 * by-name questions below are as forgiving, and take nullptr for an empty list.
 */
[[nodiscard]] const char *rows_text(const struct rows *rows, size_t i, const char *key);

/* A number by name; 0 if there is none. */
[[nodiscard]] uint64_t rows_number(const struct rows *rows, size_t i, const char *key);

/* A yes or no by name; false if there is none. */
[[nodiscard]] bool rows_flag(const struct rows *rows, size_t i, const char *key);

/* Number of items of a list by name; 0 if there is none. */
[[nodiscard]] size_t rows_list_count(const struct rows *rows, size_t i, const char *key);

/* Item n of a list by name; "" if there is none. */
[[nodiscard]] const char *rows_list_item(const struct rows *rows, size_t i, const char *key,
					 size_t n);

/* Whether a list by name holds this item. */
[[nodiscard]] bool rows_list_has(const struct rows *rows, size_t i, const char *key,
				 const char *item);

struct buf;

/* Append any value by name for people: numbers in digits, yes or no, list items joined by ", ". Not cleaned. */
void rows_show(const struct rows *rows, size_t i, const char *key, struct buf *out);

/* Append record i as a JSON object. A failure sticks to out. */
void rows_json(const struct rows *rows, size_t i, struct buf *out);
