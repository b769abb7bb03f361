# SPDX-License-Identifier: Apache-2.0
archives += service/exec/exec
service/exec/exec.src := $(sort $(wildcard service/exec/*.c))
# What links with it, but for what has snapshots.
exec_libs := service/exec/exec service/chunk/chunk service/value/value service/column/column service/disk/disk

# As in service/column: at -O2 gcc vectorises only loops that cost nothing more when they are short.
ifeq ($(BUILD),release)
exec_kernels := aggregate_update best coder eval_compare eval_number eval_time source_find vector
$(exec_kernels:%=$(O)/service/exec/%.o): CFLAGS += -O3
endif

# gcc's analyzer loses sight of memory that a structure of the caller's owns; LeakSanitizer, in the asan tests, does not.
ifeq ($(BUILD),analyze)
exec_owned := local local_hash pipe_groups pipe_top source_find
$(exec_owned:%=$(O)/service/exec/%.o): CFLAGS += -Wno-analyzer-malloc-leak
endif
