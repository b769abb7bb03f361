# SPDX-License-Identifier: Apache-2.0
archives += service/group/group
service/group/group.src := $(addprefix service/group/, aggregate.c aggregate_update.c coder.c group_list.c \
	groups.c local.c local_hash.c part.c part_small.c raw.c small.c top.c)

# As in service/column: at -O2 gcc vectorises only loops that cost nothing more when they are short.
ifeq ($(BUILD),release)
group_kernels := aggregate_update coder local
$(group_kernels:%=$(O)/service/group/%.o): CFLAGS += -O3
endif

# gcc's analyzer loses sight of memory that a structure of the caller's owns; LeakSanitizer, in the asan tests, does not.
ifeq ($(BUILD),analyze)
group_owned := local local_hash
$(group_owned:%=$(O)/service/group/%.o): CFLAGS += -Wno-analyzer-malloc-leak
endif
