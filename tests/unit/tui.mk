# SPDX-License-Identifier: Apache-2.0
tui_tests := decode grid ledger-pages line list looks model people-and-keys views words
tests += $(tui_tests:%=tests/unit/test-%)
$(foreach t,$(tui_tests),\
	$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c)\
	$(eval tests/unit/test-$(t).libs := tests/lib/testlib tui/view/view tui/model/model common/common)\
	$(eval tests/unit/test-$(t).pkgs := $(common_pkgs)))
