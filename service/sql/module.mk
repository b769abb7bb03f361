# SPDX-License-Identifier: Apache-2.0
archives += service/sql/sql
service/sql/sql.src := $(addprefix service/sql/, bind.c bind_call.c bind_check.c bind_condition.c bind_expr.c bind_from.c bind_group.c bind_name.c \
	compare.c draft.c evaluate.c explain.c fold.c grouped.c kinds.c native.c native_condition.c pipe_table.c pushdown.c reads.c reference.c reply.c \
	scratch_vfs.c sql.c)
# What answers queries, top down, but for the store.
sql_libs := service/sql/sql service/syntax/syntax service/function/function $(exec_libs)
