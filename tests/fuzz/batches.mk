# SPDX-License-Identifier: Apache-2.0
fuzzers += tests/fuzz/fuzz-batches
tests/fuzz/fuzz-batches.src := tests/fuzz/fuzz-batches.c
tests/fuzz/fuzz-batches.libs := $(store_libs) common/common $(fuzz_main)
tests/fuzz/fuzz-batches.pkgs := $(common_pkgs) $(store_pkgs)
