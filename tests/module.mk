# SPDX-License-Identifier: Apache-2.0
archives += tests/lib/testlib tests/lib/replay
tests/lib/testlib.src := tests/lib/fault.c
tests/lib/replay.src  := tests/lib/replay.c

# Libraries a fuzz target links after its own: libFuzzer brings a main(), replay is ours.
fuzz_main := $(if $(filter fuzz,$(BUILD)),,tests/lib/replay)

# Starts a program with listening sockets, as systemd would; not installed.
helpers += tests/lib/activate
tests/lib/activate.src := tests/lib/activate.c
