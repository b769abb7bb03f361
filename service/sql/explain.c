/* SPDX-License-Identifier: Apache-2.0 */
#include "service/sql/explain.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

#include "service/expression/plan.h"
#include "service/snapshot/snapshot.h"
#include "service/value/value.h"
#include "service/value/value_json.h"

static const char *const NAMES[OP_COUNT] = {
	[OP_EQ] = " = ",
	[OP_NE] = " <> ",
	[OP_LT] = " < ",
	[OP_LE] = " <= ",
	[OP_GT] = " > ",
	[OP_GE] = " >= ",
	[OP_AND] = " AND ",
	[OP_OR] = " OR ",
	[OP_NOT] = "NOT",
	[OP_IS_NULL] = "IS NULL",
	[OP_IS_MISSING] = "IS UNDEFINED",
	[OP_IS_TRUE] = "IS TRUE",
	[OP_IS_FALSE] = "IS FALSE",
	[OP_TRUTH] = "",
	[OP_IN] = "IN",
	[OP_LIKE] = " LIKE ",
	[OP_ADD] = " + ",
	[OP_SUBTRACT] = " - ",
	[OP_MULTIPLY] = " * ",
	[OP_DIVIDE] = " / ",
	[OP_MODULO] = " % ",
	[OP_NEGATE] = "-",
	[OP_IF] = "IF",
	[OP_COALESCE] = "COALESCE",
	[OP_PARSE_TIMESTAMP] = "PARSE_TIMESTAMP_ISO8601",
	[OP_PARSE_DATETIME] = "PARSE_DATETIME_ISO8601",
	[OP_DATE_TRUNC] = "DATE_TRUNC",
	[OP_TIME_BUCKET] = "TIME_BUCKET",
	[OP_EXTRACT] = "EXTRACT",
	[OP_ARRAY_CONTAINS] = "ARRAY_CONTAINS",
	[OP_LENGTH] = "LENGTH",
	[OP_LOWER] = "LOWER",
	[OP_UPPER] = "UPPER",
	[OP_SUBSTR] = "SUBSTR",
	[OP_CONCAT] = "CONCAT",
};

static const char *const UNITS[] = {
	[UNIT_MICROSECOND] = "MICROSECOND",
	[UNIT_MILLISECOND] = "MILLISECOND",
	[UNIT_SECOND] = "SECOND",
	[UNIT_MINUTE] = "MINUTE",
	[UNIT_HOUR] = "HOUR",
	[UNIT_DAY] = "DAY",
	[UNIT_WEEK] = "WEEK",
	[UNIT_MONTH] = "MONTH",
	[UNIT_QUARTER] = "QUARTER",
	[UNIT_YEAR] = "YEAR",
	[UNIT_DOW] = "DOW",
	[UNIT_DAYOFWEEK] = "DAYOFWEEK",
	[UNIT_DOY] = "DOY",
	[UNIT_EPOCH] = "EPOCH",
};

static const char *const NATIVES[NATIVE_COUNT] = {
	[NATIVE_NONE] = "CALL",	     [NATIVE_ABS] = "ABS",
	[NATIVE_CEIL] = "CEIL",	     [NATIVE_FLOOR] = "FLOOR",
	[NATIVE_ROUND] = "ROUND",    [NATIVE_SIGN] = "SIGN",
	[NATIVE_SQRT] = "SQRT",	     [NATIVE_TO_INT] = "INT",
	[NATIVE_TO_FLOAT] = "FLOAT", [NATIVE_DATE_DIFF] = "DATE_DIFF",
	[NATIVE_UNIX_TIME] = "UNIX", [NATIVE_TIMESTAMP] = "TIMESTAMP",
};

static void put_field(struct buf *out, const struct field *field)
{
	if (field->source > 0)
		buf_addf(out, "join %" PRIu32, field->source);
	else if (field->in_element)
		buf_add_str(out, "element");
	else if (field->n == 0)
		buf_add_str(out, "document");
	for (uint32_t i = 0; i < field->n; i++) {
		if (i > 0 || field->source > 0 || field->in_element)
			buf_add_str(out, ".");
		buf_add(out, field->key[i].at, field->key[i].len);
	}
}

static void put_cell(struct buf *out, const struct cell *cell)
{
	auto_buf struct buf packed = buf_make(1 << 20);
	struct value value;

	cell_pack(cell, &packed);
	if (buf_error(&packed) || !value_open(packed.data, packed.len, &value) ||
	    value_to_json(&value, VALUE_JSON_RESULT, out))
		buf_add_str(out, "?");
}

/* NOLINTBEGIN(misc-no-recursion): the tree's depth is bounded by the parser. */

static void put_node(struct buf *out, const struct plan *plan, const struct node *node)
{
	const char *name = node->op == OP_CALL ? NATIVES[node->native] : NAMES[node->op];
	bool infix = name && name[0] == ' ';
	bool after = node->op >= OP_IS_NULL && node->op <= OP_IS_FALSE;

	if (node->op == OP_FIELD) {
		put_field(out, &plan->field[node->field]);
		return;
	}
	if (node->op == OP_CONSTANT) {
		put_cell(out, &node->constant);
		return;
	}
	buf_addf(out, "%s(", infix || after ? "" : name);
	if (node->op == OP_DATE_TRUNC || node->op == OP_EXTRACT)
		buf_addf(out, "%s, ", UNITS[node->unit]);
	if (node->op == OP_TIME_BUCKET)
		buf_addf(out, "%" PRIi64 " µs, ", node->width_us);
	for (size_t i = 0; i < node->n_args; i++) {
		buf_add_str(out, i == 0 ? "" : infix ? name : ", ");
		put_node(out, plan, node->arg[i]);
	}
	buf_addf(out, after ? " %s)" : ")", name);
}

/* NOLINTEND(misc-no-recursion) */

static void put_nodes(struct buf *out, const struct plan *plan, struct node *const *node,
		      uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		buf_add_str(out, i ? ", " : "");
		put_node(out, plan, node[i]);
	}
}

static void put_aggregates(struct buf *out, const struct plan *plan)
{
	static const char *const AGGREGATES[] = {
		[AGGREGATE_COUNT] = "COUNT",	  [AGGREGATE_SUM] = "SUM",
		[AGGREGATE_AVG] = "AVG",	  [AGGREGATE_MIN] = "MIN",
		[AGGREGATE_MAX] = "MAX",	  [AGGREGATE_COUNT_DISTINCT] = "COUNT DISTINCT",
		[AGGREGATE_ANY_TRUE] = "BOOL_OR", [AGGREGATE_ALL_TRUE] = "BOOL_AND",
	};

	for (uint32_t i = 0; i < plan->n_aggregates; i++) {
		const struct aggregate *a = &plan->aggregate[i];

		buf_addf(out, "%s%s(", i ? ", " : "", AGGREGATES[a->kind]);
		if (a->arg)
			put_node(out, plan, a->arg);
		else
			buf_add_str(out, "*");
		buf_add_str(out, ")");
	}
}

/* The name of the collection that a snapshot is of. */
static void put_collection(struct buf *out, const struct bound *bound,
			   const struct snapshot *snapshot)
{
	for (size_t i = 0; i < bound->n_collections; i++)
		if (bound->collections[i].snapshot == snapshot) {
			buf_addf(out, "%s.%s", bound->collections[i].workspace,
				 bound->collections[i].name);
			break;
		}
	buf_addf(out, " (documents: %" PRIi64 ", chunks: %zu)", snapshot_documents(snapshot),
		 snapshot_chunks(snapshot));
}

static void put_joins(struct buf *out, const struct bound *bound, const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->n_joins; i++) {
		const struct join *join = &plan->join[i];

		buf_addf(out, "  hash join %" PRIu32 "%s: ", i + 1, join->left ? " (left)" : "");
		put_collection(out, bound, join->snapshot);
		buf_add_str(out, " on ");
		put_node(out, plan, join->outer_key);
		buf_add_str(out, " = ");
		put_node(out, plan, join->inner_key);
		if (join->inner_filter) {
			buf_add_str(out, ", filter ");
			put_node(out, plan, join->inner_filter);
		}
		buf_add_str(out, "\n");
	}
}

static void put_order(struct buf *out, const struct plan *plan)
{
	if (plan->limit < 0 && plan->n_order == 0)
		return;
	if (plan->limit < 0)
		buf_add_str(out, "  all rows");
	else
		buf_addf(out, "  first %" PRIi64 " rows", plan->limit);
	for (uint32_t i = 0; i < plan->n_order; i++)
		buf_addf(out, "%s c%" PRIu32 "%s", i ? "," : " by", plan->order[i].column,
			 plan->order[i].descending ? " descending" : "");
	buf_add_str(out, "\n");
}

static void put_plan(struct buf *out, const struct bound *bound, size_t k)
{
	const struct plan *plan = bound->plans[k];

	buf_addf(out, "pipe %zu: scan ", k);
	put_collection(out, bound, plan->snapshot);
	buf_add_str(out, "\n");
	if (plan->unnest) {
		buf_add_str(out, "  unnest ");
		put_field(out, plan->unnest);
		buf_add_str(out, "\n");
	}
	put_joins(out, bound, plan);
	if (plan->filter) {
		buf_add_str(out, "  filter ");
		put_node(out, plan, plan->filter);
		buf_add_str(out, "\n");
	}
	buf_add_str(out, plan->grouped ? "  group by " : "  columns ");
	put_nodes(out, plan, plan->output, plan->n_outputs);
	if (plan->n_aggregates > 0) {
		buf_add_str(out, plan->n_outputs ? ": " : "all rows: ");
		put_aggregates(out, plan);
	}
	buf_add_str(out, "\n");
	put_order(out, plan);
}

void explain(const struct bound *bound, struct buf *out)
{
	for (size_t k = 0; k < bound->n_plans; k++)
		put_plan(out, bound, k);
	buf_addf(out, "SQLite: %s\n", bound->sql);
}
