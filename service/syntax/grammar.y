/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grammar: the dialect's grammar, from which lemon makes the parser.
 *
 * Tokens get their codes from parse_code.c. The words of %fallback are names where the keyword cannot stand. Actions call the
 * functions of parse_tree.h and parse_query.h, which make a node or, once the query is refused, nothing.
 */
%include {
#include "service/syntax/parse_grammar.h"

#include <stddef.h>
#include <stdint.h>

#include "service/syntax/parse_query.h"
#include "service/syntax/parse_tree.h"

/* Without tracing to a file, which is all that this is for here, functions that allocate, and recovery after the first error. */
#define NDEBUG
#define grammar_ENGINEALWAYSONSTACK 1
#define YYNOERRORRECOVERY 1

/* Lemon's own code has these: destructors for values that need none, and cases that share an action. */
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wtype-limits"
}
%name grammar
%token_prefix T_
%token_type { const struct token * }
%default_type { const struct token * }
%extra_context { struct parser *p }
%start_symbol statement

/* A place for each symbol that waits for what follows: up to 14 within each of parse.c's 50 brackets (OR, AND, =, ||, +, * …). */
%stack_size 800
%stack_overflow { refuse_at(p, p->at, "This expression is nested too deeply."); }
%syntax_error { p->unexpected = true; }

/* Loosest first. ZONE and SIGN stand for no token here: they give rules their place. */
%left OR.
%left AND.
%right NOT.
%left IS COMPARE LIKE ILIKE IN BETWEEN.
%left CONCAT.
%left PLUS MINUS.
%left STAR DIVIDE.
%right SIGN.
%nonassoc ZONE.
%nonassoc DOT.

%fallback ID ASC AT BERNOULLI CAST CUBE CURRENT DESC DESCRIBE DOUBLE ESCAPE EXPLAIN EXTRACT FIRST FOLLOWING GROUPING GROUPS
	INSERT INTERVAL LAST LATERAL NULLS ORDINALITY PARTITION PRECEDING PRECISION RANGE ROLLUP ROW ROWS SCRIPT SETS TIME TRY_CAST TYPED
	UNBOUNDED UNDEFINED VALUES ZONE.
%fallback EXCEPT LEAVING.
%wildcard ANY.

%token_class name ID|QUOTED.
/* After AS and . nothing but a name can stand, so that even these are names. */
%token_class word ID|QUOTED|ALL|AND|AS|BETWEEN|BY|CASE|CROSS|DISTINCT|ELSE|END|EXCEPT|EXISTS|FALSE|FROM|FULL|GROUP|HAVING|HINT
	|ILIKE|IN|INNER|INTERSECT|IS|JOIN|LEFT|LIKE|LIMIT|NOT|NULL|OFFSET|ON|OR|ORDER|OUTER|OVER|RIGHT|SELECT|TABLESAMPLE|THEN
	|TRUE|UNION|UNNEST|USING|WHEN|WHERE|WITH.

/* --- statements ---------------------------------------------------------------------------- */

statement ::= query(Q) ends.			{ tree_statement(p, Q, false); }
statement ::= EXPLAIN query(Q) ends.		{ tree_statement(p, Q, true); }
statement ::= unavailable.
unavailable ::= INSERT|SCRIPT|VALUES(T).	{ tree_unavailable(p, T); }

ends ::= .
ends ::= ends SEMICOLON.

/* --- queries ------------------------------------------------------------------------------- */

%type query     { struct query * }
%type subquery  { struct query * }
%type limits    { struct limits * }
%type limit     { struct expr * }
%type offset    { struct expr * }
%type with      { struct list * }
%type ctes      { struct list * }
%type cte       { struct cte * }
%type columns   { struct list * }
%type cores     { struct list * }
%type others    { struct list * }
%type core      { struct core * }
%type select    { struct core * }
%type other     { struct core * }
%type setop     { enum set_kind }
%type all       { bool }
%type distinct  { bool }

query(A) ::= subquery(A).
query(A) ::= others(C) order(O) limits(L).		{ A = tree_query(p, nullptr, C, O, L); }

/* In an expression a query begins with SELECT or WITH: a second ( there is one of arithmetic. */
subquery(A) ::= cores(C) order(O) limits(L).		{ A = tree_query(p, nullptr, C, O, L); }
subquery(A) ::= with(W) cores(C) order(O) limits(L).	{ A = tree_query(p, W, C, O, L); }
subquery(A) ::= with(W) others(C) order(O) limits(L).	{ A = tree_query(p, W, C, O, L); }

with(A) ::= WITH ctes(B).				{ A = B; }
with(A) ::= WITH ctes(B) COMMA.				{ A = B; }
ctes(A) ::= cte(B).					{ A = list_one(p, B); }
ctes(A) ::= ctes(A) COMMA cte(B).			{ list_add(p, A, B); }
cte(A) ::= name(N) AS LP query(Q) RP.			{ A = tree_cte(p, N, nullptr, Q); }
cte(A) ::= name(N) LP names(C) RP AS LP query(Q) RP.	{ A = tree_cte(p, N, C, Q); }

cores(A) ::= select(B).					{ A = list_one(p, B); }
cores(A) ::= cores(A) setop(S) core(B).			{ tree_add_core(p, A, S, B); }
others(A) ::= other(B).					{ A = list_one(p, B); }
others(A) ::= others(A) setop(S) core(B).		{ tree_add_core(p, A, S, B); }
core(A) ::= select(A).
core(A) ::= other(A).
other(A) ::= LP query(Q) RP.				{ A = tree_nested(p, Q); }
other(A) ::= DESCRIBE path(N).				{ A = tree_describe(p, N); }

setop(A) ::= UNION all(B).				{ A = B ? SET_UNION_ALL : SET_UNION; }
setop(A) ::= INTERSECT(T) all(B).			{ A = tree_setop(p, T, SET_INTERSECT, B); }
setop(A) ::= EXCEPT(T) all(B).				{ A = tree_setop(p, T, SET_EXCEPT, B); }
all(A) ::= .						{ A = false; }
all(A) ::= ALL.						{ A = true; }
all(A) ::= DISTINCT.					{ A = false; }
distinct(A) ::= .					{ A = false; }
distinct(A) ::= ALL.					{ A = false; }
distinct(A) ::= DISTINCT.				{ A = true; }

limits(A) ::= .						{ A = nullptr; }
limits(A) ::= LIMIT limit(L).				{ A = tree_limits(p, L, nullptr); }
limits(A) ::= OFFSET offset(O).				{ A = tree_limits(p, nullptr, O); }
limits(A) ::= LIMIT limit(L) OFFSET offset(O).		{ A = tree_limits(p, L, O); }
limits(A) ::= OFFSET offset(O) LIMIT limit(L).		{ A = tree_limits(p, L, O); }
limit(A) ::= expr(A).
limit(A) ::= ALL.					{ A = nullptr; }
offset(A) ::= expr(A).
offset(A) ::= expr(A) ROW|ROWS.

/* --- SELECT -------------------------------------------------------------------------------- */

%type items  { struct list * }
%type item   { struct select_item * }
%type where  { struct expr * }
%type having { struct expr * }
%type except { struct list * }
%type names  { struct list * }

select(A) ::= SELECT distinct(D) columns(I) from(F) where(W) group(G) having(H). {
	A = tree_select(p, &(struct core) { .distinct = D, .from = F, .where = W, .having = H }, I, G);
}

columns(A) ::= items(A).
columns(A) ::= items(A) COMMA.				/* common in real queries */
items(A) ::= item(B).					{ A = list_one(p, B); }
items(A) ::= items(A) COMMA item(B).			{ list_add(p, A, B); }
item(A) ::= expr(E).					{ A = tree_item(p, E, nullptr); }
item(A) ::= expr(E) name(N).				{ A = tree_item(p, E, N); }
item(A) ::= expr(E) AS word(N).				{ A = tree_item(p, E, N); }
item(A) ::= STAR(T) except(X).				{ A = tree_star(p, T, nullptr, X); }
item(A) ::= path(E) DOT STAR(T) except(X).		{ A = tree_star(p, T, E, X); }
item(A) ::= thing(E) DOT STAR(T) except(X).		{ A = tree_star(p, T, E, X); }
except(A) ::= .						{ A = nullptr; }
except(A) ::= LEAVING LP names(B) RP.			{ A = B; }

names(A) ::= name(N).					{ A = list_one(p, N); }
names(A) ::= names(A) COMMA name(N).			{ list_add(p, A, N); }

where(A) ::= .						{ A = nullptr; }
where(A) ::= WHERE expr(B).				{ A = B; }
having(A) ::= .						{ A = nullptr; }
having(A) ::= HAVING expr(B).				{ A = B; }

/* --- FROM ---------------------------------------------------------------------------------- */

%type from       { struct from_item * }
%type tables     { struct list * }
%type table      { struct from_item * }
%type source     { struct from_item * }
%type sample     { struct expr * }
%type join       { enum join_kind }
%type ordinality { bool }

from(A) ::= .						{ A = nullptr; }
from(A) ::= FROM tables(L).				{ A = tree_from(p, L); }

tables(A) ::= table(B).					{ A = list_one(p, B); }
tables(A) ::= tables(A) COMMA table(B).			{ tree_join(p, A, JOIN_COMMA, B, nullptr, nullptr); }
tables(A) ::= tables(A) join(J) table(B).		{ tree_join(p, A, J, B, nullptr, nullptr); }
tables(A) ::= tables(A) join(J) table(B) ON expr(E) hint.	{ tree_join(p, A, J, B, E, nullptr); }
tables(A) ::= tables(A) join(J) table(B) USING LP names(U) RP hint.	{ tree_join(p, A, J, B, nullptr, U); }

join(A) ::= JOIN.					{ A = JOIN_INNER; }
join(A) ::= INNER JOIN.					{ A = JOIN_INNER; }
join(A) ::= CROSS JOIN.					{ A = JOIN_CROSS; }
join(A) ::= LEFT outer JOIN.				{ A = JOIN_LEFT; }
join(A) ::= RIGHT outer JOIN.				{ A = JOIN_RIGHT; }
join(A) ::= FULL outer JOIN.				{ A = JOIN_FULL; }
outer ::= .
outer ::= OUTER.

table(A) ::= source(B) alias(N) sample(S) hint.	{ A = tree_table(p, B, N, S); }
table(A) ::= LATERAL(T) source(B) alias(N) sample(S) hint.	{ A = tree_lateral(p, T, tree_table(p, B, N, S)); }
source(A) ::= path(N).					{ A = tree_collection(p, N); }
source(A) ::= LP(T) query(Q) RP.			{ A = tree_derived(p, T, Q); }
source(A) ::= UNNEST(T) LP expr(E) RP ordinality(O).	{ A = tree_unnest(p, T, E, nullptr, nullptr, O); }
source(A) ::= UNNEST(T) LP expr(E) AS name(N) RP ordinality(O).
							{ A = tree_unnest(p, T, E, N, nullptr, O); }
source(A) ::= UNNEST(T) LP expr(E) AS name(N) COMMA name(V) RP ordinality(O).
							{ A = tree_unnest(p, T, E, N, V, O); }
ordinality(A) ::= .					{ A = false; }
ordinality(A) ::= WITH ORDINALITY.			{ A = true; }

alias(A) ::= .						{ A = nullptr; }
alias(A) ::= name(B).					{ A = B; }
alias(A) ::= AS name(B).				{ A = B; }

sample(A) ::= .						{ A = nullptr; }
sample(A) ::= TABLESAMPLE BERNOULLI LP expr(B) RP.	{ A = B; }

/* Whatever it says: any hint may be ignored. */
hint ::= .
hint ::= HINT LP hinted RP.
hinted ::= .
hinted ::= hinted ANY.

/* --- GROUP BY ------------------------------------------------------------------------------ */

%type group     { struct list * }
%type groupings { struct list * }
%type grouping  { struct list * }
%type sets      { struct list * }
%type set       { struct list * }
%type several   { struct list * }

/* A set is a list of expressions; a grouping, and what comes of them all, a list of sets. */
group(A) ::= .						{ A = nullptr; }
group(A) ::= GROUP BY distinct(D) groupings(G).		{ A = tree_group(p, D, G); }
groupings(A) ::= grouping(B).				{ A = list_one(p, B); }
groupings(A) ::= groupings(A) COMMA grouping(B).	{ list_add(p, A, B); }
grouping(A) ::= set(B).					{ A = list_one(p, B); }
grouping(A) ::= GROUPING SETS LP sets(B) RP.		{ A = B; }
grouping(A) ::= ROLLUP LP sets(B) RP.			{ A = tree_rollup(p, B); }
grouping(A) ::= CUBE(T) LP sets(B) RP.			{ A = tree_cube(p, T, B); }
sets(A) ::= set(B).					{ A = list_one(p, B); }
sets(A) ::= sets(A) COMMA set(B).			{ tree_add_set(p, A, B); }
set(A) ::= expr(B).					{ A = list_one(p, B); }
set(A) ::= LP RP.					{ A = list_none(p); }
set(A) ::= LP several(B) RP.				{ A = B; }
several(A) ::= expr(B) COMMA expr(C).			{ A = list_one(p, B); list_add(p, A, C); }
several(A) ::= several(A) COMMA expr(B).		{ list_add(p, A, B); }

/* --- ORDER BY ------------------------------------------------------------------------------ */

%type order  { struct order_item * }
%type sorts  { struct list * }
%type sort   { struct order_item * }
%type down   { bool }
%type nulls  { int }

order(A) ::= .						{ A = nullptr; }
order(A) ::= ORDER BY sorts(L).				{ A = tree_order(p, L); }
sorts(A) ::= sort(B).					{ A = list_one(p, B); }
sorts(A) ::= sorts(A) COMMA sort(B).			{ list_add(p, A, B); }
sort(A) ::= expr(E) down(D) nulls(N).			{ A = tree_sort(p, E, D, N); }
down(A) ::= .						{ A = false; }
down(A) ::= ASC.					{ A = false; }
down(A) ::= DESC.					{ A = true; }
nulls(A) ::= .						{ A = NULLS_DEFAULT; }
nulls(A) ::= NULLS FIRST.				{ A = NULLS_FIRST; }
nulls(A) ::= NULLS LAST.				{ A = NULLS_LAST; }

/* --- conditions ---------------------------------------------------------------------------- */

%type expr   { struct expr * }
%type exprs  { struct list * }
%type escape { struct expr * }

exprs(A) ::= expr(B).					{ A = list_one(p, B); }
exprs(A) ::= exprs(A) COMMA expr(B).			{ list_add(p, A, B); }

expr(A) ::= value(A).
expr(A) ::= expr(B) OR(T) expr(C).			{ A = tree_joined(p, EXPR_OR, T, B, C); }
expr(A) ::= expr(B) AND(T) expr(C).			{ A = tree_joined(p, EXPR_AND, T, B, C); }
expr(A) ::= NOT(T) expr(B).				{ A = tree_of(p, EXPR_NOT, T, B, nullptr, nullptr); }
expr(A) ::= expr(B) COMPARE(T) value(C).		{ A = tree_of(p, EXPR_COMPARE, T, B, C, nullptr); }
expr(A) ::= expr(B) is(T) NULL.				{ A = tree_test(p, EXPR_IS_NULL, T, B, nullptr, nullptr); }
expr(A) ::= expr(B) is(T) UNDEFINED.			{ A = tree_test(p, EXPR_IS_UNDEFINED, T, B, nullptr, nullptr); }
expr(A) ::= expr(B) is(T) TRUE.				{ A = tree_is_bool(p, T, B, true); }
expr(A) ::= expr(B) is(T) FALSE.			{ A = tree_is_bool(p, T, B, false); }
expr(A) ::= expr(B) is(T) DISTINCT FROM value(C).	{ A = tree_test(p, EXPR_IS_DISTINCT, T, B, C, nullptr); }
expr(A) ::= expr(B) like(T) value(C) escape(D).		{ A = tree_test(p, EXPR_LIKE, T, B, C, D); }
expr(A) ::= expr(B) ilike(T) value(C) escape(D).	{ A = tree_ilike(p, T, B, C, D); }
expr(A) ::= expr(B) between(T) value(C) AND value(D).	{ A = tree_test(p, EXPR_BETWEEN, T, B, C, D); }
expr(A) ::= expr(B) in(T) LP RP.			{ A = tree_in(p, T, B, nullptr, nullptr); }
expr(A) ::= expr(B) in(T) LP exprs(C) RP.		{ A = tree_in(p, T, B, C, nullptr); }
expr(A) ::= expr(B) in(T) LP subquery(Q) RP.		{ A = tree_in(p, T, B, nullptr, Q); }
is(A) ::= IS(B).					{ A = B; }
is(A) ::= IS NOT(B).					{ A = B; }
like(A) ::= LIKE(B).					{ A = B; }
like(A) ::= NOT(B) LIKE.				{ A = B; }
ilike(A) ::= ILIKE(B).					{ A = B; }
ilike(A) ::= NOT(B) ILIKE.				{ A = B; }
between(A) ::= BETWEEN(B).				{ A = B; }
between(A) ::= NOT(B) BETWEEN.				{ A = B; }
in(A) ::= IN(B).					{ A = B; }
in(A) ::= NOT(B) IN.					{ A = B; }
escape(A) ::= .						{ A = nullptr; }
escape(A) ::= ESCAPE value(B).				{ A = B; }

/* --- values -------------------------------------------------------------------------------- */

%type value { struct expr * }
%type thing { struct expr * }
%type path  { struct expr * }
%type zone  { struct expr * }

value(A) ::= path(B).					{ A = tree_word(p, B); }
value(A) ::= thing(A).
value(A) ::= value(B) CONCAT(T) value(C).		{ A = tree_of(p, EXPR_BINARY, T, B, C, nullptr); }
value(A) ::= value(B) PLUS|MINUS(T) value(C).		{ A = tree_of(p, EXPR_BINARY, T, B, C, nullptr); }
value(A) ::= value(B) STAR|DIVIDE(T) value(C).		{ A = tree_of(p, EXPR_BINARY, T, B, C, nullptr); }
value(A) ::= MINUS(T) value(B). [SIGN]			{ A = tree_of(p, EXPR_NEGATE, T, B, nullptr, nullptr); }
value(A) ::= PLUS value(B). [SIGN]			{ A = B; }

path(A) ::= ID(N).					{ A = tree_name(p, N); }
path(A) ::= QUOTED(N).					{ A = tree_name(p, N); }
path(A) ::= path(A) DOT word(N).			{ tree_add_name(p, A, N); }

thing(A) ::= atom(A).
thing(A) ::= path(B) LB(T) expr(C) RB.			{ A = tree_of(p, EXPR_GET, T, B, C, nullptr); }
thing(A) ::= thing(B) LB(T) expr(C) RB.			{ A = tree_of(p, EXPR_GET, T, B, C, nullptr); }
thing(A) ::= thing(B) DOT(T) word(N).			{ A = tree_named(p, EXPR_GET, T, B, N); }
thing(A) ::= path(B) AT(T) TIME ZONE zone(C).		{ A = tree_of(p, EXPR_AT_ZONE, T, tree_word(p, B), C, nullptr); }
thing(A) ::= thing(B) AT(T) TIME ZONE zone(C).		{ A = tree_of(p, EXPR_AT_ZONE, T, B, C, nullptr); }
zone(A) ::= path(A). [ZONE]
zone(A) ::= atom(A).

/* --- what stands for a value by itself ----------------------------------------------------- */

%type atom      { struct expr * }
%type string    { struct expr * }
%type amount    { struct expr * }
%type pairs     { struct list * }
%type operand   { struct expr * }
%type whens     { struct list * }
%type otherwise { struct expr * }

atom(A) ::= NULL(T).					{ A = tree_literal(p, EXPR_NULL, T, 0); }
atom(A) ::= TRUE(T).					{ A = tree_literal(p, EXPR_BOOL, T, 1); }
atom(A) ::= FALSE(T).					{ A = tree_literal(p, EXPR_BOOL, T, 0); }
atom(A) ::= FLOAT(T).					{ A = tree_literal(p, EXPR_NUMBER, T, 0); }
atom(A) ::= amount(A).
amount(A) ::= INT(T).					{ A = tree_literal(p, EXPR_NUMBER, T, 0); }
amount(A) ::= PARAMETER(T).				{ A = tree_literal(p, EXPR_PARAMETER, T, 0); }
amount(A) ::= string(A).
string(A) ::= STRING(T).				{ A = tree_literal(p, EXPR_STRING, T, 0); }

/* DATE '2024-01-01' is a cast. */
atom(A) ::= TYPED(T) string(B).				{ A = tree_named(p, EXPR_CAST, T, B, T); }
atom(A) ::= CAST(T) LP expr(B) AS type(N) RP.		{ A = tree_named(p, EXPR_CAST, T, B, N); }
atom(A) ::= TRY_CAST(T) LP expr(B) AS type(N) RP.	{ A = tree_negated(tree_named(p, EXPR_CAST, T, B, N)); }
type(A) ::= name(B).					{ A = B; }
type(A) ::= DOUBLE(B).					{ A = B; }
type(A) ::= DOUBLE(B) PRECISION.			{ A = B; }
atom(A) ::= EXTRACT(T) LP name(N) FROM expr(B) RP.	{ A = tree_named(p, EXPR_EXTRACT, T, B, N); }
atom(A) ::= INTERVAL(T) amount(B) name(N).		{ A = tree_named(p, EXPR_INTERVAL, T, B, N); }
atom(A) ::= INTERVAL(T) MINUS amount(B) name(N).	{ A = tree_negated(tree_named(p, EXPR_INTERVAL, T, B, N)); }

atom(A) ::= LP expr(B) RP.				{ A = B; }
atom(A) ::= LP(T) subquery(Q) RP.			{ A = tree_asking(p, EXPR_QUERY, T, Q); }
atom(A) ::= EXISTS(T) LP query(Q) RP.			{ A = tree_asking(p, EXPR_EXISTS, T, Q); }
atom(A) ::= LB(T) RB.					{ A = tree_listed(p, EXPR_ARRAY, T, nullptr); }
atom(A) ::= LB(T) exprs(L) RB.				{ A = tree_listed(p, EXPR_ARRAY, T, L); }
atom(A) ::= LC(T) RC.					{ A = tree_listed(p, EXPR_OBJECT, T, nullptr); }
atom(A) ::= LC(T) pairs(L) RC.				{ A = tree_listed(p, EXPR_OBJECT, T, L); }
pairs(A) ::= expr(B) COLON expr(C).			{ A = list_one(p, B); list_add(p, A, C); }
pairs(A) ::= pairs(A) COMMA expr(B) COLON expr(C).	{ list_add(p, A, B); list_add(p, A, C); }

atom(A) ::= CASE(T) operand(B) whens(L) otherwise(C) END.	{ A = tree_case(p, T, B, L, C); }
operand(A) ::= .					{ A = nullptr; }
operand(A) ::= expr(A).
whens(A) ::= WHEN expr(B) THEN expr(C).			{ A = list_one(p, B); list_add(p, A, C); }
whens(A) ::= whens(A) WHEN expr(B) THEN expr(C).	{ list_add(p, A, B); list_add(p, A, C); }
otherwise(A) ::= .					{ A = nullptr; }
otherwise(A) ::= ELSE expr(B).				{ A = B; }

/* --- calls --------------------------------------------------------------------------------- */

%type arguments { struct arguments * }
%type slice     { struct limits * }
%type over      { struct window * }
%type partition { struct list * }
%type frame     { const char * }

atom(A) ::= ID(T) LP arguments(B) RP over(W).		{ A = tree_call(p, T, B, W); }
arguments(A) ::= .					{ A = nullptr; }
arguments(A) ::= STAR.					{ A = tree_arguments(p, &(struct arguments) { .star = true }); }
arguments(A) ::= distinct(D) exprs(L) order(O) slice(S).
	{ A = tree_arguments(p, &(struct arguments) { .distinct = D, .list = L, .order = O, .slice = S }); }
slice(A) ::= .						{ A = nullptr; }
slice(A) ::= LIMIT expr(L).				{ A = tree_limits(p, L, nullptr); }
slice(A) ::= LIMIT expr(L) OFFSET expr(O).		{ A = tree_limits(p, L, O); }

over(A) ::= .						{ A = nullptr; }
over(A) ::= OVER LP partition(L) order(O) frame(F) RP.	{ A = tree_window(p, L, O, F); }
partition(A) ::= .					{ A = nullptr; }
partition(A) ::= PARTITION BY exprs(B).			{ A = B; }
frame(A) ::= .						{ A = nullptr; }
frame(A) ::= unit(T) bound.				{ A = tree_frame(p, T); }
frame(A) ::= unit(T) BETWEEN bound AND bound.		{ A = tree_frame(p, T); }
unit(A) ::= ROWS|RANGE|GROUPS(B).			{ A = B; }
bound ::= UNBOUNDED PRECEDING|FOLLOWING.
bound ::= INT PRECEDING|FOLLOWING.
bound ::= CURRENT ROW.

/* --- for the sentence about what does not fit (parse_error.c) ------------------------------ */

%code {
static_assert(YYSTACKDEPTH == GRAMMAR_DEPTH);
static_assert(sizeof(YYACTIONTYPE) <= sizeof(((struct grammar_trial *)nullptr)->state[0]));

size_t grammar_size(void)
{
	return sizeof(yyParser);
}

/* What grammar() does with the states; see there. */
bool grammar_trial(struct grammar_trial *trial, int code)
{
	for (;;) {
		YYACTIONTYPE act = yy_find_shift_action((YYCODETYPE)code, trial->state[trial->top]);

		if (act >= YY_MIN_REDUCE) {
			trial->top -= (size_t)-yyRuleInfoNRhs[act - YY_MIN_REDUCE];
			act = yy_find_reduce_action(trial->state[trial->top], yyRuleInfoLhs[act - YY_MIN_REDUCE]);
		} else if (act > YY_MAX_SHIFTREDUCE) {
			return act == YY_ACCEPT_ACTION;
		} else {
			code = -1;
		}
		if (trial->top + 1 == GRAMMAR_DEPTH)
			return false;
		if (act > YY_MAX_SHIFT && act <= YY_MAX_SHIFTREDUCE)
			act += YY_MIN_REDUCE - YY_MIN_SHIFTREDUCE;
		trial->state[++trial->top] = (uint16_t)act;
		if (code < 0)
			return true;
	}
}
}
