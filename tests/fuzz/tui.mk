# SPDX-License-Identifier: Apache-2.0
tui_fuzzers := decode words keys
fuzzers += $(tui_fuzzers:%=tests/fuzz/fuzz-%)
$(foreach t,$(tui_fuzzers),\
	$(eval tests/fuzz/fuzz-$(t).src := tests/fuzz/fuzz-$(t).c)\
	$(eval tests/fuzz/fuzz-$(t).libs := tui/view/view tui/model/model common/common $(fuzz_main))\
	$(eval tests/fuzz/fuzz-$(t).pkgs := $(common_pkgs)))
