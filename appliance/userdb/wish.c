/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/userdb/wish.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/buf.h"
#include "common/names.h"
#include "common/proto/people.h"

const char *wish_fault_text(enum wish_fault fault)
{
	static const char *const TEXTS[WISH_FAULT_COUNT] = {
		[WISH_FITS] = "let through",
		[WISH_NAME] = "refused: no person can be called so",
		[WISH_SYSTEM] = "refused: it is the name of a user of the system",
		[WISH_UID] = "refused: the uid is not one of the people's",
		[WISH_NAME_TWICE] = "refused: another record has the name",
		[WISH_UID_TWICE] = "refused: another record has the uid",
		[WISH_TOO_MANY] = "refused: there are as many people as there may be",
	};

	return fault < WISH_FAULT_COUNT ? TEXTS[fault] : "?";
}

/* Whether name stands in the list, between two line ends. */
static bool is_listed(const char *list, const char *name)
{
	char line[NAME_PERSON_MAX + 3];

	(void)snprintf(line, sizeof(line), "\n%s\n", name);
	return strstr(list, line);
}

enum wish_fault wish_add(struct wish *wish, const struct people_one *one, const char *system)
{
	if (!name_is_person(one->name, strlen(one->name)))
		return WISH_NAME;
	if (is_listed(system, one->name))
		return WISH_SYSTEM;
	if (one->uid < PEOPLE_UID_FIRST || one->uid > PEOPLE_UID_LAST)
		return WISH_UID;
	for (size_t i = 0; i < wish->n; i++) {
		if (strcmp(wish->one[i].name, one->name) == 0)
			return WISH_NAME_TWICE;
		if (wish->one[i].uid == one->uid)
			return WISH_UID_TWICE;
	}
	if (wish->n == countof(wish->one))
		return WISH_TOO_MANY;
	wish->one[wish->n++] = *one;
	return WISH_FITS;
}

bool wish_has(const struct wish *wish, const char *name_or_uid)
{
	char uid[16];

	for (size_t i = 0; i < wish->n; i++) {
		(void)snprintf(uid, sizeof(uid), "%u", wish->one[i].uid);
		if (strcmp(wish->one[i].name, name_or_uid) == 0 || strcmp(uid, name_or_uid) == 0)
			return true;
	}
	return false;
}

static FILE *file_close(FILE *file)
{
	if (file)
		(void)fclose(file);
	return nullptr;
}
CLEANUP_FN(FILE, file_close)

int wish_system_names(const char *path, struct buf *ret)
{
	cleanup(file_close_at) FILE *file = fopen(path, "re");
	auto_free char *line = nullptr;
	size_t room = 0;

	if (!file)
		return neg_errno();
	buf_add_str(ret, "\n");
	while (getline(&line, &room, file) > 0) {
		line[strcspn(line, ":\n")] = '\0';
		buf_add_str(ret, line);
		buf_add_str(ret, "\n");
	}
	if (ferror(file) || (!feof(file) && errno == ENOMEM))
		return errno == ENOMEM ? -ENOMEM : -EIO;
	return buf_error(ret);
}
