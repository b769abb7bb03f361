# SPDX-License-Identifier: Apache-2.0
archives += service/exec/exec
service/exec/exec.src := $(addprefix service/exec/, best.c join.c pipe.c pipe_groups.c pipe_rows.c pipe_sort.c pipe_top.c \
	prepared.c prune.c run.c scan.c shortcut.c sorter.c sorter_merge.c source.c source_find.c split.c stage.c stage_split.c)
# What runs pipes, top down, but for what has snapshots.
exec_libs := service/exec/exec service/group/group service/expression/expression service/crew/crew service/vector/vector \
	service/chunk/chunk service/value/value service/column/column service/disk/disk

# As in service/column: at -O2 gcc vectorises only loops that cost nothing more when they are short.
ifeq ($(BUILD),release)
exec_kernels := best source_find
$(exec_kernels:%=$(O)/service/exec/%.o): CFLAGS += -O3
endif

# gcc's analyzer loses sight of memory that a structure of the caller's owns; LeakSanitizer, in the asan tests, does not.
ifeq ($(BUILD),analyze)
exec_owned := pipe_groups pipe_top source_find
$(exec_owned:%=$(O)/service/exec/%.o): CFLAGS += -Wno-analyzer-malloc-leak
endif
