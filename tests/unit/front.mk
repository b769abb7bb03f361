# Stands in for accounts, engine and appliance in front's integration test; not installed.
helpers += tests/lib/peers
tests/lib/peers.src := tests/lib/peers.c
tests/lib/peers.libs := common/common
tests/lib/peers.pkgs := $(common_pkgs)
