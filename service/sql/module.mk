# SPDX-License-Identifier: Apache-2.0
archives += service/sql/sql
service/sql/sql.src := service/sql/arena.c service/sql/bind.c service/sql/bind_call.c \
	service/sql/bind_condition.c service/sql/bind_expr.c service/sql/bind_from.c \
	service/sql/bind_name.c service/sql/draft.c service/sql/evaluate.c service/sql/explain.c \
	service/sql/fold.c service/sql/function.c service/sql/grammar.y service/sql/grouped.c service/sql/lex.c \
	service/sql/native.c service/sql/native_condition.c service/sql/parse.c service/sql/parse_call.c service/sql/parse_code.c \
	service/sql/parse_error.c service/sql/parse_expr.c service/sql/parse_from.c service/sql/parse_group.c service/sql/parse_query.c service/sql/parse_rewrite.c \
	service/sql/pipe_table.c service/sql/pushdown.c service/sql/regex.c service/sql/reply.c \
	service/sql/sql.c service/sql/udf.c service/sql/udf_aggregate.c service/sql/udf_array.c \
	service/sql/udf_cast.c service/sql/udf_format.c service/sql/udf_hash.c service/sql/udf_number.c \
	service/sql/udf_object.c service/sql/udf_regex.c service/sql/udf_text.c service/sql/udf_time.c \
	service/sql/udf_time_make.c service/sql/udf_time_parse.c service/sql/udf_time_text.c \
	service/sql/udf_time_zone.c service/sql/unnest.c service/sql/zones.c
