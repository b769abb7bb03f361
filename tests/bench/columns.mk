# SPDX-License-Identifier: Apache-2.0
# What columns cost: bytes and nanoseconds a value. Built on request: make O/tests/bench/columns.
helpers += tests/bench/columns
tests/bench/columns.src := tests/bench/columns.c
tests/bench/columns.libs := service/column/column common/common
tests/bench/columns.pkgs := $(common_pkgs)
