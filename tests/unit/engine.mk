# SPDX-License-Identifier: Apache-2.0
# Stands in for accounts and appliance in engine's integration tests; not installed.
helpers += tests/lib/grants
tests/lib/grants.src := tests/lib/grants.c
tests/lib/grants.libs := common/common
tests/lib/grants.pkgs := $(common_pkgs)
