# SPDX-License-Identifier: Apache-2.0
common_tests := buf bytes channel crypto heap loop msg proto sandbox tally text
tests += $(common_tests:%=tests/unit/test-%)
$(foreach t,$(common_tests),\
	$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c)\
	$(eval tests/unit/test-$(t).libs := tests/lib/testlib common/common)\
	$(eval tests/unit/test-$(t).pkgs := $(common_pkgs)))
