# SPDX-License-Identifier: Apache-2.0
archives += service/store/store
service/store/store.src := $(addprefix service/store/, \
	book.c catalog.c catalog_change.c change.c cluster.c commit.c db.c documents.c expire.c find.c footer.c frame.c gone.c ids.c import.c \
	keep.c keep_merge.c keeper.c live.c load.c pages.c part.c recent.c replay.c rewrite.c segment.c segment_writer.c \
	state.c store.c table.c write.c)

# What its tests link, top down, beside common.
store_libs := service/store/store service/chunk/chunk service/value/value service/column/column service/disk/disk \
	service/keys/keys common/keyring/keyring
# What a program that links store needs from outside, beside common's.
store_pkgs := sqlite3 yyjson

# gcc's analyzer loses sight of memory that a counted structure owns; LeakSanitizer, in the asan tests, does not.
ifeq ($(BUILD),analyze)
store_owned := gone rewrite
$(store_owned:%=$(O)/service/store/%.o): CFLAGS += -Wno-analyzer-malloc-leak
endif
