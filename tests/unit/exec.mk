# SPDX-License-Identifier: Apache-2.0
exec_tests := crew like exec exec-large exec-spill exec-spill-faults group-raw scratch
tests += $(exec_tests:%=tests/unit/test-%)
threaded += $(exec_tests:%=tests/unit/test-%)
$(foreach t,$(exec_tests),\
	$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c)\
	$(eval tests/unit/test-$(t).libs := tests/lib/testlib tests/lib/snapshots $(exec_libs) common/common)\
	$(eval tests/unit/test-$(t).pkgs := $(common_pkgs) yyjson))
