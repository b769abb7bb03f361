# SPDX-License-Identifier: Apache-2.0
http_tests := authorization host request response target
tests += $(http_tests:%=tests/unit/test-%)
$(foreach t,$(http_tests),\
	$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c)\
	$(eval tests/unit/test-$(t).libs := service/http/http tests/lib/testlib common/common)\
	$(eval tests/unit/test-$(t).pkgs := $(common_pkgs) libllhttp))
