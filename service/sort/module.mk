# SPDX-License-Identifier: Apache-2.0
archives += service/sort/sort
service/sort/sort.src := $(addprefix service/sort/, best.c sorter.c sorter_merge.c)

# As in service/column: at -O2 gcc vectorises only loops that cost nothing more when they are short.
ifeq ($(BUILD),release)
$(O)/service/sort/best.o: CFLAGS += -O3
endif
