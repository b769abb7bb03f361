# SPDX-License-Identifier: Apache-2.0
archives += service/store/store
service/store/store.src := $(addprefix service/store/, \
	book.c catalog.c catalog_change.c change.c commit.c db.c documents.c expire.c frame.c import.c keep.c keep_merge.c keeper.c reserve.c \
	live.c load.c recent.c replay.c rewrite.c store.c table.c write.c)
# The store and what only it is made of.
store_own := service/store/store service/snapshot/snapshot service/segment/segment

# What its tests link, top down, beside common.
store_libs := $(store_own) service/chunk/chunk service/value/value service/column/column service/disk/disk \
	service/keys/keys common/keyring/keyring
# What a program that links store needs from outside, beside common's.
store_pkgs := sqlite3 yyjson

# gcc's analyzer loses sight of memory that a counted structure owns; LeakSanitizer, in the asan tests, does not.
ifeq ($(BUILD),analyze)
$(O)/service/store/rewrite.o: CFLAGS += -Wno-analyzer-malloc-leak
endif
