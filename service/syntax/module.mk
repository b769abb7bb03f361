# SPDX-License-Identifier: Apache-2.0
archives += service/syntax/syntax
service/syntax/syntax.src := $(addprefix service/syntax/, arena.c grammar.y lex.c parse.c parse_call.c parse_code.c \
	parse_error.c parse_expr.c parse_from.c parse_group.c parse_query.c parse_rewrite.c refusal.c)
