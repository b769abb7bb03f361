/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * batch_text: a batch of documents as text, taken apart without reading what is in them.
 *
 * Layer 7 (service/engine). One number beyond every range, or half a character, makes a text invalid JSON as a whole. So that it
 * costs one document and not its batch, the text is cut at the documents' ends and each read by itself. Pure.
 */

#include <stddef.h>

#include "common/base.h"
#include "common/buf.h"

/* Told of each document that is not valid JSON by itself: its number from 0, and why. A return other than 0 ends the walk. */
typedef int batch_text_bad_fn(void *userdata, size_t index, const char *why);

/*
 * Write the text anew with null in the place of each member of the list `data` that is not valid JSON.
 *
 * text  [len] a JSON object
 * out   appended; its error is for the caller to ask
 *
 * Returns 0, 1 if there are no ends of documents to be seen in it, or what bad returned.
 * Cost: a few passes over the text.
 */
[[nodiscard]] int batch_text_mend(const char *text, size_t len, struct buf *out,
				  batch_text_bad_fn *bad, void *userdata);
