# SPDX-License-Identifier: Apache-2.0
archives += service/column/column
service/column/column.src := service/column/bits.c service/column/filter.c service/column/floats.c service/column/hash.c \
	service/column/ints.c service/column/ints_write.c

# At -O2 gcc vectorises only loops that cost nothing more when they are short.
ifeq ($(BUILD),release)
column_kernels := bits floats ints ints_write
$(column_kernels:%=$(O)/service/column/%.o): CFLAGS += -O3
endif
