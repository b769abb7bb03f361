# SPDX-License-Identifier: Apache-2.0
column_tests := filter floats hash ints strings
tests += $(column_tests:%=tests/unit/test-%)
$(foreach t,$(column_tests),\
	$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c)\
	$(eval tests/unit/test-$(t).libs := service/column/column tests/lib/testlib common/common)\
	$(eval tests/unit/test-$(t).pkgs := $(common_pkgs)))
