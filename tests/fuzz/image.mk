# SPDX-License-Identifier: Apache-2.0
fuzzers += tests/fuzz/fuzz-verity
tests/fuzz/fuzz-verity.src  := tests/fuzz/fuzz-verity.c
tests/fuzz/fuzz-verity.libs := image/initrd/verity $(fuzz_main)
