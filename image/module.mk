# SPDX-License-Identifier: Apache-2.0
# The image and the ways to run it: make image, run, demo, tools.
archives += image/initrd/verity
image/initrd/verity.src := image/initrd/verity.c

# Alone in the initrd, so without shared libraries.
programs += image/initrd/redoubt-init
image/initrd/redoubt-init.src  := image/initrd/init.c
image/initrd/redoubt-init.libs := image/initrd/verity
$(O)/image/initrd/redoubt-init: LDFLAGS += -static-pie

# build/image/redoubt.raw. The tree is made afresh, so that nothing stays in it that is no longer
# installed; image/build finds out by its sum whether anything changed.
image: $(programs:%=$(O)/%)
	$(q)rm -rf build/image/tree
	$(q)$(MAKE) --no-print-directory install DESTDIR=build/image/tree
	$(q)image/build $(O)/image/initrd/redoubt-init

run: image
	$(q)image/run $(RUN_ARGS)

demo:
	$(q)image/demo

tools:
	$(q)image/tools/make

.PHONY: image run demo tools
