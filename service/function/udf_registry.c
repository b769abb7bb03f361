/* SPDX-License-Identifier: Apache-2.0 */
#include "service/function/udf_registry.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/function/udf.h"

constexpr size_t CALL_WORK = 64; /* what a call counts for in any case */

/* The client data of a connection: what it has registered. */
#define REGISTRY "functions"

struct registry {
	struct registered {
		const struct udf *row;
		const struct udf_aggregate *aggregate; /* whose row it is; or nullptr */
		int flags;
		unsigned int sites; /* names besides its own */
	} *item;
	size_t n, room;
	struct udf_failure failed;
	size_t work; /* bytes of arguments since the limits were asked */
};

/* The user data of one name of a function. */
struct site {
	const struct udf *row;
	struct registry *registry;
	unsigned int number;
	bool trying; /* it is the rt_ form */
};

static struct registry *registry_of(sqlite3 *db)
{
	return sqlite3_get_clientdata(db, REGISTRY);
}

static void registry_free(void *userdata)
{
	struct registry *registry = userdata;

	free(registry->item);
	free(registry);
}

int udf_registry_new(sqlite3 *db)
{
	struct registry *registry = calloc(1, sizeof(*registry));

	if (!registry)
		return -ENOMEM; /* SQLite frees it if it cannot keep it */
	return sqlite3_set_clientdata(db, REGISTRY, registry, registry_free) ? -ENOMEM : 0;
}

/* Call a function, or fail if the query is to end; SQLite itself looks only now and then, whatever size the arguments have. */
static void call(sqlite3_context *ctx, int n, sqlite3_value **args)
{
	const struct site *site = sqlite3_user_data(ctx);
	size_t work = CALL_WORK;

	for (int i = 0; i < n; i++)
		work += udf_size(args[i]);
	if (!udf_worked(ctx, &site->registry->work, work))
		site->row->call(ctx, n, args);
}

/* Register one name; flags are SQLite's. */
static int register_site(sqlite3 *db, const struct registered *item, unsigned int number,
			 bool trying)
{
	const struct udf *row = item->row;
	const struct udf_aggregate *aggregate = item->aggregate;
	struct site *site = calloc(1, sizeof(*site));
	char name[64];

	if (!site)
		return -ENOMEM;
	*site = (struct site) { row, registry_of(db), number, trying };
	int n = snprintf(name, sizeof(name), "%s%s", trying ? "rt_" : "rd_",
			 row->name + strlen("rd_"));
	if (number > 0)
		(void)snprintf(name + n, sizeof(name) - (size_t)n, "$%u", number);
	int code = aggregate ? sqlite3_create_window_function(
				       db, name, row->args, item->flags, site, call,
				       aggregate->final, aggregate->value, aggregate->inverse, free)
			     : sqlite3_create_function_v2(db, name, row->args, item->flags, site,
							  call, nullptr, nullptr, free);
	return code == SQLITE_OK ? 0 : -ENOMEM; /* SQLite has freed site then */
}

static int register_row(sqlite3 *db, const struct udf *row, const struct udf_aggregate *aggregate,
			int flags)
{
	struct registry *registry = registry_of(db);

	if (registry->n == registry->room) {
		size_t room = 2 * registry->room + 64;
		struct registered *grown = reallocarray(registry->item, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		registry->item = grown;
		registry->room = room;
	}
	struct registered *item = &registry->item[registry->n++];
	*item = (struct registered) { .row = row,
				      .aggregate = aggregate,
				      .flags = SQLITE_UTF8 | SQLITE_INNOCUOUS | flags };
	int r = register_site(db, item, 0, false);
	return r || aggregate ? r : register_site(db, item, 0, true);
}

int udf_register(sqlite3 *db, const struct udf *table, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = register_row(db, &table[i], nullptr, SQLITE_DETERMINISTIC);
	return r;
}

int udf_register_varying(sqlite3 *db, const struct udf *table, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = register_row(db, &table[i], nullptr, 0);
	return r;
}

int udf_register_aggregates(sqlite3 *db, const struct udf_aggregate *table, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = register_row(db, &table[i].row, &table[i], SQLITE_DETERMINISTIC);
	return r;
}

int udf_add_site(sqlite3 *db, const char *function, unsigned int site)
{
	struct registry *registry = registry_of(db);
	int r = 0;

	for (size_t i = 0; i < registry->n;
	     i++) { /* some have one row for each number of arguments */
		struct registered *item = &registry->item[i];

		while (r == 0 && item->sites < site && strcmp(item->row->name, function) == 0) {
			r = register_site(db, item, item->sites + 1, false);
			item->sites += r == 0;
		}
	}
	return r;
}

struct udf_failure udf_failed(sqlite3 *db)
{
	return registry_of(db)->failed;
}

void udf_forget_failure(sqlite3 *db)
{
	registry_of(db)->failed = (struct udf_failure) {};
}

void *udf_data(sqlite3_context *ctx)
{
	const struct site *site = sqlite3_user_data(ctx);

	return site->row->data;
}

void udf_fail(sqlite3_context *ctx, const char *format, ...)
{
	const struct site *site = sqlite3_user_data(ctx);
	char text[256];
	va_list args;

	if (site->trying) {
		sqlite3_result_null(ctx);
		return;
	}
	site->registry->failed = (struct udf_failure) { site->row->name, site->number };
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sqlite3_result_error(ctx, text, -1);
}
