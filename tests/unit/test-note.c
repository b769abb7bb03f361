/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/audit/note.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/secret.h"
#include "tests/lib/fault.h"
#include "tests/lib/tap.h"

/* The example of Go's package golang.org/x/mod/sumdb/note, made by other code than ours. */
static const char OTHERS_KEY[] =
	"PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char OTHERS_NOTE[] =
	"If you think cryptography is the answer to your problem,\n"
	"then you don't know what your problem is.\n"
	"\n"
	"\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

static const char TEXT[] = "example.org/ledger\n5\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
constexpr uint64_t TIME_S = 1'795'000'000;

static struct secret private_key;
static struct note_key key = { .name = "example.org/ledger" };

static bool is_note(const char *text)
{
	struct note note;

	return note_read(text, strlen(text), &note);
}

static bool a_note_made_by_other_code_is_verified(void)
{
	struct note_key others;
	struct note note;

	CHECK(note_key_read(OTHERS_KEY, strlen(OTHERS_KEY), &others));
	CHECK(strcmp(others.name, "PeterNeumann") == 0);
	CHECK(note_read(OTHERS_NOTE, strlen(OTHERS_NOTE), &note));
	CHECK_EQ(note_check(&note, &others), NOTE_GOOD);
	CHECK_EQ(note_check(&note, &key), NOTE_UNSIGNED);
	return true;
}

static bool a_key_is_written_as_it_is_read(void)
{
	auto_buf struct buf out = buf_make(NOTE_MAX);
	struct note_key others;

	CHECK(note_key_read(OTHERS_KEY, strlen(OTHERS_KEY), &others));
	note_key_write(&out, &others);
	CHECK(strcmp(buf_text(&out), OTHERS_KEY) == 0);
	return true;
}

static bool every_changed_or_cut_key_is_refused(void)
{
	struct note_key others;
	char text[sizeof(OTHERS_KEY)];

	for (size_t len = 0; len < strlen(OTHERS_KEY); len++)
		CHECK(!note_key_read(OTHERS_KEY, len, &others));
	for (size_t i = 0; i < strlen(OTHERS_KEY); i++) {
		memcpy(text, OTHERS_KEY, sizeof(text));
		text[i] = (char)(text[i] ^ 1);
		CHECK(!note_key_read(text, strlen(text), &others));
	}
	return true;
}

static bool what_we_sign_verifies_and_tells_its_time(void)
{
	auto_buf struct buf out = buf_make(NOTE_MAX);
	struct checkpoint checkpoint;
	struct note note;
	uint64_t time_s = 0;

	CHECK_EQ(note_sign(&out, TEXT, strlen(TEXT), &key, &private_key, TIME_S), 0);
	CHECK(note_read(out.data, out.len, &note));
	CHECK_EQ(note_check(&note, &key), NOTE_GOOD);
	CHECK_EQ(note_check_time(&note, &key, &time_s), NOTE_GOOD);
	CHECK_EQ(time_s, TIME_S);
	CHECK(note_checkpoint_read(note.text.data, note.text.len, &checkpoint));
	CHECK(strcmp(checkpoint.origin, "example.org/ledger") == 0);
	CHECK_EQ(checkpoint.size, 5u);

	auto_buf struct buf again = buf_make(NOTE_MAX);
	note_checkpoint_write(&again, &checkpoint);
	CHECK(strcmp(buf_text(&again), TEXT) == 0);
	return true;
}

static bool no_flipped_bit_of_a_note_goes_unnoticed(void)
{
	auto_buf struct buf out = buf_make(NOTE_MAX);
	struct note note;
	uint64_t time_s;

	CHECK_EQ(note_sign(&out, TEXT, strlen(TEXT), &key, &private_key, TIME_S), 0);
	for (size_t bit = 0; bit < 8 * out.len; bit++) {
		out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		bool good = note_read(out.data, out.len, &note) &&
			    note_check(&note, &key) == NOTE_GOOD &&
			    note_check_time(&note, &key, &time_s) == NOTE_GOOD;
		out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		CHECK(!good);
	}
	for (size_t len = 0; len < out.len; len++)
		CHECK(!note_read(out.data, len, &note) ||
		      note_check_time(&note, &key, &time_s) != NOTE_GOOD);
	return true;
}

static bool a_wrong_signature_under_a_known_key_refuses_the_note(void)
{
	auto_buf struct buf out = buf_make(NOTE_MAX), forged = buf_make(NOTE_MAX);
	struct note note;

	CHECK_EQ(note_sign(&out, TEXT, strlen(TEXT), &key, &private_key, TIME_S), 0);
	buf_add_str(&forged,
		    "example.org/ledger\n6\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n");
	buf_add(&forged, out.data + strlen(TEXT), out.len - strlen(TEXT));
	CHECK(note_read(forged.data, forged.len, &note));
	CHECK_EQ(note_check(&note, &key), NOTE_FORGED);
	return true;
}

static bool another_key_of_the_same_name_signs_nothing_for_ours(void)
{
	auto_buf struct buf out = buf_make(NOTE_MAX);
	auto_secret struct secret other_private = {};
	struct note_key other = key;
	struct note note;

	CHECK_EQ(crypto_sign_keys(&other_private, other.public_key), 0);
	CHECK_EQ(note_sign(&out, TEXT, strlen(TEXT), &other, &other_private, TIME_S), 0);
	CHECK(note_read(out.data, out.len, &note));
	CHECK_EQ(note_check(&note, &key), NOTE_UNSIGNED);
	return true;
}

static bool unknown_signatures_are_ignored_up_to_a_hundred(void)
{
	auto_buf struct buf out = buf_make(NOTE_MAX * 4);
	struct note note;

	CHECK_EQ(note_sign(&out, TEXT, strlen(TEXT), &key, &private_key, 0), 0);
	for (int i = 0; i < 99; i++)
		buf_addf(&out, "\u2014 witness%d AAAAAAAAAAAAAAAA\n", i);
	CHECK(note_read(out.data, out.len, &note));
	CHECK_EQ(note_check(&note, &key), NOTE_GOOD);
	buf_add_str(&out, "\u2014 one-too-many AAAAAAAAAAAAAAAA\n");
	CHECK(!note_read(out.data, out.len, &note));
	return true;
}

static bool a_signature_as_long_as_a_post_quantum_one_is_ignored_too(void)
{
	auto_buf struct buf out = buf_make(NOTE_MAX);
	struct note note;

	CHECK_EQ(note_sign(&out, TEXT, strlen(TEXT), &key, &private_key, 0), 0);
	buf_add_str(&out, "\u2014 quantum ");
	for (int i = 0; i < 3232 / 4; i++)
		buf_add_str(&out, "AAAA");
	buf_add_str(&out, "\n");
	CHECK(note_read(out.data, out.len, &note));
	CHECK_EQ(note_check(&note, &key), NOTE_GOOD);
	return true;
}

static bool what_is_no_note_is_refused(void)
{
	CHECK(is_note("a\n\n\u2014 n AAAAAAAAAAAAAAAA\n"));
	CHECK(!is_note(""));
	CHECK(!is_note("a\n"));
	CHECK(!is_note("a\n\n"));
	CHECK(!is_note("\n\u2014 n AAAAAAAAAAAAAAAA\n"));
	CHECK(!is_note("a\n\n\u2014 n AAAAAAAAAAAAAAAA"));
	CHECK(!is_note("a\n\n- n AAAAAAAAAAAAAAAA\n"));
	CHECK(!is_note("a\n\n\u2014 n+m AAAAAAAAAAAAAAAA\n"));
	CHECK(!is_note("a\n\n\u2014  AAAAAAAAAAAAAAAA\n"));
	CHECK(!is_note("a\n\n\u2014 n AAAA*AAA\n"));
	CHECK(!is_note("a\n\n\u2014 n AAAA\n"));
	CHECK(!is_note("a\r\n\n\u2014 n AAAAAAAAAAAAAAAA\n"));
	CHECK(!is_note("a\x1b[2J\n\n\u2014 n AAAAAAAAAAAAAAAA\n"));
	CHECK(!is_note("\xff\n\n\u2014 n AAAAAAAAAAAAAAAA\n"));
	return true;
}

static bool numbers_are_plain_decimals(void)
{
	static const char *const BAD[] = { "",
					   "01",
					   "+1",
					   "-1",
					   " 1",
					   "1 ",
					   "0x1",
					   "18446744073709551616",
					   "99999999999999999999999" };
	uint64_t value = 0;

	for (size_t i = 0; i < countof(BAD); i++)
		CHECK(!note_number((struct bytes) { (const uint8_t *)BAD[i], strlen(BAD[i]) },
				   &value));
	CHECK(note_number((struct bytes) { (const uint8_t *)"18446744073709551615", 20 }, &value));
	CHECK_EQ(value, UINT64_MAX);
	return true;
}

static bool every_failed_allocation_while_signing_is_survived(void)
{
	for (size_t n = 1;; n++) {
		auto_buf struct buf out = buf_make(NOTE_MAX);

		fault_at(n);
		int r = note_sign(&out, TEXT, strlen(TEXT), &key, &private_key, TIME_S);
		r = r ? r : buf_error(&out);
		if (!fault_end())
			return r == 0;
		CHECK(r != 0);
	}
}

int main(void)
{
	if (crypto_sign_keys(&private_key, key.public_key))
		return 99;
	RUN(a_note_made_by_other_code_is_verified);
	RUN(a_key_is_written_as_it_is_read);
	RUN(every_changed_or_cut_key_is_refused);
	RUN(what_we_sign_verifies_and_tells_its_time);
	RUN(no_flipped_bit_of_a_note_goes_unnoticed);
	RUN(a_wrong_signature_under_a_known_key_refuses_the_note);
	RUN(another_key_of_the_same_name_signs_nothing_for_ours);
	RUN(unknown_signatures_are_ignored_up_to_a_hundred);
	RUN(a_signature_as_long_as_a_post_quantum_one_is_ignored_too);
	RUN(what_is_no_note_is_refused);
	RUN(numbers_are_plain_decimals);
	RUN(every_failed_allocation_while_signing_is_survived);
	secret_done(&private_key);
	return tap_done();
}
