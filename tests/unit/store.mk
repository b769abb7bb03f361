# SPDX-License-Identifier: Apache-2.0
store_tests := segment store store-busy store-cluster store-crash store-flood store-import store-log store-parts
tests += $(store_tests:%=tests/unit/test-%)
threaded += tests/unit/test-store-busy
$(foreach t,$(store_tests),\
	$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c)\
	$(eval tests/unit/test-$(t).libs := $(store_libs) tests/lib/testlib common/common)\
	$(eval tests/unit/test-$(t).pkgs := $(common_pkgs) $(store_pkgs)))
