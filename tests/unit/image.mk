# SPDX-License-Identifier: Apache-2.0
tests += tests/unit/test-verity
tests/unit/test-verity.src  := tests/unit/test-verity.c
tests/unit/test-verity.libs := image/initrd/verity
