# SPDX-License-Identifier: Apache-2.0
archives += service/crew/crew
service/crew/crew.src := $(addprefix service/crew/, crew.c query.c scratch.c spill.c)

# gcc's analyzer loses sight of memory that a structure of the caller's owns; LeakSanitizer, in the asan tests, does not.
ifeq ($(BUILD),analyze)
$(O)/service/crew/spill.o: CFLAGS += -Wno-analyzer-malloc-leak
endif
