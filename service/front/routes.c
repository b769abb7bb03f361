/* SPDX-License-Identifier: Apache-2.0 */
#include "service/front/routes.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/proto/operations.h"
#include "service/front/missing.h"
#include "service/http/target.h"

constexpr size_t PATH_LEN_MAX = 127; /* the longest in the table has about 70 */

/* What a segment of a pattern stands for; a literal sorts before a parameter. */
enum kind : uint8_t {
	LITERAL,
	WORKSPACE,
	COLLECTION,
	OTHER, /* a parameter that no message carries: only of what is missing */
	KIND_COUNT,
};

static const char *const PARAMETERS[OTHER] = {
	[WORKSPACE] = "{workspace}",
	[COLLECTION] = "{collection}",
};

struct pattern {
	const char *method;
	enum operation op;   /* OP_NONE: it is missing */
	const char *missing; /* and this is its name */
	size_t n;
	enum kind kind[TARGET_SEGMENTS_MAX];
	const char *text[TARGET_SEGMENTS_MAX]; /* into room */
	char room[PATH_LEN_MAX + 1];
};

struct routes {
	struct pattern pattern[OP_COUNT + MISSING_COUNT];
	struct pattern *order[OP_COUNT + MISSING_COUNT]; /* [n] the more literal first */
	size_t n;
};

/* The kind of a pattern's segment. */
static enum kind kind_of(const char *segment)
{
	if (segment[0] != '{')
		return LITERAL;
	for (size_t i = WORKSPACE; i < OTHER; i++)
		if (strcmp(PARAMETERS[i], segment) == 0)
			return (enum kind)i;
	return OTHER;
}

/* Cut a path of the table into segments. */
static int cut(const char *path, struct pattern *ret)
{
	char *rest = nullptr;

	if (strlen(path) > PATH_LEN_MAX)
		return -EINVAL;
	memcpy(ret->room, path, strlen(path) + 1);
	for (char *at = strtok_r(ret->room, "/", &rest); at; at = strtok_r(nullptr, "/", &rest)) {
		enum kind kind = kind_of(at);

		if (ret->n == TARGET_SEGMENTS_MAX || (kind == OTHER && ret->op != OP_NONE))
			return -EINVAL;
		ret->kind[ret->n] = kind;
		ret->text[ret->n++] = at;
	}
	return 0;
}

/* Whether a goes before b: the first segment in which their kinds differ says it. */
static bool goes_before(const struct pattern *a, const struct pattern *b)
{
	for (size_t i = 0; i < a->n && i < b->n; i++)
		if (a->kind[i] != b->kind[i])
			return a->kind[i] < b->kind[i];
	return false;
}

/* Put a pattern at its place in the order. */
static void insert(struct routes *routes, struct pattern *pattern)
{
	size_t at = routes->n++;

	for (; at > 0 && goes_before(pattern, routes->order[at - 1]); at--)
		routes->order[at] = routes->order[at - 1];
	routes->order[at] = pattern;
}

/* Add what has a method and a path. Returns 0 or -EINVAL. */
static int add(struct routes *routes, const char *path, struct pattern pattern)
{
	struct pattern *at = &routes->pattern[routes->n];

	*at = pattern;
	int r = cut(path, at);
	if (r == 0)
		insert(routes, at);
	return r;
}

int routes_new(struct routes **ret)
{
	cleanup(routes_free_at) struct routes *routes = calloc(1, sizeof(*routes));

	if (!routes)
		return -ENOMEM;
	int r = 0;
	for (size_t op = OP_NONE + 1; r == 0 && op < OP_COUNT; op++)
		r = add(routes, OPERATIONS[op].path,
			(struct pattern) { .method = OPERATIONS[op].method,
					   .op = (enum operation)op });
	for (size_t i = 0; r == 0 && i < MISSING_COUNT; i++)
		r = add(routes, MISSING[i].path,
			(struct pattern) { .method = MISSING[i].method,
					   .missing = MISSING[i].name });
	if (r)
		return r;
	*ret = TAKE(routes);
	return 0;
}

struct routes *routes_free(struct routes *routes)
{
	free(routes);
	return nullptr;
}

/* Whether the path has this pattern's form; fills in the parameters if so. */
static bool matches(const struct pattern *pattern, const struct target *target, struct route *ret)
{
	const char *found[KIND_COUNT] = { "", "", "", "" };

	if (pattern->n != target->n)
		return false;
	for (size_t i = 0; i < pattern->n; i++) {
		if (pattern->kind[i] == LITERAL &&
		    strcmp(pattern->text[i], target->segment[i]) != 0)
			return false;
		if (pattern->kind[i] != LITERAL && strlen(target->segment[i]) > ROUTE_PARAMETER_MAX)
			return false;
		found[pattern->kind[i]] = target->segment[i];
	}
	ret->workspace = found[WORKSPACE];
	ret->collection = found[COLLECTION];
	return true;
}

/* Append a method to the list of those there are. */
static void allow(char *list, const char *method)
{
	size_t len = strlen(list);
	const char *comma = len > 0 ? ", " : "";

	if (len + strlen(comma) + strlen(method) < ROUTE_ALLOW_MAX)
		(void)stpcpy(stpcpy(list + len, comma), method);
}

enum route_result routes_find(const struct routes *routes, const char *method,
			      const struct target *target, struct route *ret)
{
	struct route other = {}; /* of the same path, with another method */

	*ret = (struct route) { .op = OP_NONE, .workspace = "", .collection = "" };
	for (size_t i = 0; i < routes->n; i++) {
		const struct pattern *pattern = routes->order[i];

		if (!matches(pattern, target, &other))
			continue;
		if (strcmp(pattern->method, method) != 0) {
			if (pattern->op != OP_NONE)
				allow(other.allow, pattern->method);
			continue;
		}
		if (pattern->op == OP_NONE) {
			ret->missing = pattern->missing;
			return ROUTE_MISSING;
		}
		*ret = (struct route) { .op = pattern->op,
					.workspace = other.workspace,
					.collection = other.collection };
		return ROUTE_FOUND;
	}
	if (other.allow[0] == '\0')
		return ROUTE_NO_PATH;
	memcpy(ret->allow, other.allow, sizeof(ret->allow));
	return ROUTE_NO_METHOD;
}
