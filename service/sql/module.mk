# SPDX-License-Identifier: Apache-2.0
archives += service/sql/sql
service/sql/sql.src := $(addprefix service/sql/, arena.c bind.c bind_call.c bind_condition.c bind_expr.c bind_from.c \
	bind_name.c draft.c evaluate.c explain.c fold.c grammar.y grouped.c lex.c native.c native_condition.c parse.c \
	parse_call.c parse_code.c parse_error.c parse_expr.c parse_from.c parse_group.c parse_query.c parse_rewrite.c \
	pipe_table.c pushdown.c reply.c sql.c)
# What answers queries, top down, but for the store.
sql_libs := service/sql/sql service/function/function $(exec_libs)
