# SPDX-License-Identifier: Apache-2.0
tests += tests/unit/test-check
tests/unit/test-check.src  := tests/unit/test-check.c
tests/unit/test-check.libs := hardening/check/check tests/lib/testlib common/common
tests/unit/test-check.pkgs := $(common_pkgs)
