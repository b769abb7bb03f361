# SPDX-License-Identifier: Apache-2.0
archives += service/segment/segment
service/segment/segment.src := $(addprefix service/segment/, footer.c gone.c ids.c pages.c part.c segment.c segment_writer.c)

# gcc's analyzer loses sight of memory that a counted structure owns; LeakSanitizer, in the asan tests, does not.
ifeq ($(BUILD),analyze)
$(O)/service/segment/gone.o: CFLAGS += -Wno-analyzer-malloc-leak
endif
