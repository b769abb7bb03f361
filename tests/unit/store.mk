# SPDX-License-Identifier: Apache-2.0
# The store and what it is made of, top down.
store_libs := service/store/store service/chunk/chunk service/value/value service/column/column service/disk/disk \
	service/keys/keys common/keyring/keyring
store_tests := store store-busy store-crash store-import
tests += $(store_tests:%=tests/unit/test-%)
$(foreach t,$(store_tests),\
	$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c)\
	$(eval tests/unit/test-$(t).libs := $(store_libs) tests/lib/testlib common/common)\
	$(eval tests/unit/test-$(t).pkgs := $(common_pkgs) $(store_pkgs)))
