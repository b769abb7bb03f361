# SPDX-License-Identifier: Apache-2.0
tests += tests/unit/test-tls
tests/unit/test-tls.src  := tests/unit/test-tls.c
tests/unit/test-tls.libs := service/tls/tls tests/lib/testlib common/common
tests/unit/test-tls.pkgs := $(common_pkgs) libssl
