/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/oracle/world.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "service/store/db.h"
#include "service/value/value_json.h"
#include "tests/oracle/documents.h"

constexpr size_t ID_MAX = 16;
constexpr size_t TEXT_MAX = 1u << 20;

const struct world_collection WORLD[WORLD_COLLECTIONS] = {
	{ "none", 0, false }, { "many", 2600, false }, { "some", 220, false },
	{ "few", 50, false }, { "odd", 40, true },
};

/* A document as it should be. */
struct known {
	char id[ID_MAX];
	uint8_t *packed;
	size_t len;
};

struct table {
	const struct world_collection *about;
	struct style style;
	struct random *r;
	struct fixture *f;
	struct known *known; /* [n] */
	size_t n, room;
	uint32_t number; /* of the next document */
};

static void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->known[i].packed);
	free(t->known);
}

static bool complain(const struct table *t, const char *what, int r)
{
	printf("# collection %s: %s failed with %d\n", t->about->name, what, r);
	return false;
}

static size_t find(const struct table *t, const char *id)
{
	size_t i = 0;

	while (i < t->n && strcmp(t->known[i].id, id) != 0)
		i++;
	return i;
}

/* What a document is from now on; packed is given away. */
static bool know(struct table *t, const char *id, struct buf *packed)
{
	size_t i = find(t, id);

	if (i == t->n && t->n == t->room) {
		size_t room = t->room ? 2 * t->room : 64;
		struct known *grown = realloc(t->known, room * sizeof(*grown));

		if (!grown)
			return false;
		t->known = grown;
		t->room = room;
	}
	if (i == t->n)
		t->known[t->n++] = (struct known) {};
	else
		free(t->known[i].packed);
	(void)snprintf(t->known[i].id, ID_MAX, "%s", id);
	t->known[i].packed = packed->data;
	t->known[i].len = packed->len;
	*packed = buf_make(TEXT_MAX);
	return true;
}

static void forget(struct table *t, size_t i)
{
	free(t->known[i].packed);
	t->known[i] = t->known[--t->n];
}

/* Make a document of this _id; its packed form, by itself, goes into packed, and it is added to builder if there is one. */
static int make(struct table *t, const char *id, struct buf *packed, struct builder *builder)
{
	auto_buf struct buf text = buf_make(TEXT_MAX);

	documents_put(t->r, &t->style, id, t->number++, &text);
	yyjson_doc *read =
		text.len > 0 ? yyjson_read((const char *)text.data, text.len, YYJSON_READ_NOFLAG)
			     : nullptr;
	yyjson_val *root = yyjson_doc_get_root(read);
	int r = read && buf_error(&text) == 0 ? value_from_json(root, packed) : -EINVAL;
	if (r == 0 && builder)
		r = builder_add_json(builder, root, "", 0, 1);
	yyjson_doc_free(read);
	return r;
}

/* Add n documents in one batch, some of them in place of others. */
static bool add(struct table *t, uint32_t n, uint32_t replace)
{
	cleanup(builder_free_at) struct builder *builder = nullptr;
	int r = builder_new(&builder);

	for (uint32_t i = 0; r == 0 && i < n; i++) {
		auto_buf struct buf packed = buf_make(TEXT_MAX);
		char id[ID_MAX];

		(void)snprintf(id, sizeof(id), "d%u", t->number);
		if (t->n > 0 && random_percent(t->r, replace))
			memcpy(id, t->known[random_below(t->r, (uint32_t)t->n)].id, sizeof(id));
		r = make(t, id, &packed, builder);
		if (r == 0 && !know(t, id, &packed))
			r = -ENOMEM;
	}
	if (r == 0)
		r = fixture_store(t->f, t->about->name, builder);
	return r == 0 || complain(t, "adding", r);
}

static bool delete(struct table *t, uint32_t n)
{
	char id[8][ID_MAX];
	struct str str[8];
	enum document_status status[8] = {};
	uint32_t count = 0;

	for (; count < n && count < countof(id) && t->n > 0; count++) {
		size_t i = random_below(t->r, (uint32_t)t->n);

		memcpy(id[count], t->known[i].id, ID_MAX);
		str[count] = (struct str) { id[count], (uint32_t)strlen(id[count]) };
		forget(t, i);
	}
	if (count == 0)
		return true;
	int r = documents_delete(t->f->store, "commons", t->about->name, str, count, status);
	return r == 0 || complain(t, "deleting", r);
}

struct patching {
	struct table *table;
	const char *id;
	bool same; /* the store's document was the one that is known */
};

/* The document is replaced as a whole; what it was must be what is known. */
static int on_change(void *userdata, size_t, const struct value *old, struct buf *out)
{
	struct patching *p = userdata;
	struct table *t = p->table;
	const struct known *known = &t->known[find(t, p->id)];
	auto_buf struct buf packed = buf_make(TEXT_MAX);

	p->same = old->size == known->len && memcmp(old->at, known->packed, known->len) == 0;
	int r = make(t, p->id, &packed, nullptr);
	buf_add(out, packed.data, packed.len);
	if (r == 0 && !know(t, p->id, &packed))
		r = -ENOMEM;
	return r;
}

static bool patch(struct table *t)
{
	char id[ID_MAX];
	enum document_status status = DOCUMENT_ADDED;
	struct patching p = { .table = t, .id = id };

	if (t->n == 0)
		return true;
	memcpy(id, t->known[random_below(t->r, (uint32_t)t->n)].id, sizeof(id));
	struct str str = { id, (uint32_t)strlen(id) };
	int r = documents_change(t->f->store, "commons", t->about->name, &str, 1, &status,
				 on_change, &p);
	if (r == 0 && status == DOCUMENT_PATCHED && !p.same)
		return complain(t, "giving back a document as it was", 0);
	return (r == 0 && status == DOCUMENT_PATCHED) || complain(t, "changing", r);
}

static bool fill(struct table *t, bool last)
{
	static const enum store_keep KEEPS[] = { STORE_KEEP_DUE, STORE_KEEP_SEAL, STORE_KEEP_SEAL,
						 STORE_KEEP_PURGE };
	uint32_t part = t->about->documents / 4;
	bool good = t->about->documents == 0 || add(t, part, last ? 20 : 5);

	for (int i = 0; good && i < 3; i++)
		good = delete (t, random_below(t->r, 8)) && patch(t) &&
		       (part == 0 || add(t, 1 + random_below(t->r, 4), 50));
	int r = good && !last ? store_keep(t->f->store, random_of(t->r, KEEPS)) : 0;
	return good && (r == 0 || complain(t, "keeping", r));
}

/* Put what is known into the third way's table. */
static bool tell(struct table *t)
{
	sqlite3 *db = sql_session_db(t->f->session);
	auto_stmt sqlite3_stmt *stmt = nullptr;
	char text[100];

	(void)snprintf(text, sizeof(text), "CREATE TABLE docs_%s(doc BLOB)", t->about->name);
	int r = db_run(db, text);
	if (r == 0)
		r = db_preparef(db, &stmt, "INSERT INTO docs_%s VALUES (?)", t->about->name);
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		(void)sqlite3_bind_blob64(stmt, 1, t->known[i].packed, t->known[i].len,
					  SQLITE_STATIC);
		r = db_done(stmt);
	}
	return r == 0 || complain(t, "filling the table", r);
}

bool world_make(struct random *r, struct fixture *f)
{
	constexpr int rounds = 4;
	struct table tables[WORLD_COLLECTIONS] = {};
	bool good = fixture_init(f);

	for (size_t i = 0; good && i < WORLD_COLLECTIONS; i++) {
		tables[i] = (struct table) {
			.about = &WORLD[i],
			.r = r,
			.f = f,
			.style = { .dirty = WORLD[i].dirty ? 40 : 0,
				   .absent = random_percent(r, 20) ? 0 : 12,
				   .rare = random_percent(r, 50) ? 0 : 20 },
		};
		good = fixture_collection(f, WORLD[i].name) == 0;
	}
	for (int round = 0; good && round < rounds; round++)
		for (size_t i = 0; good && i < WORLD_COLLECTIONS; i++)
			good = fill(&tables[i], round == rounds - 1);
	for (size_t i = 0; good && i < WORLD_COLLECTIONS; i++)
		good = tell(&tables[i]);
	for (size_t i = 0; i < WORLD_COLLECTIONS; i++)
		table_done(&tables[i]);
	return good;
}
