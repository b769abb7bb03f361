# SPDX-License-Identifier: Apache-2.0
disk_fuzzers := disk-log sealed
fuzzers += $(disk_fuzzers:%=tests/fuzz/fuzz-%)
$(foreach f,$(disk_fuzzers),\
	$(eval tests/fuzz/fuzz-$(f).src := tests/fuzz/fuzz-$(f).c)\
	$(eval tests/fuzz/fuzz-$(f).libs := service/disk/disk common/common $(fuzz_main))\
	$(eval tests/fuzz/fuzz-$(f).pkgs := $(common_pkgs)))
