# SPDX-License-Identifier: Apache-2.0
archives += service/source/source
service/source/source.src := $(addprefix service/source/, prune.c source.c source_find.c)

# As in service/column: at -O2 gcc vectorises only loops that cost nothing more when they are short.
ifeq ($(BUILD),release)
$(O)/service/source/source_find.o: CFLAGS += -O3
endif

# gcc's analyzer loses sight of memory that a structure of the caller's owns; LeakSanitizer, in the asan tests, does not.
ifeq ($(BUILD),analyze)
$(O)/service/source/source_find.o: CFLAGS += -Wno-analyzer-malloc-leak
endif
