archives += tests/lib/testlib tests/lib/replay
tests/lib/testlib.src := tests/lib/fault.c
tests/lib/replay.src  := tests/lib/replay.c

# Libraries a fuzz target links after its own: libFuzzer brings a main(), replay is ours.
fuzz_main := $(if $(filter fuzz,$(BUILD)),,tests/lib/replay)
