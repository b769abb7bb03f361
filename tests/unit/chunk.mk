# SPDX-License-Identifier: Apache-2.0
chunk_libs := service/chunk/chunk service/column/column service/value/value
chunk_tests := builder chunk chunk-key column document
tests += $(chunk_tests:%=tests/unit/test-%)
$(foreach t,$(chunk_tests),$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c))
$(foreach t,$(chunk_tests),$(eval tests/unit/test-$(t).libs := $(chunk_libs) tests/lib/testlib common/common))
$(foreach t,$(chunk_tests),$(eval tests/unit/test-$(t).pkgs := $(common_pkgs) yyjson))
