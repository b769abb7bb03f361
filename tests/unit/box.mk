# SPDX-License-Identifier: Apache-2.0
# Worker, manager, imds.
worker_tests := apply cert config disk files identity keys nets recovery run setup smbios ssh-key stored volume
tests += $(worker_tests:%=tests/unit/test-worker-%)
$(foreach t,$(worker_tests),\
	$(eval tests/unit/test-worker-$(t).src := tests/unit/test-worker-$(t).c)\
	$(eval tests/unit/test-worker-$(t).libs := tests/lib/testlib appliance/worker/worker common/keyring/keyring common/common)\
	$(eval tests/unit/test-worker-$(t).pkgs := $(worker_pkgs)))

manager_tests := manager manager-figures manager-ledger
tests += $(manager_tests:%=tests/unit/test-%)
$(foreach t,$(manager_tests),\
	$(eval tests/unit/test-$(t).src := tests/unit/test-$(t).c)\
	$(eval tests/unit/test-$(t).libs := tests/lib/testlib appliance/manager/manager \
		appliance/bus/bus common/common)\
	$(eval tests/unit/test-$(t).pkgs := $(common_pkgs) yyjson))

tests += tests/unit/test-imds
tests/unit/test-imds.src  := tests/unit/test-imds.c
tests/unit/test-imds.libs := tests/lib/testlib appliance/imds/imds common/common
tests/unit/test-imds.pkgs := $(common_pkgs) libcurl
