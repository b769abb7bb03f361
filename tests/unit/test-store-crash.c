/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The same work again and again, ended or disturbed at each step on the way to the disk: what was acknowledged must be
 * there afterwards, what was not must be there as a whole or not at all.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base.h"
#include "tests/lib/tap.h"
#include "tests/unit/store-fixture.h"

constexpr size_t IDS = 48;
constexpr int ENDED = 77; /* exit status of a child that the hook has ended */

/* What there should be: whether the collections exist, and v of each document, 0 for none. */
struct world {
	bool c, d;
	int v[IDS];
};

enum verb : uint8_t {
	CREATE,
	DROP,
	ADD,
	DELETE,
	CHANGE,
	SEAL,
	PURGE,
	ROTATE,
};

struct act {
	enum verb verb;
	const char *collection;
	size_t from, to; /* ids */
	int v;
};

static const struct act ACTS[] = {
	{ CREATE, "c", 0, 0, 0 }, { ADD, "c", 0, 10, 1 },     { ADD, "c", 5, 15, 2 },
	{ DELETE, "c", 3, 5, 0 }, { SEAL, "c", 0, 0, 0 },     { CHANGE, "c", 0, 2, 0 },
	{ ADD, "c", 12, 20, 3 },  { SEAL, "c", 0, 0, 0 },     { DELETE, "c", 1, 3, 0 },
	{ CREATE, "d", 0, 0, 0 }, { PURGE, "c", 0, 0, 0 },    { ROTATE, "c", 0, 0, 0 },
	{ ADD, "c", 20, 30, 4 },  { SEAL, "c", 0, 0, 0 },     { DROP, "d", 0, 0, 0 },
	{ ADD, "c", 0, 5, 5 },	  { ADD, "c", 30, 31, 6 },    { SEAL, "c", 0, 0, 0 },
	{ ADD, "c", 31, 32, 6 },  { SEAL, "c", 0, 0, 0 },     { ADD, "c", 32, 33, 6 },
	{ SEAL, "c", 0, 0, 0 },	  { ADD, "c", 33, 34, 6 },    { SEAL, "c", 0, 0, 0 },
	{ ADD, "c", 34, 35, 6 },  { SEAL, "c", 0, 0, 0 },     { ADD, "c", 35, 36, 6 },
	{ SEAL, "c", 0, 0, 0 },	  { DELETE, "c", 30, 36, 0 }, { ADD, "c", 36, 48, 7 },
};

/* What an act makes of the world. */
static void apply(struct world *world, const struct act *act)
{
	bool is_c = strcmp(act->collection, "c") == 0;

	if (act->verb == CREATE || act->verb == DROP)
		*(is_c ? &world->c : &world->d) = act->verb == CREATE;
	for (size_t id = act->from; id < act->to; id++)
		if (act->verb == CHANGE)
			world->v[id] += world->v[id] ? 100 : 0;
		else
			world->v[id] = act->verb == ADD ? act->v : 0;
}

/* What the first n acts make of nothing. */
static struct world world_after(size_t n)
{
	struct world world = {};

	for (size_t i = 0; i < n; i++)
		apply(&world, &ACTS[i]);
	return world;
}

static int add(struct fixture *f, const struct act *act, uint64_t number)
{
	auto_buf struct buf json = buf_make(1 << 16);

	for (size_t id = act->from; id < act->to; id++)
		buf_addf(&json, "%s{\"_id\":\"i%zu\",\"v\":%d,\"text\":\"some text %zu\"}",
			 id == act->from ? "[" : ",", id, act->v, id * 7919);
	buf_add_str(&json, "]");
	return fixture_add(f, act->collection, buf_text(&json), number, nullptr);
}

/* Adds 100 to v. */
static int raise_v(void *, size_t, const struct value *old, struct buf *out)
{
	struct value_iter iter = value_iterate(old);
	struct value key, value;

	value_put_object(out);
	while (value_next(&iter, &key, &value)) {
		buf_add(out, key.at, key.size);
		if (value_is_text(&key, "v", 1))
			value_put_int(out, value.i + 100);
		else
			buf_add(out, value.at, value.size);
	}
	value_put_end(out);
	return 0;
}

static int on_ids(struct fixture *f, const struct act *act)
{
	static char text[IDS][8];
	struct str id[IDS];
	enum document_status status[IDS] = {};
	size_t n = 0;

	for (size_t i = act->from; i < act->to; i++, n++) {
		int len = snprintf(text[n], sizeof(text[n]), "i%zu", i);

		id[n] = (struct str) { text[n], (uint32_t)len };
	}
	return act->verb == DELETE
		       ? documents_delete(f->store, "commons", act->collection, id, n, status)
		       : documents_change(f->store, "commons", act->collection, id, n, status,
					  raise_v, nullptr);
}

static const char *clustering_key; /* of the collections that are made */

static int create(struct fixture *f, const char *name)
{
	return catalog_collection_create(f->store,
					 &(struct collection) { .workspace = "commons",
								.name = name,
								.created_by = "ann",
								.clustering_key = clustering_key,
								.created_us = 1 });
}

static int perform(struct fixture *f, size_t number)
{
	const struct act *act = &ACTS[number];

	switch (act->verb) {
	case CREATE:
		return create(f, act->collection);
	case DROP:
		return catalog_collection_delete(f->store, "commons", act->collection);
	case ADD:
		return add(f, act, number);
	case DELETE:
	case CHANGE:
		return on_ids(f, act);
	case SEAL:
		return store_keep(f->store, STORE_KEEP_SEAL);
	case PURGE:
		return store_keep(f->store, STORE_KEEP_PURGE);
	case ROTATE:
		return catalog_collection_rotate(f->store, "commons", act->collection);
	}
	return -EINVAL;
}

static bool ignore(void *, const struct collection *)
{
	return false;
}

/* Read the world. Returns whether that was possible. */
static bool read_world(struct fixture *f, struct world *ret)
{
	*ret = (struct world) {
		.c = catalog_collections(f->store, "commons", "c", ignore, nullptr) == 0,
		.d = catalog_collections(f->store, "commons", "d", ignore, nullptr) == 0,
	};
	int64_t found = 0;
	for (size_t i = 0; ret->c && i < IDS; i++) {
		auto_buf struct buf json = buf_make(1 << 16);
		char id[8], want[64];

		(void)snprintf(id, sizeof(id), "i%zu", i);
		if (fixture_get(f, "c", id, &json) < 0)
			return false;
		const char *text = buf_text(&json), *v = text ? strstr(text, "\"v\":") : nullptr;
		ret->v[i] = v ? atoi(v + 4) : 0;
		found += v != nullptr;
		(void)snprintf(want, sizeof(want), "\"some text %zu\"", i * 7919);
		if (v && !strstr(text, want))
			return false;
	}
	return !ret->c || fixture_count(f, "c") == found;
}

static bool same(const struct world *a, const struct world *b)
{
	return a->c == b->c && a->d == b->d && memcmp(a->v, b->v, sizeof(a->v)) == 0;
}

static void show(const char *what, const struct world *world)
{
	printf("# %s: c %d d %d:", what, world->c, world->d);
	for (size_t i = 0; i < IDS; i++)
		printf(" %d", world->v[i]);
	printf("\n");
}

/* --- the hook ------------------------------------------------------------------------------ */

enum disturbance : uint8_t {
	END,  /* end the process before the step */
	TEAR, /* write half of it and end at the next step */
	FAIL, /* fail once */
	FULL, /* no room for anything from here on */
};

struct plan {
	enum disturbance what;
	size_t at; /* step, from 1 */
	size_t step;
	bool torn;
};

static int on_step(void *userdata, enum file_step step, const char *, size_t len)
{
	struct plan *plan = userdata;

	plan->step++;
	if (plan->torn)
		_exit(ENDED);
	if (plan->what == FULL && plan->step >= plan->at &&
	    (step == FILE_CREATE || step == FILE_WRITE))
		return -ENOSPC;
	if (plan->step != plan->at)
		return 0;
	if (plan->what == END)
		_exit(ENDED);
	if (plan->what == TEAR) {
		plan->torn = true;
		return step == FILE_WRITE ? (int)(len / 2 + 1) : 0;
	}
	return plan->what == FAIL ? -EIO : 0;
}

/* --- the tests ----------------------------------------------------------------------------- */

static atomic_size_t *acknowledged; /* by a child, shared with it */

static bool begin(struct fixture *f)
{
	/* In memory, if that can be had: there are some thousand syncs to wait for. */
	const char *place = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	(void)snprintf(f->folder, sizeof(f->folder), "%s/store-XXXXXX", place);
	return mkdtemp(f->folder) != nullptr;
}

/* In a child: everything, until it is ended. */
static int live_and_die(struct fixture *f, struct plan *plan)
{
	f->hook = on_step;
	f->hook_data = plan;
	if (fixture_open(f))
		return 1;
	for (size_t i = 0; i < countof(ACTS); i++) {
		if (perform(f, i) && !plan->torn)
			return 2;
		atomic_store(acknowledged, i + 1);
	}
	fixture_close(f);
	return 0;
}

/* End at a step and look afterwards. *ret_more is whether there was such a step. */
static bool survives(enum disturbance what, size_t at, bool *ret_more)
{
	auto_fixture struct fixture f = {};
	struct plan plan = { .what = what, .at = at };
	int status = 0;
	struct world got;

	CHECK(begin(&f));
	atomic_store(acknowledged, 0);
	(void)fflush(stdout);
	pid_t child = fork();
	if (child == 0)
		_exit(live_and_die(&f, &plan));
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status));
	*ret_more = WEXITSTATUS(status) == ENDED;
	CHECK(*ret_more || WEXITSTATUS(status) == 0);
	size_t n = atomic_load(acknowledged);
	for (int again = 0; again < 2; again++) {
		int r = fixture_again(&f);

		CHECK_EQ(r, 0);
		CHECK(read_world(&f, &got));
		struct world before = world_after(n);
		struct world after = world_after(n < countof(ACTS) ? n + 1 : n);
		if (!same(&got, &before) && !same(&got, &after)) {
			printf("# ended at step %zu, %zu acts acknowledged\n", at, n);
			show("got", &got);
			show("want", &before);
			show("or", &after);
			return false;
		}
		CHECK_EQ(store_keep(f.store, STORE_KEEP_PURGE), 0);
	}
	return true;
}

static bool every_end(enum disturbance what)
{
	bool more = true;

	for (size_t at = 1; more; at++)
		if (!survives(what, at, &more)) {
			printf("# at step %zu\n", at);
			return false;
		}
	return true;
}

static bool an_end_at_any_step_loses_nothing(void)
{
	return every_end(END);
}

static bool a_torn_write_at_any_step_loses_nothing(void)
{
	return every_end(TEAR);
}

/* A failing step fails its act and no other; the store goes on. */
static bool goes_on(enum disturbance what, size_t at, bool *ret_more)
{
	auto_fixture struct fixture f = {};
	struct plan plan = { .what = what, .at = at };
	struct world want = {}, got;

	CHECK(begin(&f));
	CHECK_EQ(fixture_open(&f), 0);
	fixture_close(&f);
	f.hook = on_step;
	f.hook_data = &plan;
	if (fixture_open(&f) == 0)
		for (size_t i = 0; i < countof(ACTS); i++)
			if (perform(&f, i) == 0)
				apply(&want, &ACTS[i]);
	*ret_more = plan.step >= at;
	plan.what = END;
	plan.at = 0; /* nothing more */
	for (int again = 0; again < 2; again++) {
		if (f.store) {
			CHECK(read_world(&f, &got));
			if (!same(&got, &want)) {
				show("got", &got);
				show("want", &want);
				return false;
			}
			CHECK_EQ(again ? store_keep(f.store, STORE_KEEP_PURGE) : 0, 0);
		}
		CHECK_EQ(fixture_again(&f), 0);
	}
	CHECK(read_world(&f, &got));
	return same(&got, &want);
}

static bool every_failure(enum disturbance what)
{
	bool more = true;

	for (size_t at = 1; more; at++)
		if (!goes_on(what, at, &more)) {
			printf("# at step %zu\n", at);
			return false;
		}
	return true;
}

static bool a_failure_at_any_step_fails_what_it_hits_only(void)
{
	return every_failure(FAIL);
}

static bool a_disk_that_fills_up_at_any_step_loses_nothing(void)
{
	return every_failure(FULL);
}

static bool the_same_holds_when_documents_are_clustered(void)
{
	clustering_key = "text\nv";
	bool good = every_end(END) && every_failure(FAIL);
	clustering_key = nullptr;
	return good;
}

/* --- damage -------------------------------------------------------------------------------- */

/* The newest file in a folder whose name has this end. */
static bool find_file(const char *folder, const char *end, char *ret, size_t room)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	char best[256] = "";

	while (dir && (entry = readdir(dir)) != nullptr) {
		size_t len = strlen(entry->d_name), n = strlen(end);

		if (entry->d_name[0] != '.' && len > n &&
		    strcmp(entry->d_name + len - n, end) == 0 && strcmp(entry->d_name, best) > 0)
			(void)snprintf(best, sizeof(best), "%s", entry->d_name);
	}
	if (dir)
		(void)closedir(dir);
	(void)snprintf(ret, room, "%s/%s", folder, best);
	return best[0] != '\0';
}

static bool read_file(const char *path, uint8_t **ret, size_t *ret_len)
{
	FILE *file = fopen(path, "re");
	uint8_t *data = malloc(8 << 20);

	if (!file || !data)
		return false;
	*ret_len = fread(data, 1, 8 << 20, file);
	*ret = data;
	return fclose(file) == 0;
}

static bool write_file(const char *path, const uint8_t *data, size_t len)
{
	FILE *file = fopen(path, "we");

	return file && fwrite(data, 1, len, file) == len && fclose(file) == 0;
}

static bool a_log_cut_anywhere_is_read_up_to_there_or_refused(void)
{
	auto_fixture struct fixture f = {};
	auto_free uint8_t *whole = nullptr;
	char folder[64], path[400];
	size_t len = 0;
	struct world got;

	CHECK(begin(&f));
	CHECK_EQ(fixture_open(&f), 0);
	for (size_t i = 0; i < 4; i++)
		CHECK_EQ(perform(&f, i), 0);
	fixture_close(&f);
	(void)snprintf(folder, sizeof(folder), "%s/engine/log", f.folder);
	CHECK(find_file(folder, "", path, sizeof(path)));
	CHECK(read_file(path, &whole, &len));
	for (size_t cut = 0; cut <= len; cut += cut + 40 > len ? 1 : 17) {
		CHECK(write_file(path, whole, cut));
		int r = fixture_again(&f);

		if (r == STORE_DAMAGED) {
			CHECK(f.damage[0] != '\0');
			continue;
		}
		CHECK_EQ(r, 0);
		CHECK(read_world(&f, &got));
		bool known = false;
		for (size_t i = 1; i <= 4; i++) {
			struct world want = world_after(i);

			known |= same(&want, &got);
		}
		CHECK(known);
		fixture_close(&f);
	}
	return true;
}

static bool a_flipped_bit_in_any_page_is_named_and_never_read(void)
{
	auto_fixture struct fixture f = {};
	auto_free uint8_t *whole = nullptr;
	char folder[64], path[400];
	size_t len = 0, errors = 0;
	struct world got, want = world_after(3);

	CHECK(begin(&f));
	CHECK_EQ(fixture_open(&f), 0);
	for (size_t i = 0; i < 3; i++)
		CHECK_EQ(perform(&f, i), 0);
	CHECK_EQ(store_keep(f.store, STORE_KEEP_SEAL), 0);
	fixture_close(&f);
	(void)snprintf(folder, sizeof(folder), "%s/engine/segments", f.folder);
	CHECK(find_file(folder, ".segment", path, sizeof(path)));
	CHECK(read_file(path, &whole, &len));
	for (size_t at = 0; at < len; at += at < 256 ? 5 : 7919) {
		whole[at] ^= 0x10;
		CHECK(write_file(path, whole, len));
		whole[at] ^= 0x10;
		CHECK_EQ(fixture_again(&f), 0);
		if (read_world(&f, &got)) {
			CHECK(same(&got, &want));
			continue;
		}
		store_damage(f.store, f.damage);
		if (!strstr(f.damage, "egment ") || !strstr(f.damage, "commons.c"))
			printf("# %zu: %s\n", at, f.damage);
		CHECK(strstr(f.damage, "egment ") && strstr(f.damage, "commons.c"));
		errors++;
	}
	return errors > 10;
}

int main(void)
{
	acknowledged = mmap(nullptr, sizeof(*acknowledged), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (acknowledged == MAP_FAILED)
		return 1;
	RUN(an_end_at_any_step_loses_nothing);
	RUN(a_torn_write_at_any_step_loses_nothing);
	RUN(a_failure_at_any_step_fails_what_it_hits_only);
	RUN(a_disk_that_fills_up_at_any_step_loses_nothing);
	RUN(the_same_holds_when_documents_are_clustered);
	RUN(a_log_cut_anywhere_is_read_up_to_there_or_refused);
	RUN(a_flipped_bit_in_any_page_is_named_and_never_read);
	return tap_done();
}
