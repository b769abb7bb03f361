# SPDX-License-Identifier: Apache-2.0
# The image and the ways to run it: make image, run, demo, tools.
archives += image/initrd/verity
image/initrd/verity.src := image/initrd/verity.c

# Alone in the initrd, so without shared libraries.
programs += image/initrd/redoubt-init
image/initrd/redoubt-init.src  := image/initrd/init.c
image/initrd/redoubt-init.libs := image/initrd/verity
$(O)/image/initrd/redoubt-init: LDFLAGS += -static-pie

programs += image/power/redoubt-power
image/power/redoubt-power.src  := image/power/main.c
image/power/redoubt-power.libs := common/common
image/power/redoubt-power.pkgs := $(common_pkgs)

image_units := /usr/lib/systemd/system
installs += image/power/redoubt-power:/usr/lib/redoubt \
	image/power/redoubt-power@.service:$(image_units) \
	image/power/redoubt-power@.service.d/20-needs.conf:$(image_units)/redoubt-power@.service.d \
	image/power/70-redoubt-power.rules:/usr/lib/udev/rules.d

# build/image/redoubt.raw. The tree is made afresh, so that nothing stays in it that is no longer
# installed; image/build finds out by its sum whether anything changed.
image: $(programs:%=$(O)/%)
	$(q)rm -rf build/image/tree
	$(q)$(MAKE) --no-print-directory install DESTDIR=build/image/tree
	$(q)image/build-time build/image/tree
	$(q)image/build $(O)/image/initrd/redoubt-init

run: image
	$(q)image/run $(RUN_ARGS)

demo:
	$(q)image/demo

tools:
	$(q)image/tools/make

.PHONY: image run demo tools
