# SPDX-License-Identifier: Apache-2.0
tests += tests/unit/test-error
tests/unit/test-error.src  := tests/unit/test-error.c
tests/unit/test-error.libs := service/api/api tests/lib/testlib common/common
tests/unit/test-error.pkgs := $(common_pkgs)
