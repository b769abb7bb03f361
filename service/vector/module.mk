# SPDX-License-Identifier: Apache-2.0
archives += service/vector/vector
service/vector/vector.src := $(addprefix service/vector/, cell.c packed_row.c pile.c record.c rows.c vector.c)

# As in service/column: at -O2 gcc vectorises only loops that cost nothing more when they are short.
ifeq ($(BUILD),release)
$(O)/service/vector/vector.o: CFLAGS += -O3
endif
