# SPDX-License-Identifier: Apache-2.0
disk_tests := cache crc32c file log log-damage sealed
tests += $(disk_tests:%=tests/unit/test-%)
threaded += tests/unit/test-cache tests/unit/test-log tests/unit/test-sealed
$(foreach t,$(disk_tests),\
	$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c)\
	$(eval tests/unit/test-$(t).libs := service/disk/disk tests/lib/testlib common/common)\
	$(eval tests/unit/test-$(t).pkgs := $(common_pkgs)))
