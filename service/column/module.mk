# SPDX-License-Identifier: Apache-2.0
archives += service/column/column
column_parts := bits filter find floats hash ints ints_write spans strings strings_dictionary \
	strings_distinct strings_hex strings_odd strings_symbols strings_time strings_words strings_words_write \
	strings_write symbols symbols_train
service/column/column.src := $(column_parts:%=service/column/%.c)

# At -O2 gcc vectorises only loops that cost nothing more when they are short.
ifeq ($(BUILD),release)
column_kernels := bits find floats ints ints_write spans strings_hex strings_words
$(column_kernels:%=$(O)/service/column/%.o): CFLAGS += -O3
endif
