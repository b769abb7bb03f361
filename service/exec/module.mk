# SPDX-License-Identifier: Apache-2.0
archives += service/exec/exec
service/exec/exec.src := $(addprefix service/exec/, join.c pipe.c pipe_groups.c pipe_rows.c pipe_sort.c pipe_top.c prepared.c \
	run.c scan.c shortcut.c split.c stage.c stage_split.c)
# What runs pipes, top down, but for what has snapshots.
exec_libs := service/exec/exec service/sort/sort service/source/source service/group/group service/expression/expression service/crew/crew service/vector/vector \
	service/chunk/chunk service/value/value service/column/column service/disk/disk

# gcc's analyzer loses sight of memory that a structure of the caller's owns; LeakSanitizer, in the asan tests, does not.
ifeq ($(BUILD),analyze)
exec_owned := pipe_groups pipe_top
$(exec_owned:%=$(O)/service/exec/%.o): CFLAGS += -Wno-analyzer-malloc-leak
endif
